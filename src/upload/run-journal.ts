import {createHash} from 'node:crypto'
import {constants} from 'node:fs'
import {open, readdir, rm, stat} from 'node:fs/promises'
import {join} from 'node:path'
import {parseDate} from '../core/dates.ts'
import {Failure} from '../core/failure.ts'
import {printable} from '../core/printable.ts'
import {takeLock} from '../state/lock.ts'
import type {Holder} from '../state/lock.ts'
import {makeFolders} from '../state/make-folders.ts'
import {makePrivateFolder} from '../state/private-folder.ts'
import {openPrivate} from '../state/read-private.ts'
import {createLineFile} from './line-file.ts'
import {orderOf} from './listing.ts'
import {createLookup} from './lookup.ts'
import type {Lookup} from './lookup.ts'
import {sortNames} from './sort-names.ts'

/*
 * One file a run of many objects, appended only, NDJSON: a head, then a line a key that is stored. A line is written
 * after the store has answered, and not flushed: losing it costs that file's bytes and nothing else. A torn line is
 * passed over. The file is removed when all is stored.
 */

/** What makes two runs the same. */
export interface RunIdentity {
  /** The store's endpoint. */
  readonly store: string
  /** As text. */
  readonly target: string
  /** Real paths of the sources, and what else says what they are. */
  readonly sources: readonly string[]
}

/** A key that is stored, and which file it was. */
export interface FinishedKey {
  readonly key: string
  readonly size: number
  readonly mtimeNs: string
  readonly etag: string
}

export type FinishedLookup = Lookup<{readonly order: string; readonly finished: FinishedKey}>

/** The journal of a run in our hands: locked until `end`. */
export interface RunJournal {
  /** When the run began that this one goes on with. */
  readonly previous: Date | undefined
  /** What that run had stored; costs memory for some 100,000 keys at most, however many there are. */
  openFinished(): FinishedLookup
  add(finished: FinishedKey): void
  /** Removes the journal, or leaves it to the next run where there is anything in it. */
  end(how: 'remove' | 'keep'): Promise<void>
}

const ENDING = '.ndjson'
/** Nobody goes on with a run after so long. */
const FORGOTTEN = 30 * 86_400_000

/**
 * Takes the journal of a run in a state folder. One that was left under other options is begun anew. `onTrouble` hears
 * of a disk that fails later. Fails `busy` while another process has it.
 */
export async function takeRunJournal(
  folder: string,
  identity: RunIdentity,
  options: string,
  onTrouble: (error: unknown) => void,
): Promise<RunJournal> {
  const runs = join(folder, 'runs')
  makeFolders(folder)
  await makePrivateFolder(runs)
  await removeForgotten(runs)
  const name = createHash('sha256')
    .update([identity.store, identity.target, ...identity.sources].join('\0'))
    .digest('hex')
    .slice(0, 40)
  const file = join(runs, name + ENDING)
  const lock = await takeLock(join(runs, `${name}.lock`), holder => refuse(identity, holder))
  try {
    const previous = await readHead(file, options)
    if (previous === undefined) await rm(file, {force: true})
    const handle = await open(
      file,
      constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW,
      0o600,
    )
    const lines = createLineFile(handle, onTrouble)
    // A line that a kill tore must not swallow the next one.
    lines.add(
      previous === undefined
        ? JSON.stringify({version: 1, ...identity, options, started: new Date().toISOString()})
        : '',
    )
    let isEmpty = previous === undefined
    return {
      previous,
      openFinished: () => createLookup(() => readFinished(file), false),
      add(finished) {
        isEmpty = false
        lines.add(JSON.stringify(finished))
      },
      async end(how) {
        await lines.close().catch(() => {})
        if (how === 'remove' || isEmpty) await rm(file, {force: true})
        await lock.release()
      },
    }
  } catch (error) {
    await lock.release()
    throw error
  }
}

/** Returns when the run began; undefined where there is none, or one under other options. */
async function readHead(file: string, options: string): Promise<Date | undefined> {
  for await (const line of readLines(file)) {
    const head = parse(line)
    const isOurs = head?.['version'] === 1 && head['options'] === options && typeof head['started'] === 'string'
    return isOurs ? parseDate(String(head['started'])) : undefined
  }
  return undefined
}

/** The lines of one key come in the order in which they were written: the last is true. */
async function* readFinished(file: string): AsyncGenerator<{order: string; finished: FinishedKey}> {
  for await (const texts of sortNames(readRecords(file))) {
    for (const text of texts) {
      const [order = '', , line = ''] = text.split('\0')
      const {size, mtimeNs, etag} = JSON.parse(Buffer.from(line, 'latin1').toString()) as FinishedKey
      yield {order, finished: {key: Buffer.from(order, 'latin1').toString(), size, mtimeNs, etag}}
    }
  }
}

async function* readRecords(file: string): AsyncGenerator<[string]> {
  let number = 0
  for await (const line of readLines(file)) {
    const {key, size, mtimeNs, etag} = parse(line) ?? {}
    if (typeof key !== 'string' || !Number.isSafeInteger(size)) continue
    if (typeof mtimeNs !== 'string' || typeof etag !== 'string') continue
    const rest = Buffer.from(JSON.stringify({size, mtimeNs, etag})).toString('latin1')
    yield [[orderOf(key), String(++number).padStart(12, '0'), rest].join('\0')]
  }
}

async function* readLines(file: string): AsyncGenerator<string> {
  const handle = await openPrivate(file)
  if (handle === undefined) return
  try {
    yield* handle.readLines({encoding: 'utf8', autoClose: false})
  } finally {
    await handle.close()
  }
}

function parse(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

async function removeForgotten(runs: string): Promise<void> {
  for (const name of await readdir(runs)) {
    if (!name.endsWith(ENDING)) continue
    const path = join(runs, name)
    const {mtimeMs} = await stat(path).catch(() => ({mtimeMs: Date.now()}))
    if (Date.now() - mtimeMs > FORGOTTEN) await rm(path, {force: true})
  }
}

function refuse({target}: RunIdentity, {pid, host}: Holder): Failure {
  const message = `Process ${pid} on ${printable(host)} is uploading these files to ${printable(target)} already.`
  return new Failure('busy', message, {suggestion: 'Let it end, or stop it; then run the same command again.'})
}
