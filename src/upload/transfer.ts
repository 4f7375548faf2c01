import {setMaxListeners} from 'node:events'
import {createBag} from '../core/bag.ts'
import {asFailure, Failure} from '../core/failure.ts'
import {createSlots} from '../core/slots.ts'
import {formatTarget} from '../core/target.ts'
import type {ObjectOptions, PartPlan, PartReceipt, StoredObject, Target, UploadStore} from '../stores/store.ts'
import {createFailureLog} from './failure-log.ts'
import {createObjectTransfer, GO_ON} from './object-transfer.ts'
import type {ObjectTransfer} from './object-transfer.ts'
import type {CallSettings} from './part-call.ts'
import type {KeepSettings} from './session-keeper.ts'
import {readAhead} from './read-ahead.ts'
import {isRefused, isSkipped} from './source-items.ts'
import type {RefusedItem, SkippedItem, SourceItem} from './source-items.ts'
import type {FileIdentity} from './source.ts'
import {runWorkers} from './workers.ts'

/** One file on its way to one object. */
export interface UploadItem {
  readonly path: string
  readonly target: Target
  readonly options: ObjectOptions
}

/** Everything that is needed to verify an object for ever. */
export interface StoredItem {
  readonly item: UploadItem
  readonly stored: StoredObject
  readonly plan: PartPlan
  readonly receipts: readonly PartReceipt[]
  readonly file: FileIdentity
  readonly elapsed: number
}

export interface UploadSettings extends CallSettings {
  readonly signal: AbortSignal
  /** Bodies in flight at once; the store's limit layer holds it, the workers follow it. */
  readonly concurrency: number
  /** The same of small objects; `concurrency` unless given. */
  readonly smallConcurrency?: number
  readonly partSize?: number
  /** Absent: nothing is written down, and nothing is gone on with. */
  readonly keep?: KeepSettings
  /** What to do about a file that changes: fail, start over, or send the bytes that were there at the start. */
  readonly onChange?: 'fail' | 'retry' | 'prefix'
  /** Nothing more is begun after so many failures. */
  readonly maxFailures?: number
  /** Never fails; waited for. */
  readonly onStored?: (stored: StoredItem) => void | Promise<void>
}

export interface UploadSummary {
  readonly done: number
  readonly skipped: number
  readonly failed: number
  /** At most a few of each code; all of them came as events. */
  readonly failures: readonly Failure[]
  /** Why some were not even tried, as one sentence. */
  readonly stopped?: string
}

/** Files may fail by chance, one after the other; so many do not. */
const LEAST_PATIENCE = 16

/**
 * So many small objects are on their way before any answer tells how far the store is. Measured, 2,000 files of 16 KiB:
 * where answers come after 20 ms, 16 take 9 % (http) and 4 % (https) less time than 8, for the same CPU; where they come at
 * once nothing changes, and 24 cost 2 % more.
 */
const FIRST_SMALL = 16

/**
 * Uploads every item. Workers share one generator of work over all parts of all objects. An object that fails does not
 * stop the others; fails only when `signal` ends the whole run, after what was begun has been settled.
 */
export async function uploadAll(
  items: Iterable<SourceItem> | AsyncIterable<SourceItem>,
  store: UploadStore,
  settings: UploadSettings,
): Promise<UploadSummary> {
  const open = createBag<ObjectTransfer>()
  // All that waits listens to it; Node would print a warning at the eleventh.
  setMaxListeners(0, settings.signal)
  const log = createFailureLog(settings.maxFailures ?? Infinity, Math.max(LEAST_PATIENCE, settings.concurrency * 2))
  const room = createSlots(settings.concurrency * 2)
  let done = 0
  let skipped = 0
  let whyStopped: string | undefined

  /** What is not sent at all. */
  function tellAside(id: number, item: RefusedItem | SkippedItem): void {
    const {path: source, target} = item
    if (isSkipped(item)) {
      const {size, etag, reason} = item.skipped
      settings.onEvent({event: 'skipped', id, source, target: formatTarget(item.target), size, etag, reason})
      skipped++
      return
    }
    const {code, message} = item.failure
    const text = target === undefined ? {} : {target: formatTarget(target)}
    settings.onEvent({event: 'failed', id, source, ...text, code, message})
    log.add(item.failure)
  }

  async function* produceWork(): AsyncGenerator<() => Promise<void>> {
    let id = 0
    for await (const group of readAhead(items, settings.onChange === 'prefix')) {
      for (const {item, take} of group) {
        settings.signal.throwIfAborted()
        whyStopped = log.whyStop()
        if (whyStopped !== undefined) {
          settings.onEvent({event: 'note', id: 0, message: whyStopped})
          return
        }
        id++
        if (isSkipped(item) || isRefused(item)) {
          tellAside(id, item)
          continue
        }
        const transfer = createObjectTransfer(id, {item, take}, store, settings)
        const letGo = open.add(transfer)
        await transfer.begin()
        if (!transfer.isSmall()) yield* shareOut(transfer, letGo)
        else {
          // One after the other by one worker: for each step that many small objects take there are many of it.
          yield async () => {
            for (const run of transfer.pieces()) await run()
            await end(transfer, letGo)
          }
        }
      }
    }
  }

  async function* shareOut(transfer: ObjectTransfer, letGo: () => void): AsyncGenerator<() => Promise<void>> {
    for (const run of transfer.pieces()) {
      // There are workers enough for many small objects: large ones must not be begun far ahead of their turn.
      const waited = room.take()
      if (waited instanceof Promise) await waited
      yield () => run().finally(room.give)
    }
    yield () => end(transfer, letGo)
  }

  async function end(transfer: ObjectTransfer, letGo: () => void): Promise<void> {
    const {failure} = await transfer.finish()
    // What an interrupt ended is settled, and counted, with all the others below.
    if (settings.signal.aborted) return
    letGo()
    if (failure === undefined) {
      done++
      log.succeed()
    } else log.add(failure)
  }

  const {concurrency, smallConcurrency = 0} = settings
  // One that waits for the end of a large object sends nothing: there may be another for it.
  const limits = {
    least: Math.max(concurrency, Math.min(FIRST_SMALL, smallConcurrency)),
    most: Math.max(concurrency * 2, smallConcurrency),
  }
  const ends = await runWorkers(produceWork(), limits, settings.signal)
  const broken = ends.find(end => end.status === 'rejected')
  if (broken === undefined) {
    const {count: failed, failures} = log
    if (whyStopped === undefined) return {done, skipped, failed, failures}
    // What was under way by then counts too, unless it succeeded after all.
    return {done, skipped, failed, failures, stopped: log.whyStop() ?? whyStopped}
  }
  const reason = asFailure(settings.signal.aborted ? settings.signal.reason : broken.reason)
  const stopped = await Promise.all([...open].map(transfer => transfer.stop(reason)))
  const keptParts = stopped.reduce((sum, end) => sum + end.keptParts, 0)
  if (keptParts === 0) throw reason
  const kept = `${keptParts.toLocaleString('en')} ${keptParts === 1 ? 'part is' : 'parts are'} kept at the store.`
  throw new Failure(reason.code, `${reason.message} ${kept}`, {cause: reason, suggestion: GO_ON})
}
