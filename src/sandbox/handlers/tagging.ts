import {child, childText} from '../../core/xml.ts'
import type {XmlElement} from '../../core/xml.ts'
import {xmlAnswer} from '../protocol/answer.ts'
import type {Answer} from '../protocol/answer.ts'
import {checkTags} from '../protocol/attributes.ts'
import {receiveXml} from '../protocol/documents.ts'
import {S3Error} from '../protocol/errors.ts'
import type {House, S3Request} from '../protocol/handler.ts'
import {changeObject, findObject} from '../storage/objects.ts'
import type {Tag} from '../storage/records.ts'

/** Reads a Tagging document; fails `MalformedXML` and `InvalidTag`. */
export function readTagging(root: XmlElement): Tag[] {
  const set = child(root, 'TagSet')
  if (set === undefined) throw new S3Error('MalformedXML')
  return checkTags(set.children.map(tag => [childText(tag, 'Key') ?? '', childText(tag, 'Value') ?? '']))
}

export function getObjectTagging(request: S3Request, house: House): Answer {
  const {tags} = findObject(house.storage.bucket(request.bucket), request.key)
  const set = tags.map(
    ([key, value]) =>
      [
        'Tag',
        [
          ['Key', key],
          ['Value', value],
        ],
      ] as const,
  )
  return xmlAnswer('Tagging', [['TagSet', set]])
}

export async function putObjectTagging(request: S3Request, house: House): Promise<Answer> {
  const bucket = house.storage.bucket(request.bucket)
  const tags = readTagging(await receiveXml(request, 'Tagging'))
  await changeObject(house.storage, bucket, request.key, record => ({...record, tags}))
  return {status: 200}
}

export async function deleteObjectTagging(request: S3Request, house: House): Promise<Answer> {
  const bucket = house.storage.bucket(request.bucket)
  await changeObject(house.storage, bucket, request.key, record => ({...record, tags: []}))
  return {status: 204}
}
