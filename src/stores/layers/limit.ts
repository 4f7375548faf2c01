import pLimit from 'p-limit'
import {Failure} from '../../core/failure.ts'
import type {UploadStore} from '../store.ts'

/**
 * Lets at most `concurrency` bodies travel at once, over all objects. Control verbs pass. An abort rejects what is
 * queued of its upload and waits for what is in flight, since a part that arrives after the abort stays for ever.
 */
export function withLimit<S extends UploadStore>(store: S, concurrency: number): S {
  const limit = pLimit(concurrency)
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

  return {
    ...store,
    putWhole: (target, body, options, call) =>
      limit(() => {
        call.signal.throwIfAborted()
        return store.putWhole(target, body, options, call)
      }),
    putPart: (session, part, body, call) =>
      limit(() => {
        call.signal.throwIfAborted()
        if (aborted.has(session.uploadId)) throw new Failure('interrupted', 'The upload was aborted.')
        return track(session.uploadId, store.putPart(session, part, body, call))
      }),
    async abort(session, call) {
      aborted.add(session.uploadId)
      await Promise.allSettled([...(inFlight.get(session.uploadId) ?? [])])
      await store.abort(session, call)
    },
  }
}
