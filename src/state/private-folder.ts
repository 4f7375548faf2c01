import {lstat, mkdir} from 'node:fs/promises'
import {Failure} from '../core/failure.ts'

/**
 * Makes a folder that is only ours, in one that is there; there already is success. Fails `config` for a link, which
 * could lead what is written to any place, and for somebody else's folder.
 */
export async function makePrivateFolder(path: string): Promise<void> {
  // Not recursive: that says ENOENT of a read-only file system.
  await mkdir(path, {mode: 0o700}).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  })
  const stat = await lstat(path)
  if (!stat.isDirectory()) throw new Failure('config', `${path} is a link or a file; a folder is wanted.`)
  if (isForeign(stat)) throw new Failure('config', `${path} belongs to somebody else.`)
}

/** True for what another person made. Root works in the folders of all, as in a container over a mounted one. */
export function isForeign({uid}: {readonly uid: number}): boolean {
  const own = process.getuid?.()
  return own !== undefined && own !== 0 && uid !== own
}
