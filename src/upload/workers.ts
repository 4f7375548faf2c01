import {performance} from 'node:perf_hooks'

/** How often it is looked whether this thread has time to spare, in ms. */
const LOOK = 5
/** The share of time in which this thread is taken to be busy. */
const BUSY = 0.75

/**
 * Runs workers until all have come to their ends: `least` at first, and twice as many, up to `most`, as often as this
 * thread has time to spare. Those who wait for answers far away cost nothing; where the thread is busy, more of them get
 * nothing done sooner, and each has a connection to make and memory to go through.
 *
 * Measured: 2,000 files of 16 KiB to a store that answers at once cost 15 % more CPU with 128 workers than with 16.
 */
export async function runWorkers(
  worker: () => Promise<void>,
  least: number,
  most: number,
): Promise<readonly PromiseSettledResult<void>[]> {
  const running: Promise<void>[] = []
  const hire = (count: number): void => {
    while (running.length < count) running.push(worker())
  }
  let before = performance.eventLoopUtilization()
  const look = setInterval(() => {
    const now = performance.eventLoopUtilization()
    const {utilization} = performance.eventLoopUtilization(now, before)
    before = now
    if (utilization < BUSY) hire(Math.min(most, running.length * 2))
    if (running.length >= most) clearInterval(look)
  }, LOOK)
  hire(least)
  let ends: PromiseSettledResult<void>[] = []
  // While some are waited for, others may have come.
  while (ends.length < running.length) ends = await Promise.allSettled(running)
  clearInterval(look)
  return ends
}
