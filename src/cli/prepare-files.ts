import {resolve} from 'node:path'
import type {Config} from '@oclif/core'
import {Failure} from '../core/failure.ts'
import {isFolderTarget} from '../core/target.ts'
import type {Destination, Target} from '../core/target.ts'
import type {Call, LinkStore, UploadStore} from '../stores/store.ts'
import {leaveOut} from '../upload/leave-out.ts'
import type {RunJournal} from '../upload/run-journal.ts'
import type {KeepSettings} from '../upload/session-keeper.ts'
import type {SourceItem} from '../upload/source-items.ts'
import type {UploadItem} from '../upload/transfer.ts'
import type {Expected} from './displays/words.ts'
import {readFailed} from './failed-results.ts'
import {findSurroundings, stateFolder} from './folders.ts'
import {holdNotes} from './notes.ts'
import type {Notes} from './notes.ts'
import {readObjectOptions} from './object-options.ts'
import type {ObjectFlags} from './object-options.ts'
import {findDestination} from './open-destination.ts'
import type {FoundDestination, OpenDestination} from './open-destination.ts'
import {openRunJournal} from './run-journal.ts'
import {createFilter} from './source-filter.ts'
import type {SourceFlags} from './source-flags.ts'
import {openSources, peek, refuseTwins} from './sources.ts'
import type {Sources} from './sources.ts'
import {checkFolderTarget, makeItems, streamItems} from './upload-items.ts'

export interface FileNeeds {
  readonly flags: Parameters<typeof findDestination>[1]['flags'] &
    ObjectFlags &
    SourceFlags & {
      readonly concurrency?: number | undefined
      readonly engine: string
      readonly 'dry-run': boolean
      readonly 'skip-unchanged'?: string | undefined
      readonly receipt?: string | undefined
      readonly filename?: string | undefined
    }
  readonly config: Config
}

/** Files whose target is open; nothing has been sent. */
export interface PreparedFiles {
  readonly target: Target
  /** Where nothing is walked: all of them. */
  readonly named?: readonly UploadItem[]
  readonly expected: Expected
  readonly store: UploadStore
  readonly links: LinkStore | undefined
  readonly keep: KeepSettings | undefined
  /** Absent for one file, and for what is not kept. */
  readonly journal: RunJournal | undefined
  readonly notes: Notes
  /** What to send and what to pass over, in flat memory; once. */
  items(call: Call): Iterable<SourceItem> | AsyncIterable<SourceItem>
}

/** Finds the files and opens their target. Fails `usage`, `config`, `not-found`, and as opening does. */
export async function prepareFiles(
  words: readonly string[],
  destination: Destination,
  {flags, config}: FileNeeds,
): Promise<PreparedFiles> {
  const {concurrency, engine, 'dry-run': isDryRun, 'skip-unchanged': rule} = flags
  const found = await findDestination(destination, {
    flags,
    config,
    ...(concurrency === undefined ? {} : {concurrency}),
    isSdk: engine === 'sdk',
    isForWriting: !isDryRun,
  })
  const {target} = found
  const notes = holdNotes()
  const sources = await findSources(words, found, flags, notes)
  const needs = {target, optionsFor: (path: string) => readObjectOptions(flags, path)}
  // What is wrong with them is said once, and before a journal is begun for them.
  await needs.optionsFor('')
  const named = sources.named === undefined ? undefined : await makeItems(sources.named.files, needs)
  const opened = await found.open()
  const {store, objects, keep} = opened
  if (rule !== undefined && objects === undefined) throw cannotList()
  const journal = isDryRun || isSingle(sources) ? undefined : await openJournal(sources, target, opened, flags, notes)
  if (journal?.previous !== undefined) notes.tell(describePrevious(journal.previous))
  return {
    target,
    ...(named === undefined ? {} : {named}),
    expected: sources.named === undefined ? {} : {files: sources.named.files.length, size: sources.named.size},
    store,
    links: opened.links,
    keep,
    journal,
    notes,
    items(call) {
      const finished = journal?.previous === undefined ? undefined : journal.openFinished()
      if (rule === undefined && finished === undefined) return named ?? streamItems(sources.found, needs)
      const wish = rule === undefined ? undefined : (rule as 'size' | 'checksum')
      const items = isFolderTarget(target) ? streamItems(sources.found, needs) : inOrder(named ?? [])
      return leaveOut(items, {prefix: target, objects, finished, rule: wish, call, tell: notes.tell})
    },
  }
}

async function findSources(
  words: readonly string[],
  found: FoundDestination,
  flags: FileNeeds['flags'],
  notes: Notes,
): Promise<Sources> {
  const {target} = found
  const {'retry-failed': results} = flags
  if (results !== undefined) {
    if (words.length > 0) throw new Failure('usage', '--retry-failed takes the files of the results, and no others.')
    checkFolderTarget(found, 'The files that failed')
    const symlinks = flags.symlinks as 'follow'
    const walk = {symlinks, isWanted: await createFilter(flags), tell: notes.tell}
    // All of it is read here: the new results may take the place of the old ones.
    const failed = await peek(readFailed(results, target, walk))
    return {found: refuseTwins(failed), identity: ['results', resolve(results)]}
  }
  if (flags['from-file'] !== undefined && words.length > 1) {
    throw new Failure('usage', '--from-file takes the files of the list, and one folder in which they lie at most.')
  }
  const sources = await openSources(words, flags, notes.tell)
  if (isSingle(sources)) return sources
  if (flags.receipt !== undefined) {
    throw new Failure('usage', '--receipt is for one file.', {suggestion: 'Upload the files one by one.'})
  }
  if (flags.filename !== undefined) {
    throw new Failure('usage', '--filename is for one file.', {
      suggestion: 'Leave it away: a link has the name of its file.',
    })
  }
  checkFolderTarget(found, sources.named === undefined ? 'The files of a folder or list' : 'Several files')
  return sources
}

/** At most one file, that is: filters may leave none. */
function isSingle({named}: Sources): boolean {
  return named !== undefined && named.files.length <= 1
}

async function openJournal(
  {identity}: Sources,
  target: Target,
  {store, keep}: OpenDestination,
  flags: FileNeeds['flags'],
  {tell}: Notes,
): Promise<RunJournal | undefined> {
  if (keep === undefined) return undefined
  const folder = stateFolder(findSurroundings(), flags['state-dir'])
  return openRunJournal({folder, endpoint: store.endpoint, target, sources: identity, flags, tell})
}

async function* inOrder(items: readonly UploadItem[]): AsyncGenerator<UploadItem> {
  yield* items
}

function describePrevious(started: Date): string {
  const when = started.toISOString().replace('T', ' ').slice(0, 16)
  return `Going on with the run of ${when} UTC: what it stored is not sent again (--resume never sends all).`
}

function cannotList(): Failure {
  return new Failure('usage', '--skip-unchanged has to list the container, which needs credentials.', {
    suggestion: 'Leave it out here.',
  })
}
