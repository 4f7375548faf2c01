import {Failure} from '../core/failure.ts'
import {printable} from '../core/printable.ts'
import type {Call, ObjectStore, Target} from '../stores/store.ts'
import {compareBytes} from '../upload/compare-bytes.ts'
import {openFile} from '../upload/source.ts'
import type {Source} from '../upload/source.ts'
import {sumBody} from '../upload/verify.ts'
import {readReceipt, sha256File} from './receipt-file.ts'
import type {Receipt} from './receipt-file.ts'

export interface VerifyResult {
  /** What told: `crc32`, `md5`, `every byte` or `the receipt`. */
  readonly by: string
  readonly size: number
  readonly etag?: string
}

export interface VerifyFlags {
  readonly download?: boolean
  readonly receipt?: string | undefined
}

/** Compares a file with an object, and both with a receipt where one is given. Fails `integrity`, `unsupported`. */
export async function verifyFile(
  path: string,
  target: Target,
  store: ObjectStore,
  {download = false, receipt: receiptPath}: VerifyFlags,
  call: Call,
): Promise<VerifyResult> {
  const receipt = receiptPath === undefined ? undefined : await readReceipt(receiptPath)
  const source = await openFile(path)
  try {
    if (receipt !== undefined) await compareReceipt(source, receipt, call.signal)
    if (download) {
      await compareBytes(source, target, store, 4, call, () => {})
      return {by: 'every byte', size: source.size}
    }
    const hint = receipt === undefined || receipt.partSize === 0 ? {} : {partSize: receipt.partSize}
    const {by, info} = await store.compare(target, source.body({offset: 0, size: source.size}), hint, call)
    await source.check()
    if (by !== undefined) return {by, size: info.size, etag: info.etag}
    if (receipt !== undefined && receipt.etag === info.etag)
      return {by: 'the receipt', size: info.size, etag: info.etag}
    throw new Failure(
      'unsupported',
      `The checksums that the store keeps of "${target.container}/${target.key}" do not tell.`,
      {
        suggestion: 'Compare every byte with --download.',
      },
    )
  } finally {
    await source.close()
  }
}

async function compareReceipt(source: Source, receipt: Receipt, signal: AbortSignal): Promise<void> {
  const differs = (how: string): Failure =>
    new Failure('integrity', `"${printable(source.path)}" is not the file of the receipt: ${how}.`, {
      suggestion: 'Find the file that was uploaded.',
    })
  if (receipt.size !== source.size) throw differs(`it has ${source.size} bytes, the receipt says ${receipt.size}`)
  if (receipt.sha256 !== undefined && (await sha256File(source.path)) !== receipt.sha256)
    throw differs('the SHA-256 differs')
  if (receipt.crc32 === undefined) return
  const {crc32} = await sumBody(source.body({offset: 0, size: source.size}), signal)
  if (crc32 !== receipt.crc32) throw differs('the CRC-32 differs')
}
