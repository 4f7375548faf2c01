import {MIB} from '../core/sizes.ts'
import {onAbort} from '../core/signals.ts'
import type {Body} from '../stores/store.ts'
import {createSpillFile} from './spill-file.ts'
import type {SpillFile} from './spill-file.ts'

export interface SpoolOptions {
  /** Bytes to hold in memory over all pieces; what is more goes to disk. */
  readonly memory: number
  /** Where the disk is used. */
  readonly folder: string
  /** Pieces that can be sent at once. */
  readonly concurrency: number
  readonly signal: AbortSignal
}

/** Holds what was read of a stream until the store has it. */
export interface Spool {
  /** Begins a piece, as soon as fewer are held than can be sent. One is written at a time. */
  take(): Promise<Piece>
  /** Lets go of everything; may be called twice. */
  close(): Promise<void>
}

export interface Piece {
  readonly size: number
  /** Waits for room. `left` is what will come at most, these bytes among it. Fails `config` when a disk is full. */
  write(bytes: Uint8Array, left: number): Promise<void>
  /** Its bytes, from the moment when nothing more is written to the moment when it is released. */
  body(): Body
  release(): Promise<void>
}

/** Memory is taken and used again in slabs, so what is held never grows, whatever the size of a part. */
export const SLAB = MIB

/**
 * Makes a spool. Memory comes first. When it is used up, the disk is used only to give a connection something to send
 * that has nothing: while all of them are busy, whoever writes the stream waits.
 */
export function createSpool({memory, folder, concurrency, signal}: SpoolOptions): Spool {
  const free: Buffer[] = []
  const held = new Set<Piece>()
  const waiting = new Set<() => void>()
  let unused = Math.floor(memory / SLAB)

  function takeSlab(): Buffer | undefined {
    const used = free.pop()
    if (used !== undefined || unused === 0) return used
    unused--
    return Buffer.allocUnsafeSlow(SLAB)
  }

  /** Resolves when a piece has been released. */
  async function untilReleased(): Promise<void> {
    signal.throwIfAborted()
    await new Promise<void>((resolve, reject) => {
      const end = (): void => {
        waiting.delete(end)
        letGo()
        if (signal.aborted) reject(signal.reason as Error)
        else resolve()
      }
      waiting.add(end)
      const letGo = onAbort(signal, end)
    })
  }

  function createPiece(): Piece {
    const slabs: Buffer[] = []
    let inMemory = 0
    let spill: SpillFile | undefined
    let size = 0

    /** Returns where the next bytes go in memory; undefined when they go to disk. */
    async function findRoom(): Promise<Buffer | undefined> {
      if (inMemory < slabs.length * SLAB) return slabs.at(-1)?.subarray(inMemory % SLAB)
      for (;;) {
        const slab = takeSlab()
        if (slab !== undefined) {
          slabs.push(slab)
          return slab
        }
        // This piece is one of those that are held; the others are on their way.
        if (held.size - 1 < concurrency) return undefined
        await untilReleased()
      }
    }

    async function writeToDisk(bytes: Uint8Array, left: number): Promise<void> {
      spill ??= await createSpillFile(folder)
      while (!(await spill.hasRoom(left, held.size > 1))) await untilReleased()
      await spill.write(bytes)
    }

    const piece: Piece = {
      get size() {
        return size
      },
      async write(bytes, left) {
        for (let position = 0; position < bytes.length;) {
          const room = spill === undefined ? await findRoom() : undefined
          const taken = bytes.subarray(position, position + (room?.length ?? bytes.length))
          if (room === undefined) await writeToDisk(taken, left - position)
          else {
            room.set(taken)
            inMemory += taken.length
          }
          position += taken.length
          size += taken.length
        }
      },
      body: () => ({
        size,
        async read(into, position) {
          const wanted = into.subarray(0, Math.min(into.length, size - position))
          let got = 0
          while (got < wanted.length && position + got < inMemory) {
            const at = position + got
            const slab = slabs[Math.floor(at / SLAB)]?.subarray(at % SLAB, Math.min(SLAB, inMemory - at + (at % SLAB)))
            if (slab === undefined) break
            got += slab.copy(wanted, got)
          }
          if (got === wanted.length || spill === undefined) return got
          return got + (await spill.read(wanted.subarray(got), position + got - inMemory))
        },
      }),
      async release() {
        if (!held.delete(piece)) return
        free.push(...slabs.splice(0))
        await spill?.close()
        for (const wake of [...waiting]) wake()
      },
    }
    return piece
  }

  return {
    async take() {
      while (held.size > concurrency) await untilReleased()
      const piece = createPiece()
      held.add(piece)
      return piece
    },
    async close() {
      await Promise.all([...held].map(piece => piece.release()))
      free.length = 0
    },
  }
}
