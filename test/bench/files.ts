import {createHash, randomFillSync} from 'node:crypto'
import {mkdir, open, statfs, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'

const MIB = 1024 * 1024

/**
 * What every file is made of, over and over: random bytes, but the MD5 of a part depends on its size alone, as long as
 * parts begin at whole blocks. So the sink can be told the ETags that clients compare, and needs to hash nothing.
 */
const BLOCK = randomFillSync(Buffer.allocUnsafe(16 * MIB))
/** The parts that are compared: of Skylift, and of `swift upload -S 64M`. */
const PART_SIZES = [BLOCK.length, 64 * MIB]

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

export async function makeFile(path: string, size: number): Promise<void> {
  const file = await open(path, 'w')
  for (const piece of pieces(size)) await file.writeFile(piece)
  await file.close()
}

function* pieces(size: number): Generator<Buffer> {
  for (let left = size; left > 0; left -= BLOCK.length) yield BLOCK.subarray(0, Math.min(left, BLOCK.length))
}

/** Returns what the sink has to be told about parts of files of these sizes: `SIZE=MD5` each. */
export function partEtags(sizes: readonly number[]): string[] {
  const parts = new Set(sizes.flatMap(size => PART_SIZES.flatMap(part => [Math.min(part, size), size % part])))
  parts.delete(0)
  return [...parts].map(size => {
    const hash = createHash('md5')
    for (const piece of pieces(size)) hash.update(piece)
    return `${size}=${hash.digest('hex')}`
  })
}

/** `count` files of random bytes; returns their names. */
export async function makeFolder(path: string, count: number, size: number): Promise<string[]> {
  await mkdir(path)
  const names = Array.from({length: count}, (_, index) => `file-${String(index).padStart(5, '0')}`)
  for (const name of names) await writeFile(join(path, name), randomFillSync(Buffer.allocUnsafe(size)))
  return names
}
