import {formatCrc32} from '../../core/crc32.ts'
import type {ChecksumMode, ObjectInfo, PartReceipt, Session, StoredObject} from '../store.ts'
import {damaged, multipartEtag, saysMd5, wholeCrc32} from './checksum.ts'

/** True where what stands at the key is made of these parts; undefined where neither the size nor a checksum tells. */
export function isOurs(found: ObjectInfo, {size}: Session, receipts: readonly PartReceipt[]): boolean | undefined {
  if (found.size >= 0 && found.size !== size) return false
  const crc = wholeCrc32(receipts)
  if (saysMd5(found.etag, multipartEtag(receipts))) return true
  return crc === undefined || found.crc32 === undefined ? undefined : found.crc32 === formatCrc32(crc)
}

/** Compares what the store says of the finished object with our receipts. */
export function judge(
  session: Session,
  receipts: readonly PartReceipt[],
  etag: string,
  theirs: string | undefined,
  partsBy: ChecksumMode,
): StoredObject {
  const {target, size} = session
  const crc = wholeCrc32(receipts)
  const crc32 = crc === undefined ? undefined : formatCrc32(crc)
  if (theirs !== undefined && crc32 !== undefined && theirs !== crc32) throw damaged(target)
  // Without a word on the whole, every part was still checked on its own, and the store took their list.
  const by =
    theirs !== undefined && crc32 !== undefined ? 'crc32' : saysMd5(etag, multipartEtag(receipts)) ? 'md5' : partsBy
  return {target, size, etag, ...(crc32 === undefined ? {} : {crc32}), verified: {by}}
}
