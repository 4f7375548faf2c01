import {asFailure, Failure} from '../core/failure.ts'
import type {ObjectOptions, Target, UploadStore} from '../stores/store.ts'
import type {UploadSink} from './events.ts'
import {createObjectTransfer} from './object-transfer.ts'
import type {ObjectTransfer} from './object-transfer.ts'

/** One file on its way to one object. */
export interface UploadItem {
  readonly path: string
  readonly target: Target
  readonly options: ObjectOptions
}

export interface UploadSettings {
  readonly signal: AbortSignal
  readonly onEvent: UploadSink
  /** Bodies in flight at once; the store's limit layer holds it, the workers follow it. */
  readonly concurrency: number
  readonly partSize?: number
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
        const failure = await transfer.finish()
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
  const reason = settings.signal.aborted ? settings.signal.reason : broken.reason
  await Promise.all([...open].map(transfer => transfer.stop(reason)))
  throw asFailure(reason)
}

export function interruption(code: 'interrupted' | 'terminated'): Failure {
  return new Failure(code, code === 'interrupted' ? 'Interrupted.' : 'Terminated.')
}
