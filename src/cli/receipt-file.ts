import {createHash} from 'node:crypto'
import {open, readFile} from 'node:fs/promises'
import {Failure} from '../core/failure.ts'
import {formatTarget} from '../core/target.ts'
import {openAnew} from '../state/open-anew.ts'
import type {PartReceipt} from '../stores/store.ts'
import type {StoredItem} from '../upload/transfer.ts'

/** What is needed to verify an object for ever: of the file, of the object, of every part. */
export interface Receipt {
  readonly version: 1
  readonly target: string
  readonly size: number
  readonly etag: string
  readonly crc32?: string
  readonly md5?: string
  readonly sha256?: string
  readonly versionId?: string
  /** 0: it went whole. */
  readonly partSize: number
  readonly parts: readonly PartReceipt[]
  /** ISO 8601. */
  readonly uploaded: string
}

export function makeReceipt({stored, plan, receipts}: StoredItem, sha256: string | undefined): Receipt {
  const {target, size, etag, crc32, md5, versionId} = stored
  return {
    version: 1,
    target: formatTarget(target),
    size,
    etag,
    ...(crc32 === undefined ? {} : {crc32}),
    ...(md5 === undefined ? {} : {md5}),
    ...(sha256 === undefined ? {} : {sha256}),
    ...(versionId === undefined ? {} : {versionId}),
    partSize: plan.count === 0 ? 0 : plan.partSize,
    parts: receipts,
    uploaded: new Date().toISOString(),
  }
}

/** Writes a receipt anew; never through a link. Fails `config`. */
export async function writeReceipt(path: string, receipt: Receipt): Promise<void> {
  try {
    const handle = await openAnew(path, {isSecret: false})
    try {
      await handle.writeFile(`${JSON.stringify(receipt, null, 2)}\n`)
    } finally {
      await handle.close()
    }
  } catch (error) {
    throw new Failure('config', `The receipt "${path}" cannot be written; the object itself is stored.`, {cause: error})
  }
}

/** Reads a receipt. Fails `usage` for what is none. */
export async function readReceipt(path: string): Promise<Receipt> {
  try {
    const value = JSON.parse(await readFile(path, 'utf8')) as Partial<Receipt>
    const {version, size, etag, partSize, parts} = value
    const isWhole = version === 1 && Number.isSafeInteger(size) && typeof etag === 'string' && isReceipts(parts)
    if (isWhole && Number.isSafeInteger(partSize)) return value as Receipt
  } catch (error) {
    throw new Failure('usage', `"${path}" cannot be read as a receipt.`, {cause: error})
  }
  throw new Failure('usage', `"${path}" is not a receipt of an upload.`)
}

function isReceipts(value: unknown): boolean {
  const isReceipt = (each: Partial<PartReceipt> | null): boolean =>
    Number.isSafeInteger(each?.number) &&
    Number.isSafeInteger(each?.size) &&
    typeof each?.etag === 'string' &&
    typeof each.crc32 === 'string'
  return Array.isArray(value) && value.every(isReceipt)
}

export async function sha256File(path: string): Promise<string> {
  const hash = createHash('sha256')
  const handle = await open(path, 'r')
  try {
    for await (const piece of handle.createReadStream({highWaterMark: 1024 * 1024})) hash.update(piece as Buffer)
    return hash.digest('hex')
  } finally {
    await handle.close()
  }
}
