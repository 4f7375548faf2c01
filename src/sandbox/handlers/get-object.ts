import type {Answer} from '../protocol/answer.ts'
import {checkRead} from '../protocol/conditions.ts'
import {formatHttpDate} from '../protocol/dates.ts'
import {checksumHeaders} from '../protocol/digests.ts'
import {S3Error} from '../protocol/errors.ts'
import type {House, S3Request} from '../protocol/handler.ts'
import {parseRange} from '../protocol/ranges.ts'
import type {Range} from '../protocol/ranges.ts'
import {isHeaderValue, toHeaderBytes} from '../protocol/request.ts'
import {findObject} from '../storage/objects.ts'
import type {ObjectRecord} from '../storage/records.ts'
import type {Segments} from '../storage/segments.ts'

const OVERRIDES = [
  'content-type',
  'content-language',
  'expires',
  'cache-control',
  'content-disposition',
  'content-encoding',
]

/** Answers GET and HEAD. */
export function getObject(request: S3Request, house: House): Answer {
  const {storage} = house
  const record = findObject(storage.bucket(request.bucket), request.key)
  const headers = objectHeaders(request, record)
  if (checkRead(request.headers, record) === 'not-modified') return {status: 304, headers}
  const part = findPart(request, record)
  const range = part?.range ?? parseRange(request.headers.get('range'), record.size)
  const {offset, size} = range ?? {offset: 0, size: record.size}
  Object.assign(headers, overrides(request), {'content-length': String(size)})
  if (range !== undefined) headers['content-range'] = `bytes ${offset}-${offset + size - 1}/${record.size}`
  if (part !== undefined && record.parts) headers['x-amz-mp-parts-count'] = String(record.parts.length)
  if (request.headers.get('x-amz-checksum-mode')?.toUpperCase() === 'ENABLED' && range === undefined) {
    Object.assign(headers, checksumHeaders(record.checksums, record.checksumType))
  }
  const status = range === undefined ? 200 : 206
  if (request.method === 'HEAD') return {status, headers}
  return {status, headers, body: openDownload(storage.segments, record, {offset, size})}
}

function openDownload(segments: Segments, record: ObjectRecord, {offset, size}: Range) {
  segments.retain(record.slices)
  return {
    size,
    pieces: () => segments.read(record.slices, offset, size),
    close: () => {
      segments.release(record.slices)
    },
  }
}

function objectHeaders(request: S3Request, record: ObjectRecord): Record<string, string> {
  return {
    ...record.headers,
    'accept-ranges': 'bytes',
    etag: `"${record.etag}"`,
    'last-modified': formatHttpDate(record.modified),
    ...(record.tags.length > 0 && request.caller === 'owner' && {'x-amz-tagging-count': String(record.tags.length)}),
  }
}

function overrides(request: S3Request): Record<string, string> {
  const found = OVERRIDES.flatMap(name => {
    const value = request.query.get(`response-${name}`)
    return value === undefined ? [] : [[name, toHeaderBytes(value)] as const]
  })
  if (found.length > 0 && request.caller === 'anyone') {
    throw new S3Error('InvalidRequest', 'Request specific response headers cannot be used for anonymous GET requests.')
  }
  const bad = found.find(([, value]) => !isHeaderValue(value))
  if (bad) throw new S3Error('InvalidArgument', undefined, {ArgumentName: `response-${bad[0]}`})
  return Object.fromEntries(found)
}

function findPart(request: S3Request, record: ObjectRecord): {range: Range} | undefined {
  const text = request.query.get('partNumber')
  if (text === undefined) return undefined
  const sizes = record.parts?.map(part => part.size) ?? [record.size]
  const number = Number(text)
  if (!/^\d{1,5}$/u.test(text) || number < 1) {
    throw new S3Error('InvalidArgument', 'Part number must be an integer between 1 and 10000, inclusive')
  }
  if (request.headers.has('range'))
    throw new S3Error('InvalidRequest', 'Cannot specify both Range header and partNumber query parameter')
  const size = sizes[number - 1]
  if (size === undefined) throw new S3Error('InvalidRange')
  if (size === 0) return undefined
  return {range: {offset: sizes.slice(0, number - 1).reduce((sum, each) => sum + each, 0), size}}
}
