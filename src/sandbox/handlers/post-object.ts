import {parseXml} from '../../core/xml.ts'
import {xmlAnswer} from '../protocol/answer.ts'
import type {Answer} from '../protocol/answer.ts'
import {encryptionHeaders, readAttributes} from '../protocol/attributes.ts'
import {checksumHeaders} from '../protocol/digests.ts'
import {S3Error} from '../protocol/errors.ts'
import {readBoundary, readForm} from '../protocol/form.ts'
import type {FilePart} from '../protocol/form.ts'
import type {House, S3Request} from '../protocol/handler.ts'
import {checkPostPolicy} from '../protocol/post-policy.ts'
import {MAX_PUT, storeSegment} from '../protocol/receive.ts'
import {checkKey, toHeaderBytes} from '../protocol/request.ts'
import {encodePath} from '../protocol/uri.ts'
import {commitObject} from '../storage/objects.ts'
import type {ObjectAttributes} from '../storage/records.ts'
import {readTagging} from './tagging.ts'

/** Fields that stand for headers of a PUT. */
const HEADER_FIELDS = /^(?:content-(?:type|disposition|encoding|language|md5)|cache-control|expires|x-amz-.+)$/u

/** Takes a browser's form upload: the signature is in the form, over its policy. The file goes to the disk as it comes. */
export async function postObject(request: S3Request, house: House): Promise<Answer> {
  const {storage} = house
  const boundary = readBoundary(request.headers.get('content-type'))
  if (boundary === undefined) {
    throw new S3Error('PreconditionFailed', 'At least one of the pre-conditions you specified did not hold', {
      Condition: 'Bucket POST must be of the enclosure-type multipart/form-data',
    })
  }
  const {fields, file} = await readForm(request.payload.pieces(), boundary)
  const key = (fields.get('key') ?? '').replaceAll('${filename}', file.name)
  if (key === '')
    throw new S3Error('InvalidArgument', "Bucket POST must contain a field named 'key'.", {ArgumentName: 'key'})
  fields.set('key', key).set('bucket', request.bucket)
  const range = checkPostPolicy(fields, house.identity, Date.now())
  checkKey(key)
  const bucket = storage.bucket(request.bucket)
  const headers = readHeaderFields(fields)
  const attributes = readFormAttributes(fields, headers, file)
  const max = Math.min(range.max, MAX_PUT)
  const payload = {
    size: undefined,
    trailers: new Map<string, string>(),
    sha256: undefined,
    pieces: () => checkMinimum(file.pieces(), range.min),
  }
  const stored = await storeSegment({headers, payload}, storage.segments, [], max)
  const {slices, durable, size, md5, checksums} = stored
  const record = {
    ...attributes,
    key,
    size,
    etag: md5,
    modified: Date.now(),
    checksums,
    checksumType: 'FULL_OBJECT' as const,
    slices,
  }
  await commitObject(storage, bucket, record, {durable})
  const answer = answerForm(request, fields, key, md5)
  return {
    ...answer,
    headers: {...answer.headers, ...checksumHeaders(checksums, 'FULL_OBJECT'), ...encryptionHeaders(attributes)},
  }
}

async function* checkMinimum(pieces: AsyncGenerator<Buffer>, min: number): AsyncGenerator<Buffer> {
  let size = 0
  for await (const piece of pieces) {
    size += piece.length
    yield piece
  }
  if (size < min)
    throw new S3Error('EntityTooSmall', undefined, {ProposedSize: String(size), MinSizeAllowed: String(min)})
}

function readHeaderFields(fields: ReadonlyMap<string, string>): Map<string, string> {
  const chosen = [...fields].filter(([name]) => HEADER_FIELDS.test(name))
  const headers = new Map(chosen.map(([name, value]) => [name, toHeaderBytes(value)] as const))
  const acl = fields.get('acl')
  if (acl !== undefined) headers.set('x-amz-acl', acl)
  return headers
}

function readFormAttributes(
  fields: ReadonlyMap<string, string>,
  headers: Map<string, string>,
  file: FilePart,
): ObjectAttributes {
  if (!headers.has('content-type') && file.type !== undefined) headers.set('content-type', toHeaderBytes(file.type))
  const attributes = readAttributes(headers)
  const tagging = fields.get('tagging')
  if (tagging === undefined) return attributes
  try {
    return {...attributes, tags: readTagging(parseXml(tagging))}
  } catch (error) {
    throw error instanceof S3Error ? error : new S3Error('MalformedXML')
  }
}

function answerForm(request: S3Request, fields: ReadonlyMap<string, string>, key: string, etag: string): Answer {
  const location = `http://${request.headers.get('host')}/${encodePath(`${request.bucket}/${key}`)}`
  const headers = {etag: `"${etag}"`, location}
  const redirect = fields.get('success_action_redirect') ?? fields.get('redirect')
  if (redirect !== undefined && /^https?:\/\//iu.test(redirect) && URL.canParse(redirect)) {
    const url = new URL(redirect)
    url.searchParams.append('bucket', request.bucket)
    url.searchParams.append('key', key)
    url.searchParams.append('etag', `"${etag}"`)
    return {status: 303, headers: {...headers, location: url.href}}
  }
  const status = fields.get('success_action_status')
  if (status === '200') return {status: 200, headers}
  if (status !== '201') return {status: 204, headers}
  const answer = xmlAnswer('PostResponse', [
    ['Location', location],
    ['Bucket', request.bucket],
    ['Key', key],
    ['ETag', `"${etag}"`],
  ])
  return {...answer, status: 201, headers: {...answer.headers, ...headers}}
}
