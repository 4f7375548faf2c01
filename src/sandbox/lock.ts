import {randomBytes} from 'node:crypto'
import {link, rm, unlink, writeFile} from 'node:fs/promises'
import {Failure} from '../core/failure.ts'
import {identifyThisProcess, isRunning} from './process-identity.ts'
import type {ProcessIdentity} from './process-identity.ts'
import {readState} from './state-file.ts'

/** Who holds a lock; the token is this holding's own. */
export interface Holder extends ProcessIdentity {
  readonly token: string
}

export interface Lock {
  release(): Promise<void>
}

/**
 * Takes the lock at a path; fails `busy` while the process that holds it runs, and takes over from one that died.
 * The file appears with its content at once (by link), so nobody ever reads half of it.
 */
export async function takeLock(path: string): Promise<Lock> {
  const token = randomBytes(8).toString('hex')
  const mine: Holder = {...(await identifyThisProcess()), token}
  const candidate = `${path}.${token}.new`
  await writeFile(candidate, JSON.stringify(mine), {flag: 'wx', mode: 0o600})
  try {
    for (;;) {
      if (await tryLink(candidate, path)) return {release: async () => releaseLock(path, token)}
      const holder = await readHolder(path)
      if (holder === undefined) continue
      if (await isRunning(holder)) {
        throw new Failure('busy', `Another sandbox uses this folder already (process ${holder.pid}).`)
      }
      await removeStale(path, holder)
    }
  } finally {
    await rm(candidate, {force: true})
  }
}

/** Returns who holds the lock, or undefined; a holder that died counts. */
export async function readHolder(path: string): Promise<Holder | undefined> {
  return readState<Holder>(path)
}

async function tryLink(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

// Two processes may both find the same dead holder. The right to remove it is a lock of its own, named after the
// holding, under which one looks again: the slower one must not remove the lock that the faster one took since.
async function removeStale(path: string, holder: Holder): Promise<void> {
  const right = await takeLock(`${path}.${holder.token.slice(0, 16)}`)
  try {
    const now = await readHolder(path)
    if (now?.token === holder.token) await unlink(path)
  } finally {
    await right.release()
  }
}

async function releaseLock(path: string, token: string): Promise<void> {
  const holder = await readHolder(path)
  if (holder?.token === token) await rm(path, {force: true})
}
