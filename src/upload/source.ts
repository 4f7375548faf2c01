import {close, closeSync, constants, fstat, fstatSync, open, openSync, readSync, stat, statSync} from 'node:fs'
import type {BigIntStats} from 'node:fs'
import {promisify} from 'node:util'
import {Failure} from '../core/failure.ts'
import {isOutOfHandles, tooManyOpen} from '../core/open-handles.ts'
import {printable} from '../core/printable.ts'
import type {Body, ByteRange} from '../stores/store.ts'
import {quickCall} from './quick-calls.ts'
import {createReader} from './read-file.ts'
import type {ReadAt} from './read-file.ts'

/** What makes a file the same file; times are nanoseconds since 1970. */
export interface FileIdentity {
  readonly size: number
  readonly mtimeNs: string
  readonly ctimeNs: string
  readonly inode: string
}

/** A file that is read at any position while it is watched for changes. */
export interface Source {
  readonly path: string
  readonly size: number
  readonly identity: FileIdentity
  body(range: ByteRange): Body
  /**
   * Compares the file with what it was. `touched` means that only its ctime differs: a chmod or a new hard link, most
   * likely, so its bytes must be compared before they are trusted. Fails `source-changed`. Without a promise where the
   * system answers at once.
   */
  check(): Check | Promise<Check>
  close(): void | Promise<void>
}

export type Check = 'same' | 'touched'

/** A FIFO without a writer would hold the opening; no regular file minds. Windows does not know the word. */
const FLAGS = constants.O_RDONLY | ((constants as Partial<typeof constants>).O_NONBLOCK ?? 0)

const EXACT = {bigint: true} as const

interface Opened {
  readonly fd: number
  readonly stats: BigIntStats
}

const inPool = {
  open: promisify(open),
  stat: promisify(stat) as (path: string, options: typeof EXACT) => Promise<BigIntStats>,
  fstat: promisify(fstat) as (fd: number, options: typeof EXACT) => Promise<BigIntStats>,
}

/** Fails `usage` for what is not a file, and as the system does. */
const openFd = quickCall(
  (path: string): Opened => {
    const fd = openSync(path, FLAGS)
    try {
      return {fd, stats: checkEmpty(fd, checkRegular(fstatSync(fd, EXACT), path), path)}
    } catch (error) {
      closeSync(fd)
      throw error
    }
  },
  async path => {
    const fd = await inPool.open(path, FLAGS)
    try {
      return {fd, stats: checkEmpty(fd, checkRegular(await inPool.fstat(fd, EXACT), path), path)}
    } catch (error) {
      closeSync(fd)
      throw error
    }
  },
)
const closeFd = quickCall(closeSync, promisify(close))
const statPath = quickCall(
  (path: string): BigIntStats => statSync(path, EXACT),
  path => inPool.stat(path, EXACT),
)

/**
 * Opens a file for upload. As a prefix, the file may grow: the bytes that are there now are the object, compared once
 * more before the end. Fails `not-found`, `forbidden`, or `usage` for what is not a file. Without a promise where the
 * system answers at once.
 */
export function openFile(path: string, isPrefix = false): Source | Promise<Source> {
  const fail = (error: unknown): never => {
    throw sourceFailure(error, path)
  }
  const open = (opened: Opened): Source => createSource(opened, path, isPrefix)
  try {
    const opened = openFd(path)
    return opened instanceof Promise ? opened.then(open, fail) : open(opened)
  } catch (error) {
    return fail(error)
  }
}

function createSource({fd, stats}: Opened, path: string, isPrefix: boolean): Source {
  const identity = identify(stats)
  const readAt = createReader(fd)
  const compare = (now: BigIntStats): Check => compareStats(stats, now, path, isPrefix)
  const fail = (error: unknown): never => {
    throw changed(path, 'it is gone', error)
  }

  return {
    path,
    size: identity.size,
    identity,
    body: range => fileBody(readAt, fd, range, path),
    // By its path: a link or a folder on the way to it may lead to another file, of which this one shows nothing.
    check() {
      let now: BigIntStats | Promise<BigIntStats>
      try {
        now = statPath(path)
      } catch (error) {
        return fail(error)
      }
      return now instanceof Promise ? now.then(compare, fail) : compare(now)
    },
    close: () => closeFd(fd),
  }
}

/** Fails as `openFile` would, without opening: `not-found`, `forbidden`, `usage`. */
export async function identifyFile(path: string): Promise<FileIdentity> {
  try {
    return identify(checkRegular(await statPath(path), path))
  } catch (error) {
    throw sourceFailure(error, path)
  }
}

/** Returns the size of a file. Fails as `identifyFile` does. */
export async function checkFile(path: string): Promise<number> {
  return (await identifyFile(path)).size
}

/** Not their identities: to write each as text takes as long as to ask the system. */
function compareStats(before: BigIntStats, now: BigIntStats, path: string, isPrefix: boolean): Check {
  if (now.ino !== before.ino || now.dev !== before.dev) throw changed(path, 'another file has taken its place')
  if (isPrefix && now.size >= before.size) return now.ctimeNs === before.ctimeNs ? 'same' : 'touched'
  if (now.size !== before.size) throw changed(path, now.size > before.size ? 'it grew' : 'it became shorter')
  if (now.mtimeNs !== before.mtimeNs) throw changed(path, 'it was written to')
  return now.ctimeNs === before.ctimeNs ? 'same' : 'touched'
}

function identify(stats: BigIntStats): FileIdentity {
  return {
    size: Number(stats.size),
    mtimeNs: String(stats.mtimeNs),
    ctimeNs: String(stats.ctimeNs),
    inode: `${stats.dev}:${stats.ino}`,
  }
}

function fileBody(readAt: ReadAt, fd: number, {offset, size}: ByteRange, path: string): Body {
  return {
    size,
    file: {fd, offset},
    read(into, position) {
      const fail = (error: unknown): never => {
        throw sourceFailure(error, path)
      }
      const wanted = Math.min(into.length, size - position)
      try {
        const got = readAt(into, wanted, offset + position)
        return typeof got === 'number'
          ? checkRead(got, wanted, path)
          : got.then(count => checkRead(count, wanted, path), fail)
      } catch (error) {
        return fail(error)
      }
    },
  }
}

/** Not in the words of `changed`: in `verify` nothing is uploaded. */
function checkRead(got: number, wanted: number, path: string): number {
  if (got === wanted) return got
  throw new Failure('source-changed', `"${printable(path)}" became shorter while it was read.`)
}

function changed(path: string, how: string, cause?: unknown): Failure {
  return new Failure('source-changed', `"${printable(path)}" changed while it was uploaded: ${how}.`, {cause})
}

function checkRegular(stats: BigIntStats, path: string): BigIntStats {
  if (stats.isFile()) return stats
  const name = printable(path)
  if (stats.isDirectory()) {
    throw new Failure('usage', `"${name}" is a folder.`, {
      suggestion: 'Upload what is in it with -r; a list of files names files only (find -type f).',
    })
  }
  throw new Failure('usage', `"${name}" is not a regular file.`)
}

function sourceFailure(error: unknown, path: string): Failure {
  if (error instanceof Failure) return error
  const {code, message} = error as NodeJS.ErrnoException
  const name = printable(path)
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new Failure('not-found', `There is no file "${name}".`, {cause: error, suggestion: 'Check the name.'})
  }
  if (code === 'ENAMETOOLONG') {
    return new Failure('usage', `"${name}" is too long a path for this system.`, {cause: error})
  }
  if (code === 'ELOOP') {
    const message = `The symbolic link "${name}" leads nowhere.`
    return new Failure('not-found', message, {cause: error, suggestion: 'Mend or remove it.'})
  }
  if (code === 'EACCES' || code === 'EPERM') {
    return new Failure('forbidden', `"${name}" may not be read by you.`, {cause: error, suggestion: 'Check its mode.'})
  }
  if (isOutOfHandles(code)) return tooManyOpen(`"${name}" cannot be read`, error)
  if (code === 'EISDIR') return new Failure('usage', `"${name}" is a folder.`, {cause: error})
  return new Failure('source-changed', `"${name}" cannot be read: ${message}.`, {
    cause: error,
    suggestion: 'Check the disk or the network that it lies on.',
  })
}

/** Files of the system, as in /proc, say that they are empty and are not. One that was just written to is seen as changed. */
function checkEmpty(fd: number, stats: BigIntStats, path: string): BigIntStats {
  if (stats.size > 0n || readSync(fd, Buffer.alloc(1), 0, 1, 0) === 0 || fstatSync(fd).size > 0) return stats
  throw new Failure('usage', `"${printable(path)}" has no size of its own: the system makes it while it is read.`, {
    suggestion: 'Send it as a stream: cat FILE | skylift upload - TARGET',
  })
}
