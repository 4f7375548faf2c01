import {createHash} from 'node:crypto'
import {crc32} from 'node:zlib'
import {formatCrc32} from '../core/crc32.ts'
import {Failure} from '../core/failure.ts'
import {printable} from '../core/printable.ts'
import type {Body, PartPlan, PartReceipt} from '../stores/store.ts'
import {partOf} from './plan.ts'
import type {Source} from './source.ts'

const WINDOW = 256 * 1024

export interface BodySums {
  readonly crc32: string
  readonly md5?: string
}

/** Returns the CRC-32 of a body, and its MD5 where wished, in hex, reading it through one small buffer. */
export async function sumBody(body: Body, signal: AbortSignal, withMd5 = false): Promise<BodySums> {
  const window = Buffer.allocUnsafe(Math.min(WINDOW, Math.max(1, body.size)))
  const md5 = withMd5 ? createHash('md5') : undefined
  let crc = 0
  for (let position = 0; position < body.size;) {
    signal.throwIfAborted()
    const count = await body.read(window, position)
    if (count === 0) break
    const bytes = window.subarray(0, count)
    crc = crc32(bytes, crc)
    md5?.update(bytes)
    position += count
  }
  return {crc32: formatCrc32(crc), ...(md5 === undefined ? {} : {md5: md5.digest('hex')})}
}

/** Reads every part again and compares it with what was sent. Fails `source-changed`. */
export async function verifySource(
  source: Source,
  plan: PartPlan,
  receipts: readonly PartReceipt[],
  signal: AbortSignal,
): Promise<void> {
  for (const {number, crc32: sent} of receipts) {
    if ((await sumBody(source.body(partOf(plan, number)), signal)).crc32 !== sent) {
      const message = `"${printable(source.path)}" changed while it was uploaded: other bytes in part ${number}.`
      throw new Failure('source-changed', message)
    }
  }
}
