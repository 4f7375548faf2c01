import {asFailure} from '../core/failure.ts'
import type {Failure} from '../core/failure.ts'
import {SMALL_OBJECT} from '../core/sizes.ts'
import {formatTarget} from '../core/target.ts'
import type {PartPlan, PartReceipt, StoredObject, UploadStore} from '../stores/store.ts'
import {makeCall} from './part-call.ts'
import {openParts} from './parts.ts'
import {planParts} from './plan.ts'
import type {SmallFile} from './small-file.ts'
import {openFile} from './source.ts'
import type {FileIdentity, Source} from './source.ts'
import type {UploadItem, UploadSettings} from './transfer.ts'
import {openWhole} from './whole.ts'
import type {Work} from './work.ts'

export interface AttemptEnd {
  readonly stored: StoredObject | undefined
  readonly failure: Failure | undefined
  /** The store does not know the upload any more. */
  readonly isForgotten: boolean
  /** Parts that the next run need not send. */
  readonly keptParts: number
  readonly plan: PartPlan | undefined
  readonly receipts: readonly PartReceipt[]
  /** What was read, if it could be opened. */
  readonly file: FileIdentity | undefined
}

/** One try at one object: pieces of work for the workers, then an end that settles it. */
export interface Attempt {
  /** True for a small object in one piece; known once it has begun. */
  isSmall(): boolean
  /** Opens the source, and begins the upload or goes on with it; a failure is kept for `settle`. */
  begin(): Promise<void>
  /** What there is to do then: one piece for an object that goes whole. Their failures are kept, too. */
  pieces(): Iterable<() => Promise<void>>
  /** Waits for the pieces, then completes or cleans up. Never throws. */
  settle(): Promise<AttemptEnd>
  cancel(reason: unknown): void
}

/** Of a file that was read ahead of its turn `takeNear` returns what was read. */
export function createAttempt(
  id: number,
  item: UploadItem,
  store: UploadStore,
  settings: UploadSettings,
  takeNear: () => SmallFile | undefined = () => undefined,
): Attempt {
  const {path, target, options} = item
  const {onEvent, keep} = settings
  const tell = (message: string): void => onEvent({event: 'note', id, message})
  /** Pieces that were handed out and have not ended. */
  let running = 0
  let wake = (): void => {}
  let source: Source | undefined
  let work: Work | undefined
  let failure: Failure | undefined
  let isForgotten = false

  function fail(error: unknown): void {
    if (failure !== undefined) return
    failure = asFailure(settings.signal.aborted ? settings.signal.reason : error)
    isForgotten = work !== undefined && work.plan.count > 0 && failure.code === 'not-found'
    work?.stop(failure)
  }

  /** Makes a piece of work whose failure ends this attempt alone. */
  function piece(run: () => Promise<void>): () => Promise<void> {
    running++
    return async () => {
      try {
        if (failure === undefined) await run()
      } catch (error) {
        fail(error)
      } finally {
        if (--running === 0) wake()
      }
    }
  }

  async function begin(): Promise<void> {
    const near = takeNear()
    const found = near?.source ?? openFile(path, settings.onChange === 'prefix')
    source = found instanceof Promise ? await found : found
    const call = makeCall(id, 0, settings.signal, settings)
    const plan = planParts(source.size, await store.limits(call), settings)
    const needs = {id, target, options, source, plan, store, call, settings, keep, tell, near}
    const opened = plan.count === 0 ? openWhole(needs) : openParts(needs)
    work = opened instanceof Promise ? await opened : opened
    const {size, count: parts, partSize} = work.plan
    const text = formatTarget(target)
    onEvent({event: 'start', id, source: path, target: text, size, parts, partSize, kept: work.keptSize})
  }

  return {
    isSmall: () => work?.plan.count === 0 && work.plan.size < SMALL_OBJECT,
    begin: () => begin().catch(fail),
    pieces: () => mapWhile(work?.pieces() ?? [], run => (failure === undefined ? piece(run) : undefined)),
    async settle() {
      if (running > 0) await new Promise<void>(resolve => (wake = resolve))
      let stored: StoredObject | undefined
      try {
        const completed = failure === undefined ? work?.complete() : undefined
        stored = completed instanceof Promise ? await completed : completed
      } catch (error) {
        fail(error)
      }
      const ended = work?.end(failure) ?? 0
      const keptParts = ended instanceof Promise ? await ended : ended
      const closed = source?.close()
      if (closed instanceof Promise) await closed
      return {
        isForgotten,
        keptParts,
        receipts: work?.receipts() ?? [],
        plan: work?.plan,
        file: source?.identity,
        failure,
        stored: failure === undefined ? stored : undefined,
      }
    },
    cancel(reason) {
      fail(reason)
      // What was handed out and never begun is not waited for.
      running = 0
      wake()
    },
  }
}

/**
 * Maps items until nothing comes of one. A generator that stands in no other function: for each one that a function makes
 * V8 makes a map as well, which lives until all of the heap is collected, and whatever that function knows with it: 5 KB of a
 * small file.
 */
function* mapWhile<T, U>(items: Iterable<T>, map: (item: T) => U | undefined): Generator<U> {
  for (const item of items) {
    const mapped = map(item)
    if (mapped === undefined) return
    yield mapped
  }
}
