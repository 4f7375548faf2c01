import {createHash} from 'node:crypto'
import {crc32} from 'node:zlib'
import {combineCrc32, crc32ToBase64} from '../../core/crc32.ts'
import type {ChecksumAlgorithm, Checksums, ChecksumType, PartRecord} from '../storage/records.ts'

/** The ETag of a multipart object: the MD5 of its parts' MD5s, and how many there are. */
export function joinEtags(parts: readonly PartRecord[]): string {
  const md5 = createHash('md5')
  for (const part of parts) md5.update(part.etag, 'hex')
  return `${md5.digest('hex')}-${parts.length}`
}

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
/** Makes the checksum of an object from those of its parts, without reading it. */
export function joinChecksums(
  algorithm: ChecksumAlgorithm,
  type: ChecksumType,
  parts: readonly PartRecord[],
): Checksums {
  const values = parts.map(part => Buffer.from(part.checksums[algorithm] ?? '', 'base64'))
  if (type === 'FULL_OBJECT') {
    const whole = parts.reduce(
      (crc, part, index) => combineCrc32(crc, values[index]?.readUInt32BE(0) ?? 0, part.size),
      0,
    )
    return {[algorithm]: crc32ToBase64(whole)}
  }
  const all = Buffer.concat(values)
  const joined = algorithm === 'crc32' ? crc32ToBase64(crc32(all)) : createHash(algorithm).update(all).digest('base64')
  return {[algorithm]: `${joined}-${parts.length}`}
}
