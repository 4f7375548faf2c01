import {orAbort} from '../../core/signals.ts'

/** Work that several callers wait for: begun by the first, ended early only when all of them have left. */
export interface SharedWork<T> {
  /** Fails what the work fails, or `signal.reason` for this caller alone. */
  join(signal: AbortSignal): Promise<T>
  /** Nobody waits for it any more. */
  isLeft(): boolean
}

export function shareWork<T>(run: (signal: AbortSignal) => Promise<T>): SharedWork<T> {
  const controller = new AbortController()
  let started: Promise<T> | undefined
  let waiting = 0

  return {
    async join(signal) {
      signal.throwIfAborted()
      started ??= run(controller.signal)
      waiting++
      try {
        return await orAbort(started, signal)
      } finally {
        if (--waiting === 0) controller.abort(signal.reason)
      }
    },
    isLeft: () => waiting === 0,
  }
}

/** Remembers the outcome of the first success; a failure is forgotten, so that the next caller tries again. */
export function rememberWork<T>(run: (signal: AbortSignal) => Promise<T>): (signal: AbortSignal) => Promise<T> {
  let known: {readonly value: T} | undefined
  let work: SharedWork<T> | undefined

  return async signal => {
    signal.throwIfAborted()
    if (known !== undefined) return known.value
    const current = (work ??= shareWork(run))
    try {
      const value = await current.join(signal)
      known = {value}
      return value
    } finally {
      if (work === current && current.isLeft()) work = undefined
    }
  }
}
