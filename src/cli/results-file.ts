import {Failure} from '../core/failure.ts'
import {printable} from '../core/printable.ts'
import {parseTarget} from '../core/target.ts'
import {openAnew} from '../state/open-anew.ts'
import type {Json} from '../stores/store.ts'
import type {UploadEvent} from '../upload/events.ts'
import {createLineFile} from '../upload/line-file.ts'
import type {StoredItem} from '../upload/transfer.ts'
import {escapeMarks} from './displays/json.ts'
import {storedToJson} from './upload-words.ts'

/** Raised whenever a reader of results would have to change. */
export const RESULTS_VERSION = 1

/** What of an object and its source a line tells. */
interface StoredLine extends Pick<StoredItem, 'stored' | 'elapsed'> {
  readonly item: {readonly path: string}
}

/** One line of JSON for each file of a run, written as it comes to its end. */
export interface ResultsFile {
  /** Something that was stored, with its URLs. */
  stored(item: StoredLine, urls: {readonly url?: string; readonly link?: string}): void
  /** Takes what failed and what was skipped. */
  event(event: UploadEvent): void
  /** Fails `config` when lines could not be written. */
  close(): Promise<void>
}

/** Begins a file of results anew; for the person alone, since links are secrets. Fails `config`. */
export async function createResults(path: string): Promise<ResultsFile> {
  const fail = (error: unknown): Failure =>
    new Failure(
      'config',
      `The results "${printable(path)}" cannot be written: ${(error as Error).message.replace(/\.$/u, '')}.`,
      {
        cause: error,
        suggestion: 'Name another file with --results.',
      },
    )
  const handle = await openAnew(path, {isSecret: true}).catch((error: unknown) => {
    throw fail(error)
  })
  const lines = createLineFile(handle)
  const add = (line: {readonly [name: string]: Json}): void => {
    lines.add(escapeMarks(JSON.stringify({v: RESULTS_VERSION, ...line})))
  }
  return {
    stored({item, stored, elapsed}, urls) {
      add({status: 'stored', source: item.path, ...storedToJson(stored, elapsed), ...urls})
    },
    event(event) {
      if (event.event === 'skipped') {
        const {source, target, size, etag, reason} = event
        add({status: 'skipped', source, target, ...placeOf(target), size, etag, reason})
      } else if (event.event === 'failed' && event.source !== undefined) {
        const {source, target, code, message} = event
        const place = target === undefined ? {} : {target, ...placeOf(target)}
        add({status: 'failed', source, ...place, code, message: printable(message)})
      }
    },
    async close() {
      await lines.close().catch((error: unknown) => {
        throw fail(error)
      })
    },
  }
}

function placeOf(target: string): {readonly container: string; readonly key: string} {
  const {container, key} = parseTarget(target)
  return {container, key}
}
