import {createHash} from 'node:crypto'
import {setImmediate} from 'node:timers/promises'
import {crc32} from 'node:zlib'
import {fillWindow} from '../core/body.ts'
import type {Body} from '../core/body.ts'
import {MIB} from '../core/sizes.ts'
import {createHashQueue} from './hash-queue.ts'
import type {FileBody, Sums, SumWish} from './hash-queue.ts'
import type {SendOptions} from './send.ts'
import {cutWindow, giveWindows, takeWindows, WINDOW} from './windows.ts'

/** A file in memory is read without the event loop ever turning: Ctrl-C and the sending get a word in so often. */
const TURN = 8 * MIB

/** Summed sooner than handed over. */
const SMALL = MIB

/** Reads a body once, window by window. Fails what the body fails, or `signal.reason`. */
export async function readBody(body: Body, onBytes: (bytes: Buffer) => void, signal: AbortSignal): Promise<void> {
  if (body.bytes !== undefined) {
    if (body.size > 0) onBytes(body.bytes)
    return
  }
  const windows = takeWindows()
  try {
    const [window] = windows.pair
    let turned = 0
    for (let position = 0; position < body.size;) {
      signal.throwIfAborted()
      if (position - turned >= TURN) {
        turned = position
        await setImmediate()
      }
      const wanted = Math.min(WINDOW, body.size - position)
      const bytes = await fillWindow(body, cutWindow(window, wanted), position)
      onBytes(bytes)
      position += bytes.length
    }
  } finally {
    giveWindows(windows)
  }
}

const queue = createHashQueue(sumHere)

async function sumHere({body, withMd5, signal}: SumWish): Promise<Sums> {
  const md5 = withMd5 ? createHash('md5') : undefined
  let crc = 0
  await readBody(
    body,
    bytes => {
      crc = crc32(bytes, crc)
      md5?.update(bytes)
    },
    signal,
  )
  return {crc, ...(md5 === undefined ? {} : {md5: md5.digest()})}
}

/** Not through `readBody`: that costs a small file 10 µs, all of it for waiting. */
function sumBytes(bytes: Buffer, withMd5: boolean): Sums {
  return {crc: crc32(bytes), ...(withMd5 ? {md5: createHash('md5').update(bytes).digest()} : {})}
}

/** Sums a body from one reading; without a promise where its bytes are in memory. Fails what the body fails. */
export function sumUp(wish: SumWish): Sums | Promise<Sums> {
  const {bytes} = wish.body
  if (bytes !== undefined) return sumBytes(bytes, wish.withMd5)
  return isLargeFile(wish.body) ? queue.sumInTurn({...wish, body: wish.body}) : sumHere(wish)
}

function isLargeFile(body: Body): body is FileBody {
  return body.file !== undefined && body.size > SMALL
}

export interface Digests {
  readonly crc: number
  /** Binary. */
  readonly md5: Buffer
}

/** Returns the CRC-32 of a body. */
export async function crc32Body(body: Body, signal: AbortSignal): Promise<number> {
  return (await sumUp({body, withMd5: false, signal})).crc
}

/** Returns the CRC-32 and the MD5 of a body from one reading. */
export async function digestBody(body: Body, signal: AbortSignal): Promise<Digests> {
  return withMd5(await sumUp({body, withMd5: true, signal}))
}

function withMd5({crc, md5 = Buffer.alloc(0)}: Sums): Digests {
  return {crc, md5}
}

/** A body on its way, and its sums, which may take longer. */
export interface Beside<T> {
  readonly sent: Promise<T>
  /** Of the whole body, whatever became of the sending. Fails what the body fails, or `signal.reason`. */
  sums(): Promise<Digests>
}

/**
 * Sums a body while `send` sends it: on another thread, which reads the file by itself, or else from the windows as they
 * leave.
 */
export function sumBeside<T>(
  body: Body,
  signal: AbortSignal,
  send: (onWindow: SendOptions['onWindow']) => Promise<T>,
): Beside<T> {
  const elsewhere = isLargeFile(body) ? queue.sumElsewhere({body, withMd5: true, signal}) : undefined
  if (elsewhere !== undefined) {
    // Who does not wait for it has been told of a failure by the sending.
    elsewhere.catch(() => {})
    return {sent: send(undefined), sums: async () => withMd5(await elsewhere)}
  }
  const windows = sumWindows()
  const sent = send(windows.add)
  if (isLargeFile(body)) queue.count({body, withMd5: true, signal}, sent)
  // What did not leave to its end was not summed to its end.
  return {sent, sums: async () => (windows.size() === body.size ? windows.sums() : digestBody(body, signal))}
}

/** Sums windows in the order in which they leave; position 0 begins anew. */
function sumWindows() {
  let md5 = createHash('md5')
  let [crc, size] = [0, 0]
  let sums: Digests | undefined
  return {
    add(bytes: Buffer, position: number): void {
      if (position === 0) [md5, crc, size] = [createHash('md5'), 0, 0]
      crc = crc32(bytes, crc)
      md5.update(bytes)
      size += bytes.length
    },
    size: () => size,
    sums: () => (sums ??= {crc, md5: md5.digest()}),
  }
}
