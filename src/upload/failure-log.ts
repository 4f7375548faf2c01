import type {Failure, FailureCode} from '../core/failure.ts'

/** What has failed in a run. A few of each code stand for all of them: a million would not fit. */
export interface FailureLog {
  readonly count: number
  readonly failures: readonly Failure[]
  add(failure: Failure): void
  /** Something was stored: the store can be reached, and lets us in. */
  succeed(): void
  /** Why nothing more should be begun, as one sentence. */
  whyStop(): string | undefined
}

const KEPT_OF_EACH = 20
/** Failures of the store, not of a file: what comes next will fail for the same reason. */
const OF_THE_STORE: readonly FailureCode[] = ['auth', 'expired', 'network', 'busy']

/** Says to stop after `most` failures, or after `patience` in a row that are the store's. */
export function createFailureLog(most: number, patience: number): FailureLog {
  const failures: Failure[] = []
  const counts = new Map<FailureCode, number>()
  let count = 0
  let inARow = 0
  return {
    get count() {
      return count
    },
    failures,
    add(failure) {
      const {code, context} = failure
      const known = counts.get(code) ?? 0
      counts.set(code, known + 1)
      if (known < KEPT_OF_EACH) failures.push(failure)
      count++
      // The store knows no container, where a file that is not there was never asked for.
      const isMissing = code === 'not-found' && context.status !== undefined
      inARow = OF_THE_STORE.includes(code) || isMissing ? inARow + 1 : 0
    },
    succeed() {
      inARow = 0
    },
    whyStop() {
      if (count >= most) return `Stopped after ${count.toLocaleString('en')} failures: what is left was not tried.`
      if (inARow < patience) return undefined
      return `Stopped: ${inARow.toLocaleString('en')} files in a row failed for reasons of the store, so what is left was not tried.`
    },
  }
}
