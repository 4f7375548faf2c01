import pLimit from 'p-limit'
import {Failure, isFailure} from '../../core/failure.ts'
import {SMALL_OBJECT} from '../../core/sizes.ts'
import type {Call, UploadStore} from '../store.ts'
import {createAdaptiveLimit} from './adaptive-limit.ts'

/** Up to here memory is no matter; further up each takes a pair of windows. */
const TINY = 64 * 1024
const SHARE_OF_SMALL = 1 / 4

/**
 * Lets at most `concurrency` bodies travel at once, over all objects, in the order in which they come, and up to `small` of
 * the objects that wait for answers more than they travel; fewer for a while when the store says that it cannot keep up.
 * Control verbs pass. An abort rejects what is queued of its upload and waits for what is in flight, since a part that
 * arrives after the abort stays for ever.
 */
export function withLimit<S extends UploadStore>(store: S, concurrency: number, small = concurrency): S {
  const limit = pLimit(concurrency)
  const smallLimit = pLimit(concurrency)
  const tinyLimit = pLimit(concurrency)
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

  function setLimits(): void {
    const atOnce = (count: number): number => Math.max(adaptive.now, Math.floor((count * adaptive.now) / concurrency))
    limit.concurrency = adaptive.now
    smallLimit.concurrency = atOnce(small * SHARE_OF_SMALL)
    tinyLimit.concurrency = atOnce(small)
  }
  setLimits()

  function limitFor(size: number): typeof limit {
    if (size >= SMALL_OBJECT || small <= concurrency) return limit
    return size > TINY ? smallLimit : tinyLimit
  }

  /** How much of what is allowed is in use, as if all were parts. */
  function countInFlight(): number {
    const used = [limit, smallLimit, tinyLimit].map(each => each.activeCount / each.concurrency)
    return Math.ceil(used.reduce((sum, each) => sum + each, 0) * adaptive.now)
  }

  function adapt({onConcurrency}: Call): void {
    const before = limit.concurrency
    setLimits()
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
      if (cannotKeepUp && adaptive.slowDown(round, countInFlight())) adapt(call)
      throw error
    }
  }

  return {
    ...store,
    putWhole: (target, body, options, call) =>
      limitFor(body.size)(() => watch(call, () => store.putWhole(target, body, options, call))),
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
