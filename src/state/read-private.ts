import {closeSync, constants, fstatSync, openSync, readFileSync} from 'node:fs'
import type {Stats} from 'node:fs'
import {open} from 'node:fs/promises'
import type {FileHandle} from 'node:fs/promises'
import {Failure} from '../core/failure.ts'

/** Reads a file that this person wrote, or undefined where none is. Fails `config` for a link or somebody else's file. */
export async function readPrivate(path: string): Promise<string | undefined> {
  const handle = await openPrivate(path)
  try {
    return await handle?.readFile('utf8')
  } finally {
    await handle?.close()
  }
}

/** The same for the few places that cannot wait. */
export function readPrivateSync(path: string): string | undefined {
  let fd
  try {
    fd = openSync(path, FLAGS)
  } catch (error) {
    return explain(error, path)
  }
  try {
    check(fstatSync(fd), path)
    return readFileSync(fd, 'utf8')
  } finally {
    closeSync(fd)
  }
}

/** Opens a file that this person wrote, or returns undefined where none is. Fails `config` as `readPrivate`. */
export async function openPrivate(path: string): Promise<FileHandle | undefined> {
  let handle
  try {
    handle = await open(path, FLAGS)
  } catch (error) {
    return explain(error, path)
  }
  try {
    check(await handle.stat(), path)
    return handle
  } catch (error) {
    await handle.close()
    throw error
  }
}

/** Not to wait for somebody to write into a pipe. */
const FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)

function explain(error: unknown, path: string): undefined {
  const {code} = error as NodeJS.ErrnoException
  if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
  if (code === 'ELOOP') throw new Failure('config', `${path} is a link; none is followed here.`, {cause: error})
  throw error
}

function check(stat: Stats, path: string): void {
  if (!stat.isFile()) throw new Failure('config', `${path} is not a file.`)
  if (process.getuid !== undefined && stat.uid !== process.getuid()) {
    throw new Failure('config', `${path} belongs to somebody else.`)
  }
}
