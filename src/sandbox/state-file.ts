import {dirname} from 'node:path'
import {Failure} from '../core/failure.ts'
import {readPrivate} from '../state/read-private.ts'
import {replaceFile, syncFolder} from './storage/durable.ts'

/** Reads a JSON file of the sandbox, or undefined where none is. Fails `config` for a link or a file that is not JSON. */
export async function readState<T>(path: string): Promise<T | undefined> {
  const text = await readPrivate(path)
  if (text === undefined) return undefined
  try {
    return JSON.parse(text) as T
  } catch (error) {
    throw new Failure('config', `${path} is damaged.`, {
      cause: error,
      suggestion: 'Remove it; the sandbox makes a new one.',
    })
  }
}

/** Writes a JSON file that only its owner may read. */
export async function writeState(path: string, value: unknown): Promise<void> {
  await replaceFile(path, JSON.stringify(value))
  await syncFolder(dirname(path))
}
