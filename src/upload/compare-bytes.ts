import {Failure, isFailure} from '../core/failure.ts'
import {printable} from '../core/printable.ts'
import type {ByteRange, Call, ObjectStore, Target} from '../stores/store.ts'
import {MIB} from '../core/sizes.ts'
import type {Source} from './source.ts'

const RANGE = 16 * MIB

/**
 * Reads an object in ranges, several at once, and compares every byte with the file. A store without ranges, or one that
 * does not say how long the object is, is read in one stream. Fails `integrity` at the first byte that differs.
 */
export async function compareBytes(
  source: Source,
  target: Target,
  store: Pick<ObjectStore, 'head' | 'read'>,
  concurrency: number,
  call: Call,
  onCompared: (bytes: number) => void,
): Promise<void> {
  const {size} = await store.head(target, {signal: call.signal})
  if (size >= 0 && size !== source.size) throw differs(target, `it has ${size} bytes, the file ${source.size}`)
  const compare = createCompare(source, target, store, onCompared)
  const isCompared = size >= 0 && (await compareRanges(compare, size, concurrency, call))
  if (!isCompared) await compare(undefined, call.signal)
  await source.check()
}

type Compare = (range: ByteRange | undefined, signal: AbortSignal) => Promise<void>

function createCompare(
  source: Source,
  target: Target,
  store: Pick<ObjectStore, 'read'>,
  onCompared: (bytes: number) => void,
): Compare {
  let compared = 0
  return async (range, signal) => {
    const {offset, size} = range ?? {offset: 0, size: source.size}
    const body = source.body({offset, size})
    let position = 0
    const onBytes = async (theirs: Buffer): Promise<void> => {
      const ours = Buffer.allocUnsafe(Math.min(theirs.length, size - position))
      const count = await body.read(ours, position)
      if (count !== theirs.length || !ours.equals(theirs)) {
        const at = theirs.findIndex((byte, index) => index >= count || byte !== ours[index])
        throw differs(target, `byte ${offset + position + Math.max(0, at)} is the first that differs`)
      }
      position += theirs.length
      compared += theirs.length
      onCompared(compared)
    }
    await store.read(target, range, onBytes, {signal})
    if (position !== size) throw differs(target, `it ends at byte ${offset + position}`)
  }
}

/** Returns false where the store has no ranges. */
async function compareRanges(compare: Compare, size: number, concurrency: number, call: Call): Promise<boolean> {
  const own = new AbortController()
  const signal = AbortSignal.any([call.signal, own.signal])
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < size) {
      const offset = next
      next += RANGE
      await compare({offset, size: Math.min(RANGE, size - offset)}, signal)
    }
  }
  try {
    await Promise.all(Array.from({length: concurrency}, worker))
    return true
  } catch (error) {
    own.abort(error)
    if (isFailure(error, 'unsupported')) return false
    throw error
  }
}

function differs({container, key}: Target, how: string): Failure {
  const name = printable(`${container}/${key}`)
  return new Failure('integrity', `"${name}" is not the same as the file: ${how}.`, {
    suggestion: 'Upload the file again.',
  })
}
