import {Script} from 'node:vm'
import * as fc from 'fast-check'
import {isFailure} from '../../src/core/failure.ts'

/** Inputs of each parser: 2,000, or as many as `FUZZ` says. */
export const RUNS = Number(process.env['FUZZ'] ?? 2000)

/** No input of some thousand characters may take longer, however busy the machine is. */
const LONGEST = 5000

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

export async function awaitNamed(call: () => Promise<unknown>): Promise<void> {
  try {
    await call()
  } catch (error) {
    if (!isNamed(error)) throw error
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

export async function fuzzAsync<T>(inputs: fc.Arbitrary<T>, parse: (input: T) => Promise<unknown>): Promise<void> {
  await fc.assert(
    fc.asyncProperty(inputs, input => awaitNamed(() => parse(input))),
    {numRuns: RUNS},
  )
}
