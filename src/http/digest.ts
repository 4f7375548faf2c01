import {createHash} from 'node:crypto'
import {crc32} from 'node:zlib'
import type {Body} from '../core/body.ts'
import {fillWindow, giveWindows, takeWindows, WINDOW} from './windows.ts'

/** Reads a body once, window by window. Fails what the body fails, or `signal.reason`. */
export async function readBody(body: Body, onBytes: (bytes: Buffer) => void, signal: AbortSignal): Promise<void> {
  const windows = takeWindows()
  try {
    const [window] = windows.pair
    for (let position = 0; position < body.size;) {
      signal.throwIfAborted()
      const wanted = Math.min(WINDOW, body.size - position)
      const bytes = await fillWindow(body, window.subarray(0, wanted), position)
      onBytes(bytes)
      position += bytes.length
    }
  } finally {
    giveWindows(windows)
  }
}

/** Returns the CRC-32 of a body. */
export async function crc32Body(body: Body, signal: AbortSignal): Promise<number> {
  let crc = 0
  await readBody(body, bytes => void (crc = crc32(bytes, crc)), signal)
  return crc
}

/** Returns the CRC-32 and the MD5 of a body from one reading; `md5` is binary. */
export async function digestBody(body: Body, signal: AbortSignal): Promise<{crc: number; md5: Buffer}> {
  const md5 = createHash('md5')
  let crc = 0
  await readBody(
    body,
    bytes => {
      crc = crc32(bytes, crc)
      md5.update(bytes)
    },
    signal,
  )
  return {crc, md5: md5.digest()}
}
