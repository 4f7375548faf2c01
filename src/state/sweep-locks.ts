import {readdir, rm, stat} from 'node:fs/promises'
import {join} from 'node:path'
import {Failure} from '../core/failure.ts'
import {CANDIDATE, readHolder, removeStale} from './lock.ts'
import {isRunning} from './process-identity.ts'

/** A candidate lives for an instant: one that is empty, and so old, belongs to nobody. */
const OLD = 60_000

/**
 * Clears away what processes that died while they took or gave back a lock left in a folder. `isOver` says of a file
 * whether its lock can be of no use any more. What cannot be cleared away stays; nothing fails for it.
 */
export async function sweepLocks(
  folder: string,
  isOver: (name: string, all: ReadonlySet<string>) => boolean,
): Promise<void> {
  const all = new Set(await readdir(folder).catch(() => []))
  for (const name of all) {
    if (/\.lock(?:\.|$)/u.test(name) && isOver(name, all)) await sweep(join(folder, name)).catch(() => {})
  }
}

async function sweep(path: string): Promise<void> {
  const holder = await readHolder(path)
  if (holder === undefined) return
  const isDead = (await isRunning(holder)) === false
  if (!path.endsWith(CANDIDATE)) {
    if (isDead) await removeStale(path, holder, () => new Failure('busy', 'Somebody else sweeps.'))
    return
  }
  const isEmpty = holder.pid === 0 && Date.now() - (await stat(path)).mtimeMs > OLD
  if (isDead || isEmpty) await rm(path, {force: true})
}
