import {createHash} from 'node:crypto'
import type {Hash} from 'node:crypto'
import {crc32} from 'node:zlib'
import {crc32ToBase64} from '../../core/crc32.ts'
import {S3Error} from './errors.ts'
import type {Headers} from './request.ts'
import type {ChecksumAlgorithm, Checksums} from '../storage/records.ts'

const SIZES: Record<ChecksumAlgorithm, number> = {crc32: 4, sha1: 20, sha256: 32}
/** Headers of that prefix that are no checksum of the body. */
const WORDS = new Set(['algorithm', 'type', 'mode'])
const PREFIX = 'x-amz-checksum-'

export function isChecksumAlgorithm(name: string): name is ChecksumAlgorithm {
  return Object.hasOwn(SIZES, name)
}

/** Reads an algorithm's name as S3 writes it; fails `NotImplemented` for those that S3 has and this has not. */
export function parseAlgorithm(name: string): ChecksumAlgorithm {
  const lower = name.toLowerCase()
  if (isChecksumAlgorithm(lower)) return lower
  if (/^crc32c$|^crc64nvme$/u.test(lower))
    throw new S3Error('NotImplemented', `The sandbox does not compute ${name} checksums.`)
  throw new S3Error(
    'InvalidRequest',
    'Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, SHA1, SHA256]',
  )
}

/** Reads the `x-amz-checksum-*` headers that state the checksum of a body. */
export function readChecksums(headers: Headers): Checksums {
  const found: Partial<Record<ChecksumAlgorithm, string>> = {}
  for (const [name, value] of headers) {
    if (!name.startsWith(PREFIX) || WORDS.has(name.slice(PREFIX.length))) continue
    const algorithm = parseAlgorithm(name.slice(PREFIX.length))
    checkChecksumForm(algorithm, value)
    found[algorithm] = value
  }
  if (Object.keys(found).length > 1) {
    throw new S3Error(
      'InvalidRequest',
      'Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.',
    )
  }
  return found
}

export function checkChecksumForm(algorithm: ChecksumAlgorithm, value: string): void {
  const bytes = Buffer.from(value, 'base64')
  if (bytes.length !== SIZES[algorithm] || bytes.toString('base64') !== value) {
    throw new S3Error('InvalidRequest', `Value for ${PREFIX}${algorithm} header is invalid.`)
  }
}

export function checksumHeaders(checksums: Checksums, type?: string): Record<string, string> {
  const headers = Object.entries(checksums).map(([algorithm, value]) => [`${PREFIX}${algorithm}`, value] as const)
  if (headers.length > 0 && type !== undefined) headers.push(['x-amz-checksum-type', type])
  return Object.fromEntries(headers)
}

/** Several digests of one run of bytes, computed as they come. */
export class Digests {
  readonly #hashes = new Map<string, Hash>()
  readonly #withCrc32: boolean
  #crc32 = 0

  constructor(names: Iterable<'md5' | ChecksumAlgorithm>) {
    const wanted = new Set(names)
    this.#withCrc32 = wanted.delete('crc32')
    for (const name of wanted) this.#hashes.set(name, createHash(name))
  }

  update(piece: Buffer): void {
    if (this.#withCrc32) this.#crc32 = crc32(piece, this.#crc32)
    for (const hash of this.#hashes.values()) hash.update(piece)
  }

  /** Ends the digests; called once. Values are base64. */
  finish(): ReadonlyMap<string, string> {
    const values = new Map([...this.#hashes].map(([name, hash]) => [name, hash.digest('base64')] as const))
    if (this.#withCrc32) values.set('crc32', crc32ToBase64(this.#crc32))
    return values
  }
}
