import {asFailure} from '../../core/failure.ts'
import type {Failure} from '../../core/failure.ts'

/** What a check found; `open` is what could not be told, or what an upload does not need. */
export interface Finding {
  readonly status: 'ok' | 'open'
  readonly message: string
  /** What to do, where something may be done. */
  readonly remedy?: string
}

/** One thing that is looked at. A failure of `run` is a failed check. */
export interface Check {
  readonly name: string
  /** Checks without which this one would only say the same. */
  readonly needs?: readonly string[]
  run(): Promise<Finding>
}

export type Checked =
  | (Finding & {readonly name: string})
  | {readonly name: string; readonly status: 'failed'; readonly failure: Failure}
  | {readonly name: string; readonly status: 'skipped'; readonly message: string}

/** Runs checks one after the other; what needs one that failed is skipped. Fails when it is interrupted. */
export async function* runChecks(checks: readonly Check[], signal: AbortSignal): AsyncIterable<Checked> {
  const missing = new Set<string>()
  for (const {name, needs = [], run} of checks) {
    const lost = needs.find(each => missing.has(each))
    if (lost !== undefined) {
      missing.add(name)
      yield {name, status: 'skipped', message: `Not checked, for want of: ${lost}.`}
      continue
    }
    try {
      yield {name, ...(await run())}
    } catch (error) {
      signal.throwIfAborted()
      missing.add(name)
      yield {name, status: 'failed', failure: asFailure(error)}
    }
  }
}

export function ok(message: string, remedy?: string): Finding {
  return {status: 'ok', message, ...(remedy === undefined ? {} : {remedy})}
}

export function open(message: string, remedy?: string): Finding {
  return {status: 'open', message, ...(remedy === undefined ? {} : {remedy})}
}
