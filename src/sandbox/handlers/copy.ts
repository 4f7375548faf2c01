import {createHash} from 'node:crypto'
import {xmlAnswer} from '../protocol/answer.ts'
import type {Answer} from '../protocol/answer.ts'
import {encryptionHeaders, readAcl, readAttributes, readTags} from '../protocol/attributes.ts'
import {checkRead, writeCheck} from '../protocol/conditions.ts'
import {formatXmlDate} from '../protocol/dates.ts'
import {Digests} from '../protocol/digests.ts'
import {S3Error} from '../protocol/errors.ts'
import type {House, S3Request} from '../protocol/handler.ts'
import {parseRange} from '../protocol/ranges.ts'
import type {Range} from '../protocol/ranges.ts'
import {MAX_PUT} from '../protocol/receive.ts'
import {checkKey} from '../protocol/request.ts'
import {decodeUri} from '../protocol/uri.ts'
import type {XmlField} from '../protocol/xml-write.ts'
import {commitObject, findObject} from '../storage/objects.ts'
import type {ChecksumAlgorithm, ObjectRecord, Slice} from '../storage/records.ts'
import type {Segments} from '../storage/segments.ts'
import {commitPart, findUpload} from '../storage/upload.ts'
import {readPartNumber} from './multipart.ts'

const CONDITIONS = 'x-amz-copy-source-'

function findSource(request: S3Request, house: House): {bucket: string; record: ObjectRecord} {
  const [path = '', version] = (request.headers.get('x-amz-copy-source') ?? '').split('?versionId=')
  const decoded = decodeUri(path).replace(/^\//u, '')
  const slash = decoded.indexOf('/')
  if (slash < 1 || slash === decoded.length - 1) {
    throw new S3Error('InvalidArgument', 'Copy Source must mention the source bucket and key: sourcebucket/sourcekey')
  }
  if (version !== undefined && version !== 'null') throw new S3Error('NoSuchVersion')
  const [bucket, key] = [decoded.slice(0, slash), decoded.slice(slash + 1)]
  checkKey(key)
  const record = findObject(house.storage.bucket(bucket), key)
  if (checkRead(request.headers, record, CONDITIONS) === 'not-modified') throw new S3Error('PreconditionFailed')
  return {bucket, record}
}

/** Copies without reading: both objects hold the same segments. */
export async function copyObject(request: S3Request, house: House): Promise<Answer> {
  const {storage} = house
  const bucket = storage.bucket(request.bucket)
  const source = findSource(request, house)
  const check = writeCheck(request.headers)
  const directive = readDirective(request, 'x-amz-metadata-directive')
  if (source.bucket === request.bucket && source.record.key === request.key && directive === 'COPY') {
    throw new S3Error(
      'InvalidRequest',
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
    )
  }
  const {size, etag, checksums, checksumType, slices, parts} = source.record
  const asked = readAttributes(request.headers)
  const record: ObjectRecord = {
    headers: directive === 'REPLACE' ? asked.headers : {...source.record.headers, ...storageHeaders(asked.headers)},
    tags:
      readDirective(request, 'x-amz-tagging-directive') === 'REPLACE'
        ? readTags(request.headers.get('x-amz-tagging'))
        : source.record.tags,
    acl: readAcl(request.headers),
    key: request.key,
    size,
    etag,
    modified: Date.now(),
    checksums,
    checksumType,
    slices,
    ...(parts && {parts}),
  }
  storage.segments.retain(slices)
  await commitObject(storage, bucket, record, check && {check})
  return xmlAnswer('CopyObjectResult', describeCopy(record), encryptionHeaders(record))
}

// Class and encryption belong to the copy, not to what is copied.
function storageHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => /^x-amz-(?:storage-class|server-side)/u.test(name)),
  )
}

function readDirective(request: S3Request, header: string): 'COPY' | 'REPLACE' {
  const directive = request.headers.get(header)?.toUpperCase() ?? 'COPY'
  if (directive !== 'COPY' && directive !== 'REPLACE')
    throw new S3Error('InvalidArgument', undefined, {ArgumentName: header, ArgumentValue: directive})
  return directive
}

function describeCopy(copy: Pick<ObjectRecord, 'modified' | 'etag' | 'checksums'>): XmlField[] {
  return [
    ['LastModified', formatXmlDate(copy.modified)],
    ['ETag', `"${copy.etag}"`],
    ...Object.entries(copy.checksums).map(([name, value]): XmlField => [`Checksum${name.toUpperCase()}`, value]),
  ]
}

/** Makes a part of a run of an object: reads it for its digests, and holds the same segments. */
export async function copyPart(request: S3Request, house: House): Promise<Answer> {
  const {storage} = house
  storage.bucket(request.bucket)
  const number = readPartNumber(request)
  const upload = findUpload(storage, request.bucket, request.key, request.query.get('uploadId') ?? '')
  const {record} = findSource(request, house)
  const range = readCopyRange(request, record.size)
  if (range.size > MAX_PUT) throw new S3Error('EntityTooLarge')
  const slices = cutSlices(record.slices, range)
  storage.segments.retain(slices)
  const {algorithm} = upload.record
  let digests: Awaited<ReturnType<typeof digest>>
  try {
    digests = await digest(storage.segments, slices, range.size, algorithm)
  } catch (error) {
    storage.segments.release(slices)
    throw error
  }
  const part = {number, size: range.size, modified: Date.now(), slices, ...digests}
  await commitPart(storage, upload, part)
  return xmlAnswer('CopyPartResult', describeCopy(part), encryptionHeaders(upload.record))
}

function readCopyRange(request: S3Request, size: number): Range {
  const header = request.headers.get('x-amz-copy-source-range')
  if (header === undefined) return {offset: 0, size}
  const match = /^bytes=(\d+)-(\d+)$/u.exec(header)
  if (match === null || Number(match[2]) >= size) {
    throw new S3Error('InvalidArgument', `Range specified is not valid for source object of size: ${size}`, {
      ArgumentName: 'x-amz-copy-source-range',
      ArgumentValue: header,
    })
  }
  return parseRange(header, size) ?? {offset: 0, size}
}

function cutSlices(slices: readonly Slice[], range: Range): Slice[] {
  const cut: Slice[] = []
  let at = 0
  for (const {file, start, size} of slices) {
    const from = Math.max(range.offset, at)
    const to = Math.min(range.offset + range.size, at + size)
    if (to > from) cut.push({file, start: start + from - at, size: to - from})
    at += size
  }
  return cut
}

async function digest(
  segments: Segments,
  slices: readonly Slice[],
  size: number,
  algorithm: ChecksumAlgorithm | undefined,
) {
  const digests = new Digests(algorithm ? [algorithm] : [])
  const md5 = createHash('md5')
  for await (const piece of segments.read(slices, 0, size)) {
    md5.update(piece)
    digests.update(piece)
  }
  return {etag: md5.digest('hex'), checksums: Object.fromEntries(digests.finish())}
}
