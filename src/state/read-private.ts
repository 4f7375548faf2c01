import {constants} from 'node:fs'
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

/** Opens a file that this person wrote, or returns undefined where none is. Fails `config` as `readPrivate`. */
export async function openPrivate(path: string): Promise<FileHandle | undefined> {
  let handle
  try {
    handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  } catch (error) {
    const {code} = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    if (code === 'ELOOP') throw new Failure('config', `${path} is a link; none is followed here.`, {cause: error})
    throw error
  }
  try {
    const stat = await handle.stat()
    if (!stat.isFile()) throw new Failure('config', `${path} is not a file.`)
    if (process.getuid !== undefined && stat.uid !== process.getuid()) {
      throw new Failure('config', `${path} belongs to somebody else.`)
    }
    return handle
  } catch (error) {
    await handle.close()
    throw error
  }
}
