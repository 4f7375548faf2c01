import {childText} from '../../core/xml.ts'
import {xmlAnswer} from '../protocol/answer.ts'
import type {Answer} from '../protocol/answer.ts'
import {readAcl, refuseHeaders} from '../protocol/attributes.ts'
import {formatXmlDate} from '../protocol/dates.ts'
import {readXml} from '../protocol/documents.ts'
import {S3Error} from '../protocol/errors.ts'
import type {House, S3Request} from '../protocol/handler.ts'
import {receiveText} from '../protocol/receive.ts'
import {optional} from '../protocol/xml-write.ts'
import {createBucket as makeBucket, deleteBucket as removeBucket} from '../storage/buckets.ts'
import {compareKeys} from '../storage/sorted-keys.ts'

const NAME =
  /^(?!xn--|sthree-)(?!.*(?:\.\.|-s3alias$|--ol-s3$))(?!\d+\.\d+\.\d+\.\d+$)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/u

export function listBuckets(request: S3Request, house: House): Answer {
  const prefix = request.query.get('prefix') ?? ''
  const records = [...house.storage.buckets.values()]
    .map(bucket => bucket.record)
    .filter(record => record.name.startsWith(prefix))
    .toSorted((a, b) => compareKeys(a.name, b.name))
  return xmlAnswer('ListAllMyBucketsResult', [
    [
      'Owner',
      [
        ['ID', house.owner.id],
        ['DisplayName', house.owner.name],
      ],
    ],
    [
      'Buckets',
      records.map(record => [
        'Bucket',
        [
          ['Name', record.name],
          ['CreationDate', formatXmlDate(record.created)],
          optional('BucketRegion', record.location === '' ? house.region : record.location),
        ],
      ]),
    ],
  ])
}

export async function createBucket(request: S3Request, house: House): Promise<Answer> {
  if (!NAME.test(request.bucket)) throw new S3Error('InvalidBucketName', undefined, {BucketName: request.bucket})
  refuseHeaders(request.headers)
  if (request.headers.get('x-amz-bucket-object-lock-enabled')?.toLowerCase() === 'true')
    throw new S3Error('NotImplemented')
  const acl = readAcl(request.headers)
  const text = await receiveText(request)
  const location =
    text.trim() === '' ? '' : (childText(readXml(text, 'CreateBucketConfiguration'), 'LocationConstraint') ?? '')
  if (!/^[A-Za-z0-9-]{0,40}$/u.test(location))
    throw new S3Error('InvalidLocationConstraint', undefined, {LocationConstraint: location})
  await makeBucket(house.storage, {name: request.bucket, created: Date.now(), location, acl, documents: {}})
  return {status: 200, headers: {location: `/${request.bucket}`}}
}

export function headBucket(request: S3Request, house: House): Answer {
  const {record} = house.storage.bucket(request.bucket)
  return {status: 200, headers: {'x-amz-bucket-region': record.location === '' ? house.region : record.location}}
}

export async function deleteBucket(request: S3Request, house: House): Promise<Answer> {
  await removeBucket(house.storage, request.bucket)
  return {status: 204}
}

export function getBucketLocation(request: S3Request, house: House): Answer {
  const {record} = house.storage.bucket(request.bucket)
  const answer = xmlAnswer('LocationConstraint', [])
  return {...answer, body: (answer.body as string).replace('></', `>${record.location}</`)}
}
