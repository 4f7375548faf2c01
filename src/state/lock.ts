import {randomBytes} from 'node:crypto'
import {constants} from 'node:fs'
import {link, open, rm, stat, writeFile} from 'node:fs/promises'
import type {Failure} from '../core/failure.ts'
import {identifyThisProcess, isRunning} from './process-identity.ts'
import type {ProcessIdentity} from './process-identity.ts'
import {readPrivate} from './read-private.ts'

/** Who holds a lock; the token is this holding's own. */
export interface Holder extends ProcessIdentity {
  readonly token: string
}

export interface Lock {
  /** May be called twice. */
  release(): Promise<void>
}

/** A holder touches its lock so often; one of another machine that missed several is taken for dead. */
const BEAT = 20_000
const SILENT = 5 * BEAT
/** How a file ends that is about to become a lock. */
export const CANDIDATE = '.new'

/**
 * Takes the lock at a path; fails as `refuse` says while its holder lives, and takes over from one that died. The file
 * appears with its content at once (by link), so nobody ever reads half of it. Needs no locks of the file system.
 */
export async function takeLock(path: string, refuse: (holder: Holder) => Failure): Promise<Lock> {
  const token = randomBytes(8).toString('hex')
  const mine: Holder = {...(await identifyThisProcess()), token}
  const candidate = `${path}.${token}${CANDIDATE}`
  try {
    await writeFile(candidate, JSON.stringify(mine), {flag: 'wx', mode: 0o600})
    for (;;) {
      if (await tryCreate(candidate, path, mine)) return hold(path, token)
      const holder = await readHolder(path)
      if (holder === undefined) continue
      if (await isAlive(path, holder, candidate)) throw refuse(holder)
      await removeStale(path, holder, refuse)
    }
  } finally {
    await rm(candidate, {force: true})
  }
}

/** Returns who holds the lock, or undefined; a holder that died counts. */
export async function readHolder(path: string): Promise<Holder | undefined> {
  const text = await readPrivate(path)
  if (text === undefined) return undefined
  try {
    const {token, pid, started = '', host = '', pidNamespace = ''} = JSON.parse(text) as Partial<Holder>
    return {token: String(token), pid: Number(pid), started, host, pidNamespace}
  } catch {
    // Half written, on a file system without links, by somebody who is at it or died over it: the beat tells.
    return {token: 'damaged', pid: 0, started: '', host: '', pidNamespace: ''}
  }
}

/** Returns the holder of a lock if it lives. */
export async function findHolder(path: string): Promise<Holder | undefined> {
  const holder = await readHolder(path)
  if (holder === undefined) return undefined
  return (await isRunning(holder)) === false ? undefined : holder
}

function hold(path: string, token: string): Lock {
  const beat = setInterval(() => void touch(path).catch(() => {}), BEAT)
  beat.unref()
  return {
    async release() {
      clearInterval(beat)
      const holder = await readHolder(path)
      if (holder?.token === token) await rm(path, {force: true})
    },
  }
}

/** Sets the mtime by the clock of the file system, not by ours: every lock begins with this byte anyway. */
async function touch(path: string): Promise<void> {
  // Not through a link that somebody has put in its place since.
  const handle = await open(path, constants.O_WRONLY | (constants.O_NOFOLLOW ?? 0))
  await handle.write('{', 0).finally(async () => handle.close())
}

/** A process of this machine is asked; one of another is judged by its beat, on the clock of the file system. */
async function isAlive(path: string, holder: Holder, fresh: string): Promise<boolean> {
  const known = await isRunning(holder)
  if (known !== undefined) return known
  await touch(fresh)
  const [lock, clock] = await Promise.all([stat(path).catch(() => undefined), stat(fresh)])
  return lock !== undefined && clock.mtimeMs - lock.mtimeMs < SILENT
}

async function tryCreate(candidate: string, path: string, mine: Holder): Promise<boolean> {
  try {
    await link(candidate, path)
    return true
  } catch (error) {
    const {code} = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return false
    // Some file systems have no links; there an exclusive open must do.
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EOPNOTSUPP' && code !== 'EACCES') throw error
  }
  let handle
  try {
    handle = await open(path, 'wx', 0o600)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
  try {
    await handle.writeFile(JSON.stringify(mine)).finally(async () => handle.close())
    return true
  } catch (error) {
    await rm(path, {force: true})
    throw error
  }
}

// Two processes may both find the same dead holder. The right to remove it is a lock of its own, named after the
// holding, under which one looks again: the slower one must not remove the lock that the faster one took since.
/** Removes the lock of a holder that died; fails as `refuse` says while somebody else is about it. */
export async function removeStale(path: string, holder: Holder, refuse: (holder: Holder) => Failure): Promise<void> {
  const right = await takeLock(`${path}.${holder.token.slice(0, 16).replaceAll(/\W/gu, '_')}`, refuse)
  try {
    const now = await readHolder(path)
    if (now?.token === holder.token) await rm(path, {force: true})
  } finally {
    await right.release()
  }
}
