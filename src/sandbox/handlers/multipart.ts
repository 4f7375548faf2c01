import {randomBytes} from 'node:crypto'
import {xmlAnswer} from '../protocol/answer.ts'
import type {Answer} from '../protocol/answer.ts'
import {encryptionHeaders, readAttributes} from '../protocol/attributes.ts'
import {checksumHeaders, parseAlgorithm} from '../protocol/digests.ts'
import {S3Error} from '../protocol/errors.ts'
import type {House, S3Request} from '../protocol/handler.ts'
import {receiveSegment} from '../protocol/receive.ts'
import type {ChecksumAlgorithm, ChecksumType} from '../storage/records.ts'
import {abortUpload, commitPart, createUpload as beginUpload, findUpload} from '../storage/upload.ts'

export const MAX_PARTS = 10_000

export async function createUpload(request: S3Request, house: House): Promise<Answer> {
  const {bucket, key, headers} = request
  house.storage.bucket(bucket)
  const attributes = readAttributes(headers)
  const name = headers.get('x-amz-checksum-algorithm')
  const algorithm = name === undefined ? undefined : parseAlgorithm(name)
  const checksumType = readChecksumType(headers.get('x-amz-checksum-type'), algorithm)
  const started = Date.now()
  // Starts with the time, so that the uploads of one key are listed in the order in which they began.
  const uploadId = started.toString(16).padStart(12, '0') + randomBytes(26).toString('hex')
  const checksum = algorithm && checksumType ? {algorithm, checksumType} : {}
  await beginUpload(house.storage, {...attributes, uploadId, bucket, key, started, ...checksum})
  return xmlAnswer(
    'InitiateMultipartUploadResult',
    [
      ['Bucket', bucket],
      ['Key', key],
      ['UploadId', uploadId],
    ],
    {
      ...encryptionHeaders(attributes),
      ...(algorithm &&
        checksumType && {'x-amz-checksum-algorithm': algorithm.toUpperCase(), 'x-amz-checksum-type': checksumType}),
    },
  )
}

function readChecksumType(
  type: string | undefined,
  algorithm: ChecksumAlgorithm | undefined,
): ChecksumType | undefined {
  if (algorithm === undefined) {
    if (type === undefined) return undefined
    throw new S3Error(
      'InvalidRequest',
      'The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.',
    )
  }
  const chosen = type?.toUpperCase() ?? 'COMPOSITE'
  if (chosen !== 'COMPOSITE' && chosen !== 'FULL_OBJECT')
    throw new S3Error('InvalidRequest', 'Value for x-amz-checksum-type header is invalid.')
  if (chosen === 'FULL_OBJECT' && algorithm !== 'crc32') {
    throw new S3Error(
      'InvalidRequest',
      `The FULL_OBJECT checksum type cannot be used with the ${algorithm} checksum algorithm.`,
    )
  }
  return chosen
}

export function readPartNumber(request: S3Request): number {
  const text = request.query.get('partNumber') ?? ''
  const number = Number(text)
  if (!/^\d{1,5}$/u.test(text) || number < 1 || number > MAX_PARTS) {
    throw new S3Error('InvalidArgument', `Part number must be an integer between 1 and ${MAX_PARTS}, inclusive`, {
      ArgumentName: 'partNumber',
      ArgumentValue: text,
    })
  }
  return number
}

export async function uploadPart(request: S3Request, house: House): Promise<Answer> {
  const {storage} = house
  storage.bucket(request.bucket)
  const number = readPartNumber(request)
  const upload = findUpload(storage, request.bucket, request.key, request.query.get('uploadId') ?? '')
  const {algorithm} = upload.record
  const {slices, durable, size, md5, checksums} = await receiveSegment(
    request,
    storage.segments,
    algorithm ? [algorithm] : [],
  )
  await commitPart(storage, upload, {number, size, etag: md5, modified: Date.now(), checksums, slices}, durable)
  return {status: 200, headers: {etag: `"${md5}"`, ...checksumHeaders(checksums), ...encryptionHeaders(upload.record)}}
}

export async function abortMultipart(request: S3Request, house: House): Promise<Answer> {
  house.storage.bucket(request.bucket)
  await abortUpload(
    house.storage,
    findUpload(house.storage, request.bucket, request.key, request.query.get('uploadId') ?? ''),
  )
  return {status: 204}
}
