import {fillWindow} from './body.ts'
import type {Body} from './body.ts'

/** Bytes in memory as a body. */
export function bufferBody(given: Uint8Array): Body {
  const bytes = Buffer.isBuffer(given) ? given : Buffer.from(given.buffer, given.byteOffset, given.byteLength)
  return {
    size: bytes.length,
    bytes,
    read(into, position) {
      const piece = bytes.subarray(position, position + into.length)
      into.set(piece)
      return piece.length
    },
  }
}

/** Up to here a body is read once, summed and sent from memory. */
export const SMALL_BODY = 64 * 1024

/**
 * Returns a small body with its bytes in memory, in `room` where that is given, and any other as it is; without a promise
 * where nothing has to be read. Fails what the body fails.
 */
export function loadSmall(body: Body, room?: Buffer): Body | Promise<Body> {
  if (body.bytes !== undefined || body.size > SMALL_BODY) return body
  const read = fillWindow(body, room?.subarray(0, body.size) ?? Buffer.allocUnsafeSlow(body.size), 0)
  return read instanceof Promise ? read.then(bufferBody) : bufferBody(read)
}
