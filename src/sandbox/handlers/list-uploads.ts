import {xmlAnswer} from '../protocol/answer.ts'
import type {Answer} from '../protocol/answer.ts'
import {formatXmlDate} from '../protocol/dates.ts'
import {keyEncoder, readNumber} from '../protocol/documents.ts'
import type {House, S3Request} from '../protocol/handler.ts'
import {encodePath} from '../protocol/uri.ts'
import {optional} from '../protocol/xml-write.ts'
import type {XmlField} from '../protocol/xml-write.ts'
import type {UploadRecord} from '../storage/records.ts'
import {compareKeys} from '../storage/sorted-keys.ts'
import {findUpload} from '../storage/upload.ts'

const MAX_PAGE = 1000

function describeOwner(owner: House['owner']): XmlField[] {
  const fields: XmlField[] = [
    ['ID', owner.id],
    ['DisplayName', owner.name],
  ]
  return [
    ['Initiator', fields],
    ['Owner', fields],
  ]
}

function describeUpload(record: UploadRecord): (XmlField | undefined)[] {
  return [
    ['StorageClass', record.headers['x-amz-storage-class'] ?? 'STANDARD'],
    optional('ChecksumAlgorithm', record.algorithm?.toUpperCase()),
    optional('ChecksumType', record.checksumType),
  ]
}

export function listUploads(request: S3Request, house: House): Answer {
  house.storage.bucket(request.bucket)
  const read = (name: string) => request.query.get(name) ?? ''
  const [prefix, delimiter, keyMarker, idMarker] = [
    read('prefix'),
    read('delimiter'),
    read('key-marker'),
    read('upload-id-marker'),
  ]
  const max = readNumber(request, 'max-uploads', MAX_PAGE, MAX_PAGE)
  const encode = keyEncoder(request, encodePath)
  const all = [...house.storage.uploads.values()]
    .map(upload => upload.record)
    .filter(record => record.bucket === request.bucket && record.key.startsWith(prefix))
    .toSorted((a, b) => compareKeys(a.key, b.key) || compareKeys(a.uploadId, b.uploadId))
  const fold = (key: string) => {
    const found = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length)
    return found < 0 ? undefined : key.slice(0, found + delimiter.length)
  }
  const isAfter = (record: UploadRecord) => {
    const folded = fold(record.key)
    if (folded !== undefined) return compareKeys(folded, keyMarker) > 0
    const order = compareKeys(record.key, keyMarker)
    return order > 0 || (order === 0 && idMarker !== '' && compareKeys(record.uploadId, idMarker) > 0)
  }
  const rest = keyMarker === '' ? all : all.filter(isAfter)
  const uploads = rest.filter(record => fold(record.key) === undefined)
  const prefixes = new Set(rest.map(record => fold(record.key)).filter(each => each !== undefined))
  // Prefixes are few and cheap: they are listed on the page where they fall, and count as S3 counts them.
  const entries = [
    ...uploads.map(record => ({name: record.key, record: record as UploadRecord | undefined})),
    ...[...prefixes].map(name => ({name, record: undefined})),
  ].toSorted((a, b) => compareKeys(a.name, b.name) || compareKeys(a.record?.uploadId ?? '', b.record?.uploadId ?? ''))
  const page = entries.slice(0, max)
  const last = page.at(-1)
  const isTruncated = entries.length > page.length && max > 0
  return xmlAnswer('ListMultipartUploadsResult', [
    ['Bucket', request.bucket],
    ['KeyMarker', encode(keyMarker)],
    ['UploadIdMarker', idMarker],
    ['Prefix', encode(prefix)],
    delimiter === '' ? undefined : ['Delimiter', encode(delimiter)],
    optional('EncodingType', request.query.get('encoding-type')),
    ['MaxUploads', max],
    ['IsTruncated', isTruncated],
    isTruncated && last ? ['NextKeyMarker', encode(last.name)] : undefined,
    isTruncated && last ? ['NextUploadIdMarker', last.record?.uploadId ?? ''] : undefined,
    ...page.map(({name, record}): XmlField =>
      record === undefined
        ? ['CommonPrefixes', [['Prefix', encode(name)]]]
        : [
            'Upload',
            [
              ['Key', encode(name)],
              ['UploadId', record.uploadId],
              ...describeOwner(house.owner),
              ...describeUpload(record),
              ['Initiated', formatXmlDate(record.started)],
            ],
          ],
    ),
  ])
}

export function listParts(request: S3Request, house: House): Answer {
  house.storage.bucket(request.bucket)
  const upload = findUpload(house.storage, request.bucket, request.key, request.query.get('uploadId') ?? '')
  const marker = readNumber(request, 'part-number-marker', 0, Number.MAX_SAFE_INTEGER)
  const max = readNumber(request, 'max-parts', MAX_PAGE, MAX_PAGE)
  const rest = [...upload.parts.values()].filter(part => part.number > marker).toSorted((a, b) => a.number - b.number)
  const page = rest.slice(0, max)
  const isTruncated = rest.length > page.length && max > 0
  return xmlAnswer('ListPartsResult', [
    ['Bucket', request.bucket],
    ['Key', request.key],
    ['UploadId', upload.record.uploadId],
    ...describeOwner(house.owner),
    ...describeUpload(upload.record),
    ['PartNumberMarker', marker],
    ['NextPartNumberMarker', page.at(-1)?.number ?? marker],
    ['MaxParts', max],
    ['IsTruncated', isTruncated],
    ...page.map((part): XmlField => [
      'Part',
      [
        ['PartNumber', part.number],
        ['LastModified', formatXmlDate(part.modified)],
        ['ETag', `"${part.etag}"`],
        ['Size', part.size],
        ...Object.entries(part.checksums).map(([name, value]): XmlField => [`Checksum${name.toUpperCase()}`, value]),
      ],
    ]),
  ])
}
