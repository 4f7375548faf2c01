import {randomBytes} from 'node:crypto'
import {open, unlink} from 'node:fs/promises'
import {join} from 'node:path'
import {READ} from './durable.ts'
import type {Slice} from './records.ts'
import {SegmentWriter} from './segment-writer.ts'

const READ_SIZE = 512 * 1024

/**
 * The bytes of all objects and parts, in files that never change. Who holds slices holds their files: a file goes when
 * the last holder lets go, so an overwrite never disturbs a reader, and a copy costs nothing.
 */
export class Segments {
  readonly #folder: string
  readonly #holders = new Map<string, number>()
  #removals: Promise<void> = Promise.resolve()

  constructor(folder: string) {
    this.#folder = folder
  }

  write(): SegmentWriter {
    return new SegmentWriter(this.#folder, randomBytes(16).toString('hex'))
  }

  retain(slices: readonly Slice[]): void {
    for (const {file} of slices) this.#holders.set(file, (this.#holders.get(file) ?? 0) + 1)
  }

  release(slices: readonly Slice[]): void {
    for (const {file} of slices) {
      const holders = (this.#holders.get(file) ?? 1) - 1
      if (holders > 0) this.#holders.set(file, holders)
      else {
        this.#holders.delete(file)
        this.#remove(file)
      }
    }
  }

  // One at a time: removing a thousand files at once would leave no thread to those who write. What cannot be removed
  // now is a leftover, and the next start removes it.
  #remove(file: string): void {
    this.#removals = this.#removals.then(async () => unlink(join(this.#folder, file)).catch(() => undefined))
  }

  isHeld(file: string): boolean {
    return this.#holders.has(file)
  }

  /** Ends when all that was let go is removed. */
  async settled(): Promise<void> {
    await this.#removals
  }

  /** Reads `size` bytes from `offset` on; the caller holds the slices while it reads. */
  async *read(slices: readonly Slice[], offset: number, size: number): AsyncGenerator<Buffer> {
    let skip = offset
    let left = size
    for (const slice of slices) {
      if (left === 0) return
      if (skip >= slice.size) {
        skip -= slice.size
        continue
      }
      const count = Math.min(slice.size - skip, left)
      yield* this.#readFile(slice.file, slice.start + skip, count)
      left -= count
      skip = 0
    }
  }

  async *#readFile(file: string, start: number, size: number): AsyncGenerator<Buffer> {
    const handle = await open(join(this.#folder, file), READ)
    try {
      for (let at = 0; at < size;) {
        const buffer = Buffer.allocUnsafe(Math.min(READ_SIZE, size - at))
        const {bytesRead} = await handle.read(buffer, 0, buffer.length, start + at)
        if (bytesRead === 0) throw new Error('A segment of the sandbox is shorter than its record says.')
        at += bytesRead
        yield buffer.subarray(0, bytesRead)
      }
    } finally {
      await handle.close()
    }
  }
}
