import {fillWindow} from './body.ts'
import type {Body} from './body.ts'

/** Bytes in memory as a body, and how many are free right before them. */
export function bufferBody(given: Uint8Array, headroom = 0): Body {
  const bytes = Buffer.isBuffer(given) ? given : Buffer.from(given.buffer, given.byteOffset, given.byteLength)
  return {
    size: bytes.length,
    bytes,
    headroom,
    read(into, position) {
      const piece = bytes.subarray(position, position + into.length)
      into.set(piece)
      return piece.length
    },
  }
}

/** Up to here a body is read once, summed and sent from memory. */
export const SMALL_BODY = 64 * 1024

/** A room has more bytes than its body by so many: most heads of requests are shorter. */
export const HEADROOM = 2048

/**
 * Returns a small body with its bytes in memory, in `room` where that is given, and any other as it is; without a promise
 * where nothing has to be read. Fails what the body fails.
 */
export function loadSmall(body: Body, room?: Buffer): Body | Promise<Body> {
  if (body.bytes !== undefined || body.size > SMALL_BODY) return body
  const headroom = room === undefined ? 0 : HEADROOM
  const window = room?.subarray(headroom, headroom + body.size) ?? Buffer.allocUnsafeSlow(body.size)
  const read = fillWindow(body, window, 0)
  return read instanceof Promise ? read.then(bytes => bufferBody(bytes, headroom)) : bufferBody(read, headroom)
}
