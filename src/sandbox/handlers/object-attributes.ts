import {xmlAnswer} from '../protocol/answer.ts'
import type {Answer} from '../protocol/answer.ts'
import {formatHttpDate} from '../protocol/dates.ts'
import {S3Error} from '../protocol/errors.ts'
import type {House, S3Request} from '../protocol/handler.ts'
import type {XmlField} from '../protocol/xml-write.ts'
import {findObject} from '../storage/objects.ts'
import type {Checksums, ObjectRecord} from '../storage/records.ts'

const KNOWN = new Set(['ETag', 'Checksum', 'ObjectParts', 'StorageClass', 'ObjectSize'])
const MAX_PAGE = 1000

export function getObjectAttributes(request: S3Request, house: House): Answer {
  const record = findObject(house.storage.bucket(request.bucket), request.key)
  const wanted = new Set((request.headers.get('x-amz-object-attributes') ?? '').split(',').map(each => each.trim()))
  if ([...wanted].some(name => !KNOWN.has(name)))
    throw new S3Error('InvalidArgument', 'Invalid attribute name specified.')
  const fields: (XmlField | undefined)[] = [
    ['ETag', record.etag],
    Object.keys(record.checksums).length > 0
      ? ['Checksum', [...describeChecksums(record.checksums), ['ChecksumType', record.checksumType]]]
      : undefined,
    record.uploadId === undefined ? undefined : ['ObjectParts', describeParts(request, record)],
    ['StorageClass', record.headers['x-amz-storage-class'] ?? 'STANDARD'],
    ['ObjectSize', record.size],
  ]
  return xmlAnswer(
    'GetObjectAttributesResponse',
    fields.filter(field => field !== undefined && wanted.has(field[0])),
    {'last-modified': formatHttpDate(record.modified)},
  )
}

function describeChecksums(checksums: Checksums): XmlField[] {
  return Object.entries(checksums).map(([name, value]) => [`Checksum${name.toUpperCase()}`, value])
}

function describeParts(request: S3Request, record: ObjectRecord): XmlField[] {
  const parts = record.parts ?? []
  const max = Math.min(Number(request.headers.get('x-amz-max-parts') ?? MAX_PAGE) || 0, MAX_PAGE)
  const marker = Number(request.headers.get('x-amz-part-number-marker') ?? 0) || 0
  // As on S3, the parts themselves are told only where they have checksums.
  const rest = parts.filter(part => part.checksums !== undefined && part.number > marker)
  const page = rest.slice(0, max)
  return [
    ['PartsCount', parts.length],
    ['PartNumberMarker', marker],
    ['NextPartNumberMarker', page.at(-1)?.number ?? marker],
    ['MaxParts', max],
    ['IsTruncated', rest.length > page.length],
    ...page.map((part): XmlField => [
      'Part',
      [...describeChecksums(part.checksums ?? {}), ['PartNumber', part.number], ['Size', part.size]],
    ]),
  ]
}
