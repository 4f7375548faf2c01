import {resolve} from 'node:path'
import type {Failure} from '../core/failure.ts'
import {printable} from '../core/printable.ts'
import type {Json} from '../stores/store.ts'
import type {Pace} from '../upload/pace.ts'
import {compileLater} from './compile-later.ts'
import {fitOpenFiles} from './open-files.ts'
import {DEFAULT_CONCURRENCY, SMALL_CONCURRENCY} from './open-target.ts'
import type {PreparedFiles} from './prepare-files.ts'
import {makeReceipt, sha256File, writeReceipt} from './receipt-file.ts'
import {createResults} from './results-file.ts'
import type {ResultsFile} from './results-file.ts'
import {runUpload} from './run-upload.ts'
import type {RunUploadOptions} from './run-upload.ts'
import {createLinker} from './upload-links.ts'
import type {UploadLink} from './upload-links.ts'

export interface SendFlags {
  readonly progress: string
  readonly quiet: boolean
  readonly concurrency?: number | undefined
  readonly 'part-size'?: number | undefined
  readonly 'on-change': string
  readonly 'max-failures'?: number | undefined
  readonly results?: string | undefined
  readonly 'retry-failed'?: string | undefined
  readonly link: boolean
  readonly filename?: string | undefined
  readonly receipt?: string | undefined
  readonly sha256: boolean
  readonly pace?: Pace
}

export interface SentFiles {
  readonly failures: readonly Failure[]
  /** All of them, where `failures` are a few of each kind. */
  readonly failed: number
  /** Why some were not even tried, as one sentence. */
  readonly stopped?: string | undefined
  /** What the one JSON document says beside its `ok`. */
  readonly json: {readonly [name: string]: Json}
  /** Those that were not told yet. */
  readonly links: readonly UploadLink[]
}

async function openResults({results, 'retry-failed': source}: SendFlags): Promise<ResultsFile | undefined> {
  if (results === undefined) return undefined
  return createResults(results, {isSource: source !== undefined && resolve(source) === resolve(results)})
}

/** Uploads prepared files and writes what was asked for about them: results, links, a receipt. Fails `config`. */
export async function sendFiles(
  prepared: PreparedFiles,
  flags: SendFlags,
  tell: RunUploadOptions['tell'],
): Promise<SentFiles> {
  if (prepared.expected.files !== 1) await compileLater(prepared.store.endpoint)
  const {concurrency, 'part-size': partSize, 'max-failures': maxFailures, pace} = flags
  // What is wrong with the link, or with the place for results, is said before anything is sent.
  const link = flags.link ? await createLinker(prepared, flags.filename) : undefined
  const results = await openResults(flags)
  const {objects, skipped, failed, failures, stopped, stored, links} = await runUpload(prepared, {
    flags,
    concurrency: concurrency ?? DEFAULT_CONCURRENCY,
    // No more leave than are begun.
    smallConcurrency: concurrency ?? fitOpenFiles(SMALL_CONCURRENCY, DEFAULT_CONCURRENCY),
    onChange: flags['on-change'] as 'fail' | 'retry' | 'prefix',
    ...(partSize === undefined ? {} : {partSize}),
    ...(maxFailures === undefined ? {} : {maxFailures}),
    ...(pace === undefined ? {} : {pace}),
    ...(results === undefined ? {} : {results}),
    ...(link === undefined ? {} : {link}),
    tell,
  })
  const [one] = stored
  if (flags.receipt !== undefined && one !== undefined && failures.length === 0) {
    await writeReceipt(flags.receipt, makeReceipt(one, flags.sha256 ? await sha256File(one.item.path) : undefined))
  }
  const counts = {
    ...(skipped > 0 ? {skipped} : {}),
    ...(failed > failures.length ? {failed} : {}),
    ...(stopped === undefined ? {} : {stopped: printable(stopped)}),
  }
  const linked = flags.link && failures.length === 0 ? {links: links.map(({json}) => json)} : {}
  return {failures, failed, stopped, json: {objects, ...counts, ...linked}, links}
}
