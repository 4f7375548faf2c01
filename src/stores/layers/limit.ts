import {Failure, isFailure} from '../../core/failure.ts'
import {SMALL_OBJECT} from '../../core/sizes.ts'
import {createSlots} from '../../core/slots.ts'
import type {Slots} from '../../core/slots.ts'
import type {Call, UploadStore} from '../store.ts'
import {createAdaptiveLimit} from './adaptive-limit.ts'
import type {AdaptiveLimit} from './adaptive-limit.ts'

/** Up to here memory is no matter; further up each takes a pair of windows. */
const TINY = 64 * 1024
const SHARE_OF_SMALL = 1 / 4

/** Places for one kind of bodies, fewer for a while when the store says that it cannot keep up. */
interface Lane {
  /** As many as were wished. */
  readonly most: number
  readonly slots: Slots
  readonly adaptive: AdaptiveLimit
  /** The fewest since it was as many as were wished. */
  fewest: number
}

function createLane(most: number): Lane {
  return {most, slots: createSlots(most), adaptive: createAdaptiveLimit(most), fewest: most}
}

function resize(lane: Lane, {onConcurrency}: Call): void {
  const {most, slots, adaptive} = lane
  const {now} = adaptive
  const isFewest = now < lane.fewest
  lane.fewest = now === most ? most : Math.min(now, lane.fewest)
  slots.resize(now)
  onConcurrency?.({now, most, isFewest})
}

/**
 * Lets at most `concurrency` bodies travel at once, over all objects, in the order in which they come, and up to `small` of
 * the objects that wait for answers more than they travel. Control verbs pass. An abort rejects what is queued of its upload
 * and waits for what is in flight, since a part that arrives after the abort stays for ever.
 */
export function withLimit<S extends UploadStore>(store: S, concurrency: number, small = concurrency): S {
  const parts = createLane(concurrency)
  const isShared = small <= concurrency
  const smallOnes = isShared ? parts : createLane(Math.max(concurrency, Math.floor(small * SHARE_OF_SMALL)))
  const tinyOnes = isShared ? parts : createLane(small)
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

  function laneFor(size: number): Lane {
    if (size >= SMALL_OBJECT) return parts
    return size > TINY ? smallOnes : tinyOnes
  }

  /** Runs a request in a slot, and learns from its end. */
  async function runIn<T>(lane: Lane, call: Call, run: () => Promise<T>): Promise<T> {
    const {slots, adaptive} = lane
    const waited = slots.take()
    if (waited instanceof Promise) await waited
    const round = adaptive.begin()
    try {
      call.signal.throwIfAborted()
      const result = await run()
      if (adaptive.succeed(round)) resize(lane, call)
      return result
    } catch (error) {
      const cannotKeepUp = isFailure(error, 'busy') && error.retryable
      if (cannotKeepUp && adaptive.slowDown(round, slots.taken)) resize(lane, call)
      throw error
    } finally {
      slots.give()
    }
  }

  return {
    ...store,
    putWhole: (target, body, options, call) =>
      runIn(laneFor(body.size), call, () => store.putWhole(target, body, options, call)),
    putPart: (session, part, body, call) =>
      runIn(parts, call, () => {
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
