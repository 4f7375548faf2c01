import {MIB} from '../../core/sizes.ts'
import {xmlAnswer} from '../protocol/answer.ts'
import type {Answer} from '../protocol/answer.ts'
import {encryptionHeaders} from '../protocol/attributes.ts'
import {writeCheck} from '../protocol/conditions.ts'
import {isChecksumAlgorithm, readChecksums} from '../protocol/digests.ts'
import {receiveXml} from '../protocol/documents.ts'
import {S3Error} from '../protocol/errors.ts'
import type {House, S3Request} from '../protocol/handler.ts'
import {joinChecksums, joinEtags} from '../protocol/join-checksums.ts'
import {encodePath} from '../protocol/uri.ts'
import {commitObject} from '../storage/objects.ts'
import type {ChecksumAlgorithm, Checksums, ObjectRecord, PartRecord} from '../storage/records.ts'
import {closeGate, findUpload, forgetUpload} from '../storage/upload.ts'
import type {Upload} from '../storage/upload.ts'

const MIN_PART = 5 * MIB

/** What a Complete says about one part. */
interface Claim {
  readonly number: number
  readonly etag: string
  readonly checksums: Checksums
}

export async function completeUpload(request: S3Request, house: House): Promise<Answer> {
  const {storage} = house
  const bucket = storage.bucket(request.bucket)
  const uploadId = request.query.get('uploadId') ?? ''
  const root = await receiveXml(withoutChecksum(request), 'CompleteMultipartUpload')
  const claims = root.children
    .filter(each => each.name === 'Part')
    .map(part => readClaim(part.children.map(each => [each.name, each.text])))
  if (claims.length === 0 || claims.length > 10_000) throw new S3Error('MalformedXML')
  try {
    const upload = findUpload(storage, request.bucket, request.key, uploadId)
    return await closeGate(storage, upload, async () => {
      const parts = checkParts(upload, claims)
      const record = joinParts(request, upload, parts)
      storage.segments.retain(record.slices)
      const check = writeCheck(request.headers)
      await commitObject(storage, bucket, record, check && {check})
      await forgetUpload(storage, upload)
      return completed(request, record)
    })
  } catch (error) {
    // The answer to the first Complete was lost, and the client asks again: the object says that it is done.
    const record = bucket.objects.get(request.key)
    if (error instanceof S3Error && error.code === 'NoSuchUpload' && record?.uploadId === uploadId)
      return completed(request, record)
    throw error
  }
}

// Here the checksum header states that of the object, not of this request's body.
function withoutChecksum(request: S3Request): S3Request {
  return {...request, headers: new Map([...request.headers].filter(([name]) => !name.startsWith('x-amz-checksum-')))}
}

function readClaim(fields: readonly (readonly [string, string])[]): Claim {
  const values = new Map(fields)
  const number = values.get('PartNumber')?.trim() ?? ''
  const etag = values.get('ETag')?.trim().replaceAll('"', '') ?? ''
  if (!/^\d{1,5}$/u.test(number) || etag === '') throw new S3Error('MalformedXML')
  const checksums: Partial<Record<ChecksumAlgorithm, string>> = {}
  for (const [name, value] of fields) {
    const algorithm = name.startsWith('Checksum') ? name.slice('Checksum'.length).toLowerCase() : ''
    if (isChecksumAlgorithm(algorithm)) checksums[algorithm] = value.trim()
  }
  return {number: Number(number), etag, checksums}
}

function checkParts(upload: Upload, claims: readonly Claim[]): PartRecord[] {
  let previous = 0
  for (const {number} of claims) {
    if (number <= previous) throw new S3Error('InvalidPartOrder', undefined, {UploadId: upload.record.uploadId})
    previous = number
  }
  return claims.map(({number, etag, checksums}, index) => {
    const part = upload.parts.get(number)
    const differs = Object.entries(checksums).some(
      ([name, value]) => (part?.checksums[name as ChecksumAlgorithm] ?? value) !== value,
    )
    if (part === undefined || part.etag !== etag || differs) {
      throw new S3Error('InvalidPart', undefined, {
        UploadId: upload.record.uploadId,
        PartNumber: String(number),
        ETag: etag,
      })
    }
    if (part.size < MIN_PART && index < claims.length - 1) {
      throw new S3Error('EntityTooSmall', undefined, {
        PartNumber: String(number),
        ProposedSize: String(part.size),
        MinSizeAllowed: String(MIN_PART),
        ETag: etag,
      })
    }
    return part
  })
}

function joinParts(request: S3Request, upload: Upload, parts: readonly PartRecord[]): ObjectRecord {
  const {algorithm, checksumType = 'FULL_OBJECT', uploadId, key, headers, tags, acl} = upload.record
  const size = parts.reduce((sum, part) => sum + part.size, 0)
  const stated = request.headers.get('x-amz-mp-object-size')
  if (stated !== undefined && Number(stated) !== size) {
    throw new S3Error(
      'InvalidRequest',
      `The provided 'x-amz-mp-object-size' header value ${stated} does not match what was computed: ${size}`,
    )
  }
  const checksums = algorithm ? joinChecksums(algorithm, checksumType, parts) : {}
  checkWhole(request, checksums)
  return {
    headers,
    tags,
    acl,
    key,
    size,
    etag: joinEtags(parts),
    modified: Date.now(),
    checksums,
    checksumType,
    slices: parts.flatMap(part => part.slices),
    uploadId,
    parts: parts.map(part => ({number: part.number, size: part.size, ...(algorithm && {checksums: part.checksums})})),
  }
}

function checkWhole(request: S3Request, checksums: Checksums): void {
  const headers = new Map([...request.headers].map(([name, value]) => [name, value.replace(/-\d+$/u, '')] as const))
  for (const [name, value] of Object.entries(readChecksums(headers))) {
    const ours = checksums[name as ChecksumAlgorithm]
    if (ours === undefined) {
      throw new S3Error('InvalidRequest', `The upload was created without a ${name.toUpperCase()} checksum.`)
    }
    if (ours.replace(/-\d+$/u, '') !== value) {
      throw new S3Error('BadDigest', `The ${name} you specified did not match the calculated checksum.`)
    }
  }
}

function completed(request: S3Request, record: ObjectRecord): Answer {
  const location = `http://${request.headers.get('host')}/${encodePath(`${request.bucket}/${record.key}`)}`
  const checksums = Object.entries(record.checksums).map(
    ([name, value]) => [`Checksum${name.toUpperCase()}`, value] as const,
  )
  return xmlAnswer(
    'CompleteMultipartUploadResult',
    [
      ['Location', location],
      ['Bucket', request.bucket],
      ['Key', record.key],
      ['ETag', `"${record.etag}"`],
      ...checksums,
      checksums.length > 0 ? ['ChecksumType', record.checksumType] : undefined,
    ],
    encryptionHeaders(record),
  )
}
