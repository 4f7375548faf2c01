import type {Failure} from '../core/failure.ts'
import {asFailure} from '../core/failure.ts'
import {printable} from '../core/printable.ts'
import type {Json, UploadStore} from '../stores/store.ts'
import type {UploadEvent} from '../upload/events.ts'
import {uploadAll} from '../upload/transfer.ts'
import type {StoredItem, UploadItem, UploadSettings} from '../upload/transfer.ts'
import {createDisplay} from './displays/display.ts'
import type {DisplayKind} from './displays/display.ts'
import {watchInterrupts} from './interrupts.ts'
import {describeStored, storedToJson} from './upload-words.ts'

export interface RunUploadOptions {
  readonly flags: {readonly progress: string; readonly quiet: boolean}
  readonly concurrency: number
  readonly partSize?: number
  readonly keep?: UploadSettings['keep']
  readonly onChange: NonNullable<UploadSettings['onChange']>
  /** Result lines on stdout; absent for one JSON document at the end. */
  readonly tell: 'results' | undefined
}

export interface UploadResults {
  readonly failures: readonly Failure[]
  readonly objects: readonly Json[]
  readonly stored: readonly StoredItem[]
}

/** Uploads with a display, results on stdout and Ctrl-C; returns what was stored and what failed. */
export async function runUpload(
  items: Iterable<UploadItem>,
  size: number,
  store: UploadStore,
  {flags, concurrency, partSize, keep, onChange, tell}: RunUploadOptions,
): Promise<UploadResults> {
  const files = Array.isArray(items) ? items.length : 1
  const kind = (flags.quiet ? 'none' : flags.progress) as DisplayKind
  const {stderr, stdout} = process
  const display = await createDisplay(kind, {stderr, stdout}, {env: process.env, expected: {files, size}})
  const interrupts = watchInterrupts()
  const objects: Json[] = []
  const stored: StoredItem[] = []

  function onEvent(event: UploadEvent): void {
    display.event(event)
    if (event.event !== 'done') return
    const {object, elapsed} = event
    if (tell === undefined) objects.push(storedToJson(object, elapsed))
    else display.above(describeStored(object, elapsed))
    for (const note of object.notes ?? []) display.event({event: 'note', id: event.id, message: printable(note)})
  }

  try {
    const {signal} = interrupts
    const {failures} = await uploadAll(items, store, {
      signal,
      onEvent,
      concurrency,
      onChange,
      onStored: each => void (files === 1 && stored.push(each)),
      ...(partSize === undefined ? {} : {partSize}),
      ...(keep === undefined ? {} : {keep}),
    })
    return {failures, objects, stored}
  } catch (error) {
    return {failures: [asFailure(error)], objects, stored}
  } finally {
    interrupts.stop()
    display.end()
  }
}
