import type {Answer} from '../protocol/answer.ts'
import {encryptionHeaders, readAttributes} from '../protocol/attributes.ts'
import {writeCheck} from '../protocol/conditions.ts'
import {checksumHeaders} from '../protocol/digests.ts'
import type {House, S3Request} from '../protocol/handler.ts'
import {receiveSegment} from '../protocol/receive.ts'
import {commitObject} from '../storage/objects.ts'

export async function putObject(request: S3Request, house: House): Promise<Answer> {
  const {storage} = house
  const bucket = storage.bucket(request.bucket)
  const attributes = readAttributes(request.headers)
  const check = writeCheck(request.headers)
  // Asked before the body comes, to spare it, and again when the object is put in place.
  check?.(bucket.objects.get(request.key))
  const {slices, durable, size, md5, checksums} = await receiveSegment(request, storage.segments)
  const record = {
    ...attributes,
    key: request.key,
    size,
    etag: md5,
    modified: Date.now(),
    checksums,
    checksumType: 'FULL_OBJECT' as const,
    slices,
  }
  await commitObject(storage, bucket, record, {durable, ...(check && {check})})
  return {
    status: 200,
    headers: {etag: `"${md5}"`, ...checksumHeaders(checksums, 'FULL_OBJECT'), ...encryptionHeaders(attributes)},
  }
}
