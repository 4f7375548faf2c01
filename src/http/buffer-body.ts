import type {Body} from '../core/body.ts'

/** Bytes in memory as a body. */
export function bufferBody(bytes: Uint8Array): Body {
  return {
    size: bytes.length,
    read(into, position) {
      const piece = bytes.subarray(position, position + into.length)
      into.set(piece)
      return Promise.resolve(piece.length)
    },
  }
}
