import {GIB} from '../../core/sizes.ts'
import type {ChecksumAlgorithm, Checksums, Slice} from '../storage/records.ts'
import type {Segments} from '../storage/segments.ts'
import {checkChecksumForm, Digests, parseAlgorithm, readChecksums} from './digests.ts'
import {S3Error} from './errors.ts'
import type {Payload} from './payload.ts'
import type {Headers} from './request.ts'

export const MAX_PUT = 5 * GIB

/** What is known about a body when it has been read and every check has passed. */
export interface Received {
  readonly size: number
  /** In hex. */
  readonly md5: string
  readonly checksums: Checksums
}

/** A body that stands in segments. The hold on the slices is the receiver's. */
export interface Stored extends Received {
  readonly slices: readonly Slice[]
  readonly durable: Promise<void>
}

interface Body {
  readonly headers: Headers
  readonly payload: Payload
}

/**
 * Reads a body, hands on its pieces and checks everything that the request says about it. What is wrong with the
 * headers alone is refused before the first byte is read.
 */
export async function receive(
  body: Body,
  maxSize: number,
  wanted: readonly ChecksumAlgorithm[],
  write: (piece: Buffer) => Promise<void> | void,
): Promise<Received> {
  const {headers, payload} = body
  if (payload.size !== undefined && payload.size > maxSize) {
    throw new S3Error('EntityTooLarge', undefined, {
      ProposedSize: String(payload.size),
      MaxSizeAllowed: String(maxSize),
    })
  }
  const md5 = readContentMd5(headers)
  const stated = readChecksums(headers)
  const trailing = readTrailerNames(headers)
  const kept = new Set([...(Object.keys(stated) as ChecksumAlgorithm[]), ...trailing, ...wanted])
  const digests = new Digests(['md5', ...kept, ...(payload.sha256 === undefined ? [] : ['sha256' as const])])
  let size = 0
  for await (const piece of payload.pieces()) {
    size += piece.length
    if (size > maxSize)
      throw new S3Error('EntityTooLarge', undefined, {ProposedSize: String(size), MaxSizeAllowed: String(maxSize)})
    digests.update(piece)
    await write(piece)
  }
  if (payload.size !== undefined && size !== payload.size) throw new S3Error('IncompleteBody')
  const values = digests.finish()
  if (payload.sha256 !== undefined && toHex(values.get('sha256')) !== payload.sha256)
    throw new S3Error('XAmzContentSHA256Mismatch')
  if (md5 !== undefined && values.get('md5') !== md5)
    throw new S3Error('BadDigest', 'The Content-MD5 you specified did not match what we received.')
  const checksums = Object.fromEntries([...kept].map(name => [name, values.get(name) ?? ''])) as Checksums
  for (const [name, value] of Object.entries({...stated, ...readTrailers(payload, trailing)})) {
    if (checksums[name as ChecksumAlgorithm] !== value) {
      throw new S3Error('BadDigest', `The ${name.toUpperCase()} you specified did not match the calculated checksum.`)
    }
  }
  return {size, md5: toHex(values.get('md5')), checksums}
}

/** Receives the body of a PUT into segments. Fails `MissingContentLength`, and as `storeSegment`. */
export async function receiveSegment(
  body: Body,
  segments: Segments,
  wanted: readonly ChecksumAlgorithm[] = [],
): Promise<Stored> {
  if (body.headers.has('transfer-encoding') && !body.headers.has('x-amz-decoded-content-length')) {
    throw new S3Error(
      'NotImplemented',
      'A header you provided implies functionality that is not implemented: Transfer-Encoding.',
    )
  }
  if (body.payload.size === undefined) throw new S3Error('MissingContentLength')
  return storeSegment(body, segments, wanted, MAX_PUT)
}

/** Writes a body to segments while it comes; whatever fails, nothing is left of it. */
export async function storeSegment(
  body: Body,
  segments: Segments,
  wanted: readonly ChecksumAlgorithm[],
  maxSize: number,
): Promise<Stored> {
  const writer = segments.write()
  try {
    const received = await receive(body, maxSize, wanted, async piece => writer.write(piece))
    const {slices, durable} = await writer.finish()
    segments.retain(slices)
    return {...received, slices, durable}
  } catch (error) {
    await writer.discard()
    throw error
  }
}

/** Receives a document; one that is too long fails `MaxMessageLengthExceeded`. */
export async function receiveText(body: Body, maxSize = 1024 * 1024): Promise<string> {
  const pieces: Buffer[] = []
  if ((body.payload.size ?? 0) > maxSize) throw new S3Error('MaxMessageLengthExceeded')
  await receive(body, maxSize, [], piece => {
    pieces.push(piece)
  })
  return Buffer.concat(pieces).toString('utf8')
}

function readContentMd5(headers: Headers): string | undefined {
  const value = headers.get('content-md5')
  if (
    value !== undefined &&
    (Buffer.from(value, 'base64').length !== 16 || Buffer.from(value, 'base64').toString('base64') !== value)
  ) {
    throw new S3Error('InvalidDigest')
  }
  return value
}

function readTrailerNames(headers: Headers): ChecksumAlgorithm[] {
  const names = (headers.get('x-amz-trailer') ?? '').split(',').map(name => name.trim().toLowerCase())
  return names
    .filter(name => name !== '')
    .map(name => {
      if (!name.startsWith('x-amz-checksum-'))
        throw new S3Error('InvalidRequest', 'The value specified in the x-amz-trailer header is not supported')
      return parseAlgorithm(name.slice('x-amz-checksum-'.length))
    })
}

function readTrailers(payload: Payload, names: readonly ChecksumAlgorithm[]): Checksums {
  const found: Partial<Record<ChecksumAlgorithm, string>> = {}
  for (const name of names) {
    const value = payload.trailers.get(`x-amz-checksum-${name}`)
    if (value === undefined)
      throw new S3Error('InvalidRequest', 'The trailer that x-amz-trailer announces did not come.')
    checkChecksumForm(name, value)
    found[name] = value
  }
  return found
}

function toHex(base64: string | undefined): string {
  return Buffer.from(base64 ?? '', 'base64').toString('hex')
}
