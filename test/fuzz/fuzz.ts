import {Script} from 'node:vm'
import * as fc from 'fast-check'
import {isFailure} from '../../src/core/failure.ts'
import {startWatchdog} from './watchdog.ts'

/** Inputs of each parser: 2,000, or as many as `FUZZ` says. */
export const RUNS = Number(process.env['FUZZ'] ?? 2000)

/** No input of some thousand characters may take longer, however busy the machine is. */
const LONGEST = 5000
/** What waits for a store is aborted after 25 seconds, and then has to come to its end. */
const LONGEST_AWAITED = 30_000

const bound = new Script('globalThis.skyliftFuzz()')

/** Calls a function and fails when it does not come back: even a regular expression that runs away is stopped. */
export function callInTime<T>(call: () => T): T {
  const place = globalThis as {skyliftFuzz?: () => T}
  place.skyliftFuzz = call
  return bound.runInThisContext({timeout: LONGEST}) as T
}

/** Passes what returns and what fails with a name; anything else is a finding. */
export function callNamed(call: () => unknown): void {
  try {
    callInTime(call)
  } catch (error) {
    if (!isNamed(error)) throw error
  }
}

async function awaitNamed(call: () => Promise<unknown>, longest: number): Promise<void> {
  try {
    await awaitInTime(call, longest)
  } catch (error) {
    if (!isNamed(error)) throw error
  }
}

class NeverSettled extends Error {}

async function awaitInTime(call: () => Promise<unknown>, longest: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new NeverSettled(`It did not settle in ${longest / 1000} s.`)), longest)
  })
  try {
    await Promise.race([call(), late])
  } finally {
    clearTimeout(timer)
  }
}

function isNamed(error: unknown): boolean {
  return isFailure(error) && error.code !== 'unexpected'
}

/** Tries a parser with many inputs: no crash, no hang, no failure without a name. */
export function fuzz<T>(inputs: fc.Arbitrary<T>, parse: (input: T) => unknown): void {
  fc.assert(
    fc.property(inputs, input => callNamed(() => parse(input))),
    {numRuns: RUNS},
  )
}

/** Tries what settles later in the same way. An input that it never settles for is named, and not made smaller. */
export async function fuzzAsync<T>(
  inputs: fc.Arbitrary<T>,
  parse: (input: T) => Promise<unknown>,
  longest = LONGEST_AWAITED,
): Promise<void> {
  const watchdog = startWatchdog()
  let isStuck = false
  const property = fc.asyncProperty(inputs, async input => {
    // Each smaller one might take as long again.
    if (isStuck) return
    watchdog.watch(fc.stringify(input))
    try {
      await awaitNamed(() => parse(input), longest)
    } catch (error) {
      isStuck = error instanceof NeverSettled
      throw error
    }
  })
  try {
    await fc.assert(property, {numRuns: RUNS})
  } finally {
    await watchdog.close()
  }
}
