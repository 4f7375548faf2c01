import {randomFillSync} from 'node:crypto'
import {mkdir, open, statfs, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'

const BLOCK = 16 * 1024 * 1024

/** A folder with room for `bytes`: in memory where it can be, so that no disk is measured. */
export async function findRoom(bytes: number): Promise<string> {
  for (const folder of ['/dev/shm', tmpdir()]) {
    const free = await statfs(folder).then(
      found => found.bavail * found.bsize,
      () => 0,
    )
    if (free > bytes * 1.1) return folder
  }
  throw new Error(`Neither /dev/shm nor ${tmpdir()} has room for a file of ${bytes} bytes.`)
}

/** Random bytes. */
export async function makeFile(path: string, size: number): Promise<void> {
  const file = await open(path, 'w')
  const block = Buffer.allocUnsafe(Math.min(BLOCK, size))
  for (let left = size; left > 0; left -= block.length) {
    const piece = randomFillSync(block).subarray(0, Math.min(left, block.length))
    await file.writeFile(piece)
  }
  await file.close()
}

/** `count` files of random bytes; returns their names. */
export async function makeFolder(path: string, count: number, size: number): Promise<string[]> {
  await mkdir(path)
  const names = Array.from({length: count}, (_, index) => `file-${String(index).padStart(5, '0')}`)
  for (const name of names) await writeFile(join(path, name), randomFillSync(Buffer.allocUnsafe(size)))
  return names
}
