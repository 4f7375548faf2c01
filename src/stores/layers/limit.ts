import pLimit from 'p-limit'
import {Failure, isFailure} from '../../core/failure.ts'
import type {Call, UploadStore} from '../store.ts'
import {createAdaptiveLimit} from './adaptive-limit.ts'

/**
 * Lets at most `concurrency` bodies travel at once, over all objects, in the order in which they come; fewer for a while
 * when the store says that it cannot keep up. Control verbs pass. An abort rejects what is queued of its upload and waits
 * for what is in flight, since a part that arrives after the abort stays for ever.
 */
export function withLimit<S extends UploadStore>(store: S, concurrency: number): S {
  const limit = pLimit(concurrency)
  const adaptive = createAdaptiveLimit(concurrency)
  const aborted = new Set<string>()
  const inFlight = new Map<string, Set<Promise<unknown>>>()

  function track<T>(uploadId: string, running: Promise<T>): Promise<T> {
    const known = inFlight.get(uploadId) ?? new Set()
    inFlight.set(uploadId, known.add(running))
    const done = (): void => {
      known.delete(running)
      if (known.size === 0) inFlight.delete(uploadId)
    }
    return running.finally(done)
  }

  function adapt({onConcurrency}: Call): void {
    const before = limit.concurrency
    limit.concurrency = adaptive.now
    onConcurrency?.({before, now: adaptive.now, most: concurrency})
  }

  /** Runs a request that holds a slot, and learns from its end. */
  async function watch<T>(call: Call, run: () => Promise<T>): Promise<T> {
    call.signal.throwIfAborted()
    const round = adaptive.begin()
    try {
      const result = await run()
      if (adaptive.succeed(round)) adapt(call)
      return result
    } catch (error) {
      const cannotKeepUp = isFailure(error, 'busy') && error.retryable
      if (cannotKeepUp && adaptive.slowDown(round, limit.activeCount)) adapt(call)
      throw error
    }
  }

  return {
    ...store,
    putWhole: (target, body, options, call) =>
      limit(() => watch(call, () => store.putWhole(target, body, options, call))),
    putPart: (session, part, body, call) =>
      limit(() =>
        watch(call, () => {
          if (aborted.has(session.uploadId)) throw new Failure('interrupted', 'The upload was aborted.')
          return track(session.uploadId, store.putPart(session, part, body, call))
        }),
      ),
    async abort(session, call) {
      aborted.add(session.uploadId)
      await Promise.allSettled([...(inFlight.get(session.uploadId) ?? [])])
      await store.abort(session, call)
    },
  }
}
