import type {Body} from '../../../src/stores/store.ts'

/** Gives other bytes at every second reading, as a wire does that damages what was summed before. */
export function fickleBody(bytes: Uint8Array): Body {
  let readings = 0
  return {
    size: bytes.length,
    read(into, position) {
      if (position === 0) readings++
      const piece = Buffer.from(bytes.subarray(position, position + into.length))
      if (position === 0 && readings % 2 === 0) piece[0] = (piece[0] ?? 0) ^ 1
      into.set(piece)
      return Promise.resolve(piece.length)
    },
  }
}
