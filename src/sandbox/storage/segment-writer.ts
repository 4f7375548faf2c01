import {open, rm} from 'node:fs/promises'
import type {FileHandle} from 'node:fs/promises'
import {join} from 'node:path'
import {CREATE, syncFolder} from './durable.ts'
import type {Slice} from './records.ts'

const BATCH = 1024 * 1024

/** Writes one new segment; the disk works while the next pieces come in. Nothing is on the disk before the first byte. */
export class SegmentWriter {
  readonly #folder: string
  readonly #file: string
  #handle: FileHandle | undefined
  #waiting: Buffer[] = []
  #waitingSize = 0
  #writing: Promise<void> = Promise.resolve()
  #size = 0

  constructor(folder: string, file: string) {
    this.#folder = folder
    this.#file = file
  }

  get size(): number {
    return this.#size + this.#waitingSize
  }

  async write(piece: Buffer): Promise<void> {
    this.#waiting.push(piece)
    this.#waitingSize += piece.length
    if (this.#waitingSize >= BATCH) await this.#flush()
  }

  /** Ends the segment and returns its slices at once; `durable` settles when the disk has it all. */
  async finish(): Promise<{slices: readonly Slice[]; durable: Promise<void>}> {
    await this.#flush()
    await this.#writing
    const handle = this.#handle
    if (handle === undefined) return {slices: [], durable: Promise.resolve()}
    const durable = (async () => {
      try {
        await Promise.all([handle.datasync(), syncFolder(this.#folder)])
      } finally {
        await handle.close()
      }
    })()
    // Whoever commits awaits it; a refusal before that must not become an unhandled rejection.
    durable.catch(() => undefined)
    return {slices: [{file: this.#file, start: 0, size: this.#size}], durable}
  }

  /** Leaves nothing behind; for a segment that was not finished. */
  async discard(): Promise<void> {
    this.#waiting = []
    await this.#writing.catch(() => undefined)
    await this.#handle?.close().catch(() => undefined)
    if (this.#handle !== undefined) await rm(join(this.#folder, this.#file), {force: true})
  }

  async #flush(): Promise<void> {
    await this.#writing
    if (this.#waitingSize === 0) return
    this.#handle ??= await open(join(this.#folder, this.#file), CREATE, 0o600)
    const [buffers, position] = [this.#waiting, this.#size]
    this.#size += this.#waitingSize
    this.#waiting = []
    this.#waitingSize = 0
    this.#writing = writeAll(this.#handle, buffers, position)
    this.#writing.catch(() => undefined)
  }
}

// A disk that fills up takes less than asked, and says why only at the next write.
async function writeAll(handle: FileHandle, buffers: readonly Buffer[], position: number): Promise<void> {
  const {bytesWritten} = await handle.writev(buffers, position)
  const total = buffers.reduce((sum, buffer) => sum + buffer.length, 0)
  if (bytesWritten === total) return
  const rest = Buffer.concat(buffers).subarray(bytesWritten)
  for (let at = 0; at < rest.length;) {
    const next = await handle.write(rest, at, rest.length - at, position + bytesWritten + at)
    at += next.bytesWritten
  }
}
