import {createHash} from 'node:crypto'
import {constants} from 'node:fs'
import {open, readdir, realpath, rm} from 'node:fs/promises'
import type {FileHandle} from 'node:fs/promises'
import {join} from 'node:path'
import {Failure} from '../core/failure.ts'
import {printable} from '../core/printable.ts'
import {formatTarget} from '../core/target.ts'
import {CANDIDATE, findHolder, takeLock} from '../state/lock.ts'
import type {Holder, Lock} from '../state/lock.ts'
import {sweepLocks} from '../state/sweep-locks.ts'
import {makeFolders} from '../state/make-folders.ts'
import {makePrivateFolder} from '../state/private-folder.ts'
import {readPrivate} from '../state/read-private.ts'
import type {PartReceipt, Session, Target} from '../stores/store.ts'
import {parseJournal} from './journal-format.ts'
import type {FileIdentity} from './source.ts'

/*
 * One file an upload, appended only, NDJSON: a head, then a line a receipt.
 *
 * The order of writes: the lock; Create at the store; the head, flushed to disk before the first part is sent; a receipt
 * after the store has answered for its part, not flushed, since losing one costs that part's bytes and nothing else; the
 * journal is removed after Complete was answered, then the lock. A kill between Create and the head leaves an upload that
 * only the store knows; `pending list` shows it. A last line that is torn is passed over.
 */

/** What makes two runs the same upload. */
export interface UploadIdentity {
  /** The store's endpoint, so that one name of a remote never means two stores. */
  readonly store: string
  readonly target: Target
  /** The real path of the source. */
  readonly path: string
}

export interface JournalHead {
  readonly version: 1
  readonly identity: UploadIdentity
  readonly session: Session
  readonly file: FileIdentity
  /** ISO 8601. */
  readonly started: string
}

export interface JournalEntry {
  readonly head: JournalHead
  readonly receipts: ReadonlyMap<number, PartReceipt>
}

/** A journal in our hands: its lock is held until `release` or `remove`. */
export interface Journal {
  /** What an earlier run left. */
  readonly previous: JournalEntry | undefined
  /** Starts the file anew; durable when it resolves. */
  begin(head: JournalHead): Promise<void>
  /** Goes on with the file as it is. */
  resume(): Promise<void>
  /** Fails once when the disk does; the upload can go on without. */
  add(receipt: PartReceipt): Promise<void>
  release(): Promise<void>
  remove(): Promise<void>
}

export interface PendingJournal extends JournalEntry {
  readonly name: string
  /** Who works on it now. */
  readonly holder: Holder | undefined
}

export interface Journals {
  /** Takes the lock of one upload. Fails `busy` while another process has it. */
  take(identity: UploadIdentity): Promise<Journal>
  /** False where no earlier run left anything at all; costs one look at the folder for the whole run. */
  hasAny(): boolean | Promise<boolean>
  /** True where an earlier run left something of this upload; looks no further than `hasAny`. */
  has(identity: UploadIdentity): Promise<boolean>
  list(): Promise<PendingJournal[]>
}

const ENDING = '.ndjson'

export async function identifyUpload(store: string, target: Target, path: string): Promise<UploadIdentity> {
  return {store, target, path: await realpath(path)}
}

/** Opens the journals of a state folder, which is made at the first use. */
export function openJournals(folder: string): Journals {
  const uploads = join(folder, 'uploads')
  let known: Set<string> | Promise<Set<string>> | undefined
  let swept: Promise<void> | undefined

  const listNames = async (): Promise<Set<string>> => new Set(await readdir(uploads).catch(() => []))
  const findKnown = (): Set<string> | Promise<Set<string>> => (known ??= listNames().then(names => (known = names)))
  const read = async (name: string): Promise<JournalEntry | undefined> => {
    const text = await readPrivate(join(uploads, name + ENDING))
    return text === undefined ? undefined : parseJournal(text)
  }

  return {
    async take(identity) {
      makeFolders(folder)
      await makePrivateFolder(uploads)
      const name = nameOf(identity)
      const lock = await takeLock(join(uploads, `${name}.lock`), holder => refuse(identity, holder))
      await (swept ??= sweepLocks(uploads, isLeftBehind))
      try {
        return createJournal(join(uploads, name + ENDING), lock, await read(name))
      } catch (error) {
        await lock.release()
        throw error
      }
    },
    hasAny() {
      const names = findKnown()
      return names instanceof Promise ? names.then(({size}) => size > 0) : names.size > 0
    },
    async has(identity) {
      return (await findKnown()).has(nameOf(identity) + ENDING)
    },
    async list() {
      const found: PendingJournal[] = []
      for (const file of await listNames()) {
        if (!file.endsWith(ENDING)) continue
        const name = file.slice(0, -ENDING.length)
        const entry = await read(name).catch(() => undefined)
        if (entry !== undefined) found.push({...entry, name, holder: await findHolder(join(uploads, `${name}.lock`))})
      }
      return found
    },
  }
}

/** Whoever takes up the journal takes its lock over; without one, nobody would. */
function isLeftBehind(name: string, all: ReadonlySet<string>): boolean {
  return name.endsWith(CANDIDATE) || !all.has(name.replace(/\.lock.*$/u, ENDING))
}

function createJournal(file: string, lock: Lock, previous: JournalEntry | undefined): Journal {
  let handle: FileHandle | undefined
  let writing = Promise.resolve()
  const append = (value: unknown): Promise<void> => {
    const written = writing.then(() => handle?.appendFile(`${JSON.stringify(value)}\n`))
    writing = written.catch(() => {})
    return written
  }
  async function close(): Promise<void> {
    await writing
    await handle?.close()
    handle = undefined
  }
  const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW
  return {
    previous,
    async begin(head) {
      await rm(file, {force: true})
      handle = await open(file, flags | constants.O_EXCL, 0o600)
      await append(head)
      await handle.datasync()
    },
    async resume() {
      handle = await open(file, flags, 0o600)
      // The line that a kill tore must not swallow the next one.
      await handle.appendFile('\n')
    },
    add: append,
    async release() {
      await close()
      await lock.release()
    },
    async remove() {
      await close()
      await rm(file, {force: true})
      await lock.release()
    },
  }
}

function nameOf({store, target, path}: UploadIdentity): string {
  return createHash('sha256')
    .update([store, formatTarget(target), path].join('\0'))
    .digest('hex')
    .slice(0, 40)
}

function refuse({target}: UploadIdentity, {pid, host}: Holder): Failure {
  return new Failure(
    'busy',
    `Process ${pid} on ${host} is uploading to ${printable(formatTarget(target))} from this file already.`,
    {
      suggestion: 'Let it end, or stop it; then run the same command again.',
    },
  )
}
