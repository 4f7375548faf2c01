import {rename, unlink} from 'node:fs/promises'
import {Failure} from '../core/failure.ts'
import {printable} from '../core/printable.ts'
import {parseTarget} from '../core/target.ts'
import {openAnew} from '../state/open-anew.ts'
import type {Json} from '../stores/store.ts'
import type {UploadEvent} from '../upload/events.ts'
import {createLineFile} from '../upload/line-file.ts'
import type {StoredItem} from '../upload/transfer.ts'
import {absolutePath} from './absolute-path.ts'
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
  /** Whoever reads it may stand still for ever. */
  readonly isPipe: boolean
  /** Something that was stored, with its URLs. */
  stored(item: StoredLine, urls: {readonly url?: string; readonly link?: string}): void
  /** Takes what failed and what was skipped. */
  event(event: UploadEvent): void
  /** With the reason why some files were not even tried, as the last line. Fails `config` when lines could not be written. */
  close(stopped?: string): Promise<void>
}

/**
 * Begins a file of results anew; for the person alone, since links are secrets. One that `isSource` of this run as well
 * stays what it was until all of it has been tried; what comes from a stream has no file that could be sent again. Fails
 * `config`.
 */
export async function createResults(
  path: string,
  {isSource = false, isStream = false}: {readonly isSource?: boolean; readonly isStream?: boolean} = {},
): Promise<ResultsFile> {
  const written = isSource ? `${path}.new` : path
  const fail = (error: unknown): Failure =>
    new Failure(
      'config',
      `The results "${printable(path)}" cannot be written: ${(error as Error).message.replace(/\.$/u, '')}.`,
      {
        cause: error,
        suggestion: 'Name another file with --results.',
      },
    )
  const handle = await openAnew(written, {isSecret: true}).catch((error: unknown) => {
    throw fail(error)
  })
  const lines = createLineFile(handle)
  const add = (line: {readonly [name: string]: Json}): void => {
    lines.add(escapeMarks(JSON.stringify({v: RESULTS_VERSION, ...line, ...(isStream ? {stream: true} : {})})))
  }
  return {
    isPipe: lines.isPipe,
    stored({item, stored, elapsed}, urls) {
      add({status: 'stored', source: item.path, ...storedToJson(stored, elapsed), ...urls})
    },
    event(event) {
      if (event.event === 'skipped') {
        const {source, target, size, etag, reason} = event
        add({status: 'skipped', source, target, ...placeOf(target), size, etag, reason})
      } else if (event.event === 'failed' && event.source !== undefined) {
        const {source, target, code, message} = event
        const file = isStream ? {} : {path: absolutePath(source)}
        const place = target === undefined ? {} : {target, ...placeOf(target)}
        add({status: 'failed', source, ...file, ...place, code, message: printable(message)})
      }
    },
    async close(stopped) {
      if (stopped !== undefined) add({status: 'stopped', source: '', message: printable(stopped)})
      try {
        await lines.close()
        if (isSource) await (stopped === undefined ? rename(written, path) : unlink(written))
      } catch (error) {
        throw fail(error)
      }
    },
  }
}

function placeOf(target: string): {readonly container: string; readonly key: string} {
  const {container, key} = parseTarget(target)
  return {container, key}
}
