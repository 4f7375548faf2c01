import {Failure, isFailure} from '../../core/failure.ts'
import {SMALL_OBJECT} from '../../core/sizes.ts'
import {createSlots} from '../../core/slots.ts'
import type {Slots} from '../../core/slots.ts'
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
  const slots = createSlots(concurrency)
  const smallSlots = createSlots(concurrency)
  const tinySlots = createSlots(concurrency)
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

  function resize(): void {
    const atOnce = (count: number): number => Math.max(adaptive.now, Math.floor((count * adaptive.now) / concurrency))
    slots.resize(adaptive.now)
    smallSlots.resize(atOnce(small * SHARE_OF_SMALL))
    tinySlots.resize(atOnce(small))
  }
  resize()

  function slotsFor(size: number): Slots {
    if (size >= SMALL_OBJECT || small <= concurrency) return slots
    return size > TINY ? smallSlots : tinySlots
  }

  /** How much of what is allowed is in use, as if all were parts. */
  function countInFlight(): number {
    const used = [slots, smallSlots, tinySlots].map(each => each.taken / each.most)
    return Math.ceil(used.reduce((sum, each) => sum + each, 0) * adaptive.now)
  }

  function adapt({onConcurrency}: Call): void {
    const before = slots.most
    resize()
    onConcurrency?.({before, now: adaptive.now, most: concurrency})
  }

  /** Runs a request in a slot, and learns from its end. */
  async function runIn<T>(slot: Slots, call: Call, run: () => Promise<T>): Promise<T> {
    const waited = slot.take()
    if (waited instanceof Promise) await waited
    const round = adaptive.begin()
    try {
      call.signal.throwIfAborted()
      const result = await run()
      if (adaptive.succeed(round)) adapt(call)
      return result
    } catch (error) {
      const cannotKeepUp = isFailure(error, 'busy') && error.retryable
      if (cannotKeepUp && adaptive.slowDown(round, countInFlight())) adapt(call)
      throw error
    } finally {
      slot.give()
    }
  }

  return {
    ...store,
    putWhole: (target, body, options, call) =>
      runIn(slotsFor(body.size), call, () => store.putWhole(target, body, options, call)),
    putPart: (session, part, body, call) =>
      runIn(slots, call, () => {
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
