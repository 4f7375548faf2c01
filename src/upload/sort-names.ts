import {tmpdir} from 'node:os'
import {Failure, isFailure} from '../core/failure.ts'
import {mergeSorted} from './merge-sorted.ts'
import {createSpillFile} from './spill-file.ts'
import type {SpillFile} from './spill-file.ts'

/** So many stay in memory, some 10 MB; a folder or list of more goes through the disk. */
const MOST = 100_000
const WINDOW = 64 * 1024

/** A name whose characters stand for bytes (latin1): JavaScript then compares as the stores do. */
interface Name {
  readonly order: string
}

/**
 * Sorts names, which come and go some at a time, by their bytes in flat memory, however many there are. Beyond `most` they
 * are sorted in runs, which lie in a file of the temporary folder until they are merged. Fails `config` when that is full.
 */
export async function* sortNames(
  pages: AsyncIterable<readonly string[]>,
  most = MOST,
): AsyncGenerator<readonly string[]> {
  const runs: Run[] = []
  let spill: SpillFile | undefined
  let isTooMany = false
  let end = 0
  let held: string[] = []
  try {
    for await (const page of pages) {
      for (const name of page) held.push(name)
      if (held.length < most) continue
      isTooMany = true
      spill ??= await createSpillFile(tmpdir())
      const bytes = Buffer.from(held.sort().map(writeName).join(''), 'latin1')
      held = []
      await spill.write(bytes)
      runs.push({offset: end, size: bytes.length})
      end += bytes.length
    }
    held.sort()
    if (spill === undefined) {
      if (held.length > 0) yield held
      return
    }
    const file = spill
    const streams = [...runs.map(run => readRun(file, run)), inOrder(held)]
    for await (const {order} of mergeSorted<Name>(streams)) yield [order]
  } catch (error) {
    if (!isFailure(error, 'config') || !isTooMany) throw error
    const message = `The names of what to upload are too many for memory, and cannot be sorted in "${tmpdir()}".`
    throw new Failure('config', message, {cause: error, suggestion: 'Name a folder on a larger disk in TMPDIR.'})
  } finally {
    await spill?.close()
  }
}

interface Run {
  readonly offset: number
  readonly size: number
}

/** A name may hold a line feed. */
function writeName(name: string): string {
  return `${JSON.stringify(name)}\n`
}

async function* inOrder(names: readonly string[]): AsyncGenerator<Name> {
  for (const order of names) yield {order}
}

async function* readRun(spill: SpillFile, {offset, size}: Run): AsyncGenerator<Name> {
  let rest = ''
  for (let position = offset; position < offset + size;) {
    const window = Buffer.allocUnsafe(Math.min(WINDOW, offset + size - position))
    const count = await spill.read(window, position)
    if (count === 0) throw new Failure('config', 'The temporary file is shorter than what was written.')
    position += count
    const lines = (rest + window.toString('latin1', 0, count)).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) yield {order: JSON.parse(line) as string}
  }
}
