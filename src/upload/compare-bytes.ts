import {Failure} from '../core/failure.ts'
import {printable} from '../core/printable.ts'
import type {Call, ObjectStore, Target} from '../stores/store.ts'
import {MIB} from '../core/sizes.ts'
import type {Source} from './source.ts'

const RANGE = 16 * MIB

/** Reads an object in ranges, several at once, and compares every byte with the file. Fails `integrity` at the first that differs. */
export async function compareBytes(
  source: Source,
  target: Target,
  store: Pick<ObjectStore, 'head' | 'read'>,
  concurrency: number,
  call: Call,
  onCompared: (bytes: number) => void,
): Promise<void> {
  const own = new AbortController()
  const signal = AbortSignal.any([call.signal, own.signal])
  const {size} = await store.head(target, {signal})
  if (size !== source.size) throw differs(target, `it has ${size} bytes, the file ${source.size}`)
  let next = 0
  let compared = 0

  async function compareRange(offset: number): Promise<void> {
    const length = Math.min(RANGE, size - offset)
    const body = source.body({offset, size: length})
    let position = 0
    const onBytes = async (theirs: Buffer): Promise<void> => {
      const ours = Buffer.allocUnsafe(theirs.length)
      const count = await body.read(ours, position)
      if (count !== theirs.length || !ours.equals(theirs)) {
        const at = theirs.findIndex((byte, index) => byte !== ours[index])
        throw differs(target, `byte ${offset + position + Math.max(0, at)} is the first that differs`)
      }
      position += theirs.length
      compared += theirs.length
      onCompared(compared)
    }
    await store.read(target, {offset, size: length}, onBytes, {signal})
    if (position !== length) throw differs(target, `it ends at byte ${offset + position}`)
  }

  const worker = async (): Promise<void> => {
    while (next < size) {
      const offset = next
      next += RANGE
      await compareRange(offset)
    }
  }
  try {
    await Promise.all(Array.from({length: concurrency}, worker))
  } catch (error) {
    own.abort(error)
    throw error
  }
  await source.check()
}

function differs({container, key}: Target, how: string): Failure {
  const name = printable(`${container}/${key}`)
  return new Failure('integrity', `"${name}" is not the same as the file: ${how}.`, {
    suggestion: 'Upload the file again.',
  })
}
