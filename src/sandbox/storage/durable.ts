import {randomBytes} from 'node:crypto'
import {constants} from 'node:fs'
import {open, rename, rm} from 'node:fs/promises'
import {grouped} from './grouped.ts'

/** Files of the sandbox are only ever made anew and never through a link. */
export const CREATE = constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY | constants.O_NOFOLLOW
export const READ = constants.O_RDONLY | constants.O_NOFOLLOW
/** The ending of files that are not yet what they will be; the next start removes them. */
export const UNFINISHED = '.tmp'

const folders = new Map<string, () => Promise<void>>()

async function syncNow(path: string): Promise<void> {
  const handle = await open(path, constants.O_RDONLY)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Makes the names in a folder durable; callers at the same time share one fsync. */
export async function syncFolder(path: string): Promise<void> {
  let sync = folders.get(path)
  if (sync === undefined) {
    sync = grouped(async () => syncNow(path))
    folders.set(path, sync)
  }
  return sync()
}

export function forgetFolder(path: string): void {
  folders.delete(path)
}

/**
 * Puts a file in place whole: a crash leaves the old or the new one. `ready` is what must be durable first. The name
 * itself is durable after `syncFolder`.
 */
export async function replaceFile(path: string, text: string, ready?: Promise<unknown>): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}${UNFINISHED}`
  try {
    const handle = await open(temporary, CREATE, 0o600)
    try {
      await handle.writeFile(text)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await ready
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, {force: true})
    throw error
  }
}
