import {asFailure, Failure} from '../core/failure.ts'
import type {ObjectOptions, PartPlan, PartReceipt, StoredObject, Target, UploadStore} from '../stores/store.ts'
import type {UploadSink} from './events.ts'
import {createObjectTransfer, GO_ON} from './object-transfer.ts'
import type {ObjectTransfer} from './object-transfer.ts'
import type {KeepSettings} from './session-keeper.ts'

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
}

export interface UploadSettings {
  readonly signal: AbortSignal
  readonly onEvent: UploadSink
  /** Bodies in flight at once; the store's limit layer holds it, the workers follow it. */
  readonly concurrency: number
  readonly partSize?: number
  /** Absent: nothing is written down, and nothing is gone on with. */
  readonly keep?: KeepSettings
  /** What to do about a file that changes: fail, start over, or send the bytes that were there at the start. */
  readonly onChange?: 'fail' | 'retry' | 'prefix'
  readonly onStored?: (stored: StoredItem) => void
}

export interface UploadSummary {
  readonly done: number
  readonly failures: readonly Failure[]
}

/**
 * Uploads every item. Workers share one generator of work over all parts of all objects. An object that fails does not
 * stop the others; fails only when `signal` ends the whole run, after what was begun has been settled.
 */
export async function uploadAll(
  items: Iterable<UploadItem> | AsyncIterable<UploadItem>,
  store: UploadStore,
  settings: UploadSettings,
): Promise<UploadSummary> {
  const open = new Set<ObjectTransfer>()
  const failures: Failure[] = []
  let done = 0

  async function* produceWork(): AsyncGenerator<() => Promise<void>> {
    let id = 0
    for await (const item of items) {
      settings.signal.throwIfAborted()
      const transfer = createObjectTransfer(++id, item, store, settings)
      open.add(transfer)
      yield* transfer.work()
      yield async () => {
        const {failure} = await transfer.finish()
        // What an interrupt ended is settled, and counted, with all the others below.
        if (settings.signal.aborted) return
        open.delete(transfer)
        if (failure === undefined) done++
        else failures.push(failure)
      }
    }
  }

  const work = produceWork()
  // A worker that fails leaves its loop, which closes the generator for all of them.
  const worker = async (): Promise<void> => {
    for await (const job of work) {
      await job()
      settings.signal.throwIfAborted()
    }
  }
  const ends = await Promise.allSettled(Array.from({length: settings.concurrency * 2}, worker))
  const broken = ends.find(end => end.status === 'rejected')
  if (broken === undefined) return {done, failures}
  const reason = asFailure(settings.signal.aborted ? settings.signal.reason : broken.reason)
  const stopped = await Promise.all([...open].map(transfer => transfer.stop(reason)))
  const keptParts = stopped.reduce((sum, end) => sum + end.keptParts, 0)
  if (keptParts === 0) throw reason
  const kept = `${keptParts.toLocaleString('en')} ${keptParts === 1 ? 'part is' : 'parts are'} kept at the store.`
  throw new Failure(reason.code, `${reason.message} ${kept}`, {cause: reason, suggestion: GO_ON})
}
