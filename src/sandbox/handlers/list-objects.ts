import {xmlAnswer} from '../protocol/answer.ts'
import type {Answer} from '../protocol/answer.ts'
import {formatXmlDate} from '../protocol/dates.ts'
import {keyEncoder, readNumber} from '../protocol/documents.ts'
import {S3Error} from '../protocol/errors.ts'
import type {House, S3Request} from '../protocol/handler.ts'
import {encodePath} from '../protocol/uri.ts'
import {optional} from '../protocol/xml-write.ts'
import type {XmlField} from '../protocol/xml-write.ts'
import {listKeys} from '../storage/listing.ts'
import type {Listing} from '../storage/listing.ts'
import {findObject} from '../storage/objects.ts'
import type {Bucket} from '../storage/storage.ts'

const MAX_KEYS = 1000

/** Answers both versions of ListObjects. */
export function listObjects(request: S3Request, house: House): Answer {
  const {query} = request
  const type = query.get('list-type')
  if (type !== undefined && type !== '2')
    throw new S3Error('InvalidArgument', undefined, {ArgumentName: 'list-type', ArgumentValue: type})
  const bucket = house.storage.bucket(request.bucket)
  const [prefix, delimiter] = [query.get('prefix') ?? '', query.get('delimiter') ?? '']
  const max = readNumber(request, 'max-keys', MAX_KEYS, MAX_KEYS)
  const encode = keyEncoder(request, encodePath)
  const isSecond = type === '2'
  const after = isSecond ? (readToken(request) ?? query.get('start-after') ?? '') : (query.get('marker') ?? '')
  const listing = listKeys(bucket.objects.keys, {prefix, delimiter, after, max})
  const common: (XmlField | undefined)[] = [
    ['Name', request.bucket],
    ['Prefix', encode(prefix)],
    delimiter === '' ? undefined : ['Delimiter', encode(delimiter)],
    ['MaxKeys', max],
    optional('EncodingType', query.get('encoding-type')),
    ['IsTruncated', listing.isTruncated],
  ]
  const version = isSecond
    ? describeSecond(request, listing, encode)
    : describeFirst(request, listing, encode, delimiter)
  const withOwner = !isSecond || query.get('fetch-owner') === 'true'
  return xmlAnswer('ListBucketResult', [
    ...common,
    ...version,
    ...describeEntries(listing, bucket, encode, withOwner ? house.owner : undefined),
  ])
}

function readToken(request: S3Request): string | undefined {
  const token = request.query.get('continuation-token')
  if (token === undefined) return undefined
  const after = Buffer.from(token, 'base64url')
  if (token === '' || after.toString('base64url') !== token) {
    throw new S3Error('InvalidArgument', 'The continuation token provided is incorrect', {
      ArgumentName: 'continuation-token',
    })
  }
  return after.toString('utf8')
}

function describeSecond(
  request: S3Request,
  listing: Listing,
  encode: (text: string) => string,
): (XmlField | undefined)[] {
  const startAfter = request.query.get('start-after')
  const last = listing.entries.at(-1)
  return [
    ['KeyCount', listing.entries.length],
    optional('StartAfter', startAfter === undefined ? undefined : encode(startAfter)),
    optional('ContinuationToken', request.query.get('continuation-token')),
    listing.isTruncated && last ? ['NextContinuationToken', Buffer.from(last.name).toString('base64url')] : undefined,
  ]
}

function describeFirst(
  request: S3Request,
  listing: Listing,
  encode: (text: string) => string,
  delimiter: string,
): (XmlField | undefined)[] {
  const last = listing.entries.at(-1)
  return [
    ['Marker', encode(request.query.get('marker') ?? '')],
    // Without a delimiter S3 leaves it out: the last key is the next marker.
    listing.isTruncated && last && delimiter !== '' ? ['NextMarker', encode(last.name)] : undefined,
  ]
}

function describeEntries(
  listing: Listing,
  bucket: Bucket,
  encode: (text: string) => string,
  owner?: House['owner'],
): XmlField[] {
  const prefixes = listing.entries.filter(entry => entry.kind === 'prefix')
  const keys = listing.entries.filter(entry => entry.kind === 'key')
  return [
    ...keys.map(({name}): XmlField => {
      const record = findObject(bucket, name)
      return [
        'Contents',
        [
          ['Key', encode(name)],
          ['LastModified', formatXmlDate(record.modified)],
          ['ETag', `"${record.etag}"`],
          ...Object.keys(record.checksums).map((algorithm): XmlField => ['ChecksumAlgorithm', algorithm.toUpperCase()]),
          ['Size', record.size],
          ['StorageClass', record.headers['x-amz-storage-class'] ?? 'STANDARD'],
          owner === undefined
            ? undefined
            : [
                'Owner',
                [
                  ['ID', owner.id],
                  ['DisplayName', owner.name],
                ],
              ],
        ],
      ]
    }),
    ...prefixes.map(({name}): XmlField => ['CommonPrefixes', [['Prefix', encode(name)]]]),
  ]
}
