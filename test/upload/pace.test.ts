import {expect} from 'chai'
import {KIB, MIB} from '../../src/core/sizes.ts'
import {createPace} from '../../src/upload/pace.ts'
import {joinSignals} from '../../src/upload/part-call.ts'
import type {Pace} from '../../src/upload/pace.ts'
import {failureOf} from '../http/support.ts'
import {SOON} from '../support/soon.ts'

const signal = joinSignals()

/** Sends so many bytes in windows of one size, as a connection does. */
async function send(pace: Pace, bytes: number, window: number): Promise<number> {
  const started = performance.now()
  for (let left = bytes; left > 0; left -= window) await pace(Math.min(window, left), signal)
  return performance.now() - started
}

/** Counts for how many seconds others kept the loop of this process waiting, beyond what its own work takes. */
function watchLoop(own = 0): () => number {
  let lost = 0
  let last = performance.now()
  const timer = setInterval(() => {
    const now = performance.now()
    lost += Math.max(0, now - last - own - 30)
    last = now
  }, 10)
  return () => {
    clearInterval(timer)
    return lost / 1000
  }
}

describe('createPace', () => {
  it('keeps the rate, whatever the windows and however many connections share it', async () => {
    const lost = watchLoop()
    // All at once: each has a limit of its own.
    const cases = [
      [10 * MIB, 1, 64 * KIB],
      [10 * MIB, 8, 64 * KIB],
      [10 * MIB, 32, 5000],
      [100 * KIB, 4, 4 * KIB],
    ] as const
    const tooks = await Promise.all(
      cases.map(async ([rate, connections, window]) => {
        const pace = createPace(rate)
        const each = Math.ceil((rate * 2) / connections)
        const times = await Promise.all(Array.from({length: connections}, () => send(pace, each, window)))
        return Math.max(...times) / 1000
      }),
    )
    const late = lost()
    for (const took of tooks) expect(took, `${late} s late`).to.be.within(2 * 0.97, 2 * 1.03 + late)
  })

  it('loses nothing by a loop that is late now and then', async () => {
    const pace = createPace(10 * MIB)
    const lost = watchLoop(150)
    const busy = setInterval(() => {
      const until = performance.now() + 150
      while (performance.now() < until);
    }, 400)
    try {
      const took = (await send(pace, 20 * MIB, 64 * KIB)) / 1000
      expect(took).to.be.within(1.94, 2.06 + 0.15 + lost())
    } finally {
      lost()
      clearInterval(busy)
    }
  })

  it('shares fairly: a small file does not wait for the windows of big ones', async () => {
    const lost = watchLoop()
    const pace = createPace(MIB)
    const big = Array.from({length: 4}, () => send(pace, 400 * KIB, 256 * KIB))
    const small = await send(pace, 16 * KIB, 16 * KIB)
    // A fifth of the rate is its own: 80 ms; behind four windows it would be a second.
    expect(small).to.be.below(600 + 1000 * lost())
    await Promise.all(big)
  })

  it('saves up no more than a tenth of a second while nobody asks', async () => {
    const pace = createPace(MIB)
    await new Promise(resolve => setTimeout(resolve, 1000))
    expect(await send(pace, MIB, 16 * KIB)).to.be.above(850)
  })

  it('lets go of whoever is told to stop, and of what it would have taken', async () => {
    const pace = createPace(KIB)
    const controller = new AbortController()
    const reason = new Error('stopped')
    const stopped = failureOf(pace(100 * KIB, controller.signal))
    const other = send(pace, 100, 100)
    controller.abort(reason)
    expect(await stopped).to.equal(reason)
    // Behind it, it would be a hundred seconds.
    expect(await other).to.be.below(SOON)
    expect(await failureOf(pace(1, controller.signal))).to.equal(reason)
  })
})
