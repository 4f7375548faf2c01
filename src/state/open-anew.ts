import {constants} from 'node:fs'
import {open} from 'node:fs/promises'
import type {FileHandle} from 'node:fs/promises'
import {Failure} from '../core/failure.ts'

/**
 * Opens a file to write it anew: never through a link, and never somebody else's, who could go on writing in it. With
 * `isSecret` nobody else may read it, whatever mode it had. Fails `config`, and as `open`.
 */
export async function openAnew(path: string, {isSecret}: {readonly isSecret: boolean}): Promise<FileHandle> {
  const {O_CREAT, O_WRONLY, O_NOFOLLOW} = constants
  const handle = await open(path, O_CREAT | O_WRONLY | (O_NOFOLLOW ?? 0), isSecret ? 0o600 : 0o644).catch(
    async (error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ELOOP') return openStream(path, error)
      throw error
    },
  )
  try {
    const stat = await handle.stat()
    // A device (/dev/null) or a pipe takes what comes, and is nobody's in this sense.
    if (!stat.isFile()) return handle
    if (process.getuid !== undefined && stat.uid !== process.getuid()) {
      throw new Failure('config', 'It belongs to somebody else.')
    }
    if (isSecret && (stat.mode & 0o077) !== 0) await handle.chmod(0o600)
    await handle.truncate(0)
    return handle
  } catch (error) {
    await handle.close()
    throw error
  }
}

/** Links to pipes are how a shell names them: `>(jq .)` is /dev/fd/63. Fails with what was said of the link for a file. */
async function openStream(path: string, refusal: unknown): Promise<FileHandle> {
  const handle = await open(path, constants.O_WRONLY)
  if (!(await handle.stat()).isFile()) return handle
  await handle.close()
  throw refusal
}
