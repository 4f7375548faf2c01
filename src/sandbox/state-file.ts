import {constants} from 'node:fs'
import {open, rm} from 'node:fs/promises'
import {dirname} from 'node:path'
import {Failure} from '../core/failure.ts'
import {replaceFile, syncFolder} from './storage/durable.ts'

/** Reads a JSON file of the sandbox, or undefined where none is. Fails `config` for a link or a file that is not JSON. */
export async function readState<T>(path: string): Promise<T | undefined> {
  let handle
  try {
    handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  } catch (error) {
    const {code} = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return undefined
    if (code === 'ELOOP') throw new Failure('config', `${path} is a link; the sandbox follows none.`, {cause: error})
    throw error
  }
  try {
    const stat = await handle.stat()
    if (!stat.isFile()) throw new Failure('config', `${path} is not a file.`)
    if (process.getuid !== undefined && stat.uid !== process.getuid()) {
      throw new Failure('config', `${path} belongs to somebody else.`)
    }
    return JSON.parse(await handle.readFile('utf8')) as T
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw new Failure('config', `${path} is damaged.`, {
      cause: error,
      suggestion: 'Remove it; the sandbox makes a new one.',
    })
  } finally {
    await handle.close()
  }
}

/** Writes a JSON file that only its owner may read. */
export async function writeState(path: string, value: unknown): Promise<void> {
  await replaceFile(path, JSON.stringify(value))
  await syncFolder(dirname(path))
}

export async function removeState(path: string): Promise<void> {
  await rm(path, {force: true})
}
