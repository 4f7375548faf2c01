import type {Failure} from '../core/failure.ts'
import {asFailure} from '../core/failure.ts'
import {printable} from '../core/printable.ts'
import {followLater, orAbort} from '../core/signals.ts'
import type {Json, LinkStore, Target} from '../stores/store.ts'
import type {UploadEvent} from '../upload/events.ts'
import {uploadAll} from '../upload/transfer.ts'
import type {StoredItem, UploadSettings, UploadSummary} from '../upload/transfer.ts'
import {createDisplay} from './displays/display.ts'
import type {DisplayKind} from './displays/display.ts'
import {watchInterrupts} from './interrupts.ts'
import type {PreparedFiles} from './prepare-files.ts'
import type {ResultsFile} from './results-file.ts'
import type {Linker, UploadLink} from './upload-links.ts'
import {describeStored, storedToJson} from './upload-words.ts'

export interface RunUploadOptions extends Pick<
  UploadSettings,
  'concurrency' | 'smallConcurrency' | 'partSize' | 'pace' | 'onChange' | 'maxFailures'
> {
  readonly flags: {readonly progress: string; readonly quiet: boolean}
  readonly results?: ResultsFile
  readonly link?: Linker
  /** Result lines on stdout; absent for one JSON document at the end. */
  readonly tell: 'results' | undefined
}

export interface UploadResults extends UploadSummary {
  readonly objects: readonly Json[]
  /** Of one file. */
  readonly stored: readonly StoredItem[]
  /** Those that were not told yet, in the order of the files where they were named. */
  readonly links: readonly UploadLink[]
}

/** So long, in ms, whoever wants to end waits for a pipe to take the results: nobody may read it. */
const MOMENT = 400

/** Uploads with a display, results on stdout and Ctrl-C; returns what was stored and what failed. */
export async function runUpload(
  prepared: PreparedFiles,
  {flags, results, link, tell, ...settings}: RunUploadOptions,
): Promise<UploadResults> {
  const {named, expected, store, journal, keep, notes} = prepared
  const kind = (flags.quiet ? 'none' : flags.progress) as DisplayKind
  const {stderr, stdout} = process
  const display = await createDisplay(kind, {stderr, stdout}, {env: process.env, expected})
  const interrupts = watchInterrupts()
  const {signal} = interrupts
  const objects: Json[] = []
  const stored: StoredItem[] = []
  const links = new Map<string, UploadLink>()
  const late: Failure[] = []
  let failures: readonly Failure[] = []
  const counts = {done: 0, skipped: 0}
  let isLinkTold = false

  function onEvent(event: UploadEvent): void {
    display.event(event)
    results?.event(event)
    if (event.event === 'done' || event.event === 'skipped') counts[event.event]++
    if (event.event !== 'done') return
    const {object, elapsed} = event
    if (tell === undefined) objects.push(storedToJson(object, elapsed))
    else display.above(describeStored(object, elapsed))
    for (const note of object.notes ?? []) display.event({event: 'note', id: event.id, message: printable(note)})
  }

  function tellLink({url, words}: UploadLink): void {
    if (!isLinkTold) for (const message of words) display.event({event: 'note', id: 0, message})
    isLinkTold = true
    display.above(url)
  }

  function onStored(each: StoredItem): void | Promise<void> {
    const {target, size, etag} = each.stored
    journal?.add({key: target.key, size, mtimeNs: each.file.mtimeNs, etag})
    if (expected.files === 1) stored.push(each)
    return results === undefined && link === undefined ? undefined : tellStored(each)
  }

  /** Waits for what a link or a line of results needs. */
  async function tellStored(each: StoredItem): Promise<void> {
    const {target} = each.stored
    try {
      const made = await link?.(target, {signal})
      // Of a folder nobody waits for the last file to see the first link, and memory shall stay flat.
      if (made !== undefined && named === undefined && tell !== undefined) tellLink(made)
      else if (made !== undefined) links.set(target.key, made)
      results?.stored(each, await urlsOf(target, prepared.links, made, signal))
    } catch (error) {
      if (!signal.aborted) late.push(asFailure(error))
    }
  }

  const finish = async (summary: UploadSummary): Promise<UploadResults> => {
    try {
      const closing = results?.close(summary.stopped)
      if (results?.isPipe === true && closing !== undefined) await orAbort(closing, followLater(signal, MOMENT))
      else await closing
    } catch (error) {
      const failure = asFailure(error)
      // An interrupt has been told, maybe with what it kept.
      if (summary.failures.every(each => each !== failure && each.cause !== failure)) late.push(failure)
    }
    failures = [...summary.failures, ...late]
    const isClean = failures.length === 0
    if (isClean && summary.done + summary.skipped === 0) {
      onEvent({event: 'note', id: 0, message: 'No file was found, so nothing was uploaded.'})
    }
    await journal?.end(isClean ? 'remove' : 'keep').catch(() => {})
    const inOrder = named?.map(({target}) => links.get(target.key)).filter(each => each !== undefined)
    const failed = summary.failed + late.length
    return {...summary, failed, failures, objects, stored, links: inOrder ?? [...links.values()]}
  }

  notes.connect(message => onEvent({event: 'note', id: 0, message}))
  try {
    const all = {...settings, signal, onEvent, onStored, ...(keep === undefined ? {} : {keep})}
    return await finish(await uploadAll(prepared.items({signal}), store, all))
  } catch (error) {
    const failure = asFailure(error)
    return await finish({...counts, failed: 1, failures: [failure], stopped: failure.message})
  } finally {
    interrupts.stop()
    display.end(failures)
  }
}

/** Returns the addresses of what was just stored. */
export async function urlsOf(
  target: Target,
  store: LinkStore | undefined,
  link: UploadLink | undefined,
  signal: AbortSignal,
): Promise<{readonly url?: string; readonly link?: string}> {
  const url = await store?.publicUrl(target, {signal})
  return {...(url === undefined ? {} : {url}), ...(link === undefined ? {} : {link: link.url})}
}
