import {child, childText} from '../../core/xml.ts'
import {xmlAnswer} from '../protocol/answer.ts'
import type {Answer} from '../protocol/answer.ts'
import {writeCheck} from '../protocol/conditions.ts'
import {asS3Error, S3Error} from '../protocol/errors.ts'
import type {House, S3Request} from '../protocol/handler.ts'
import {receiveXml} from '../protocol/documents.ts'
import type {XmlField} from '../protocol/xml-write.ts'
import {deleteObject as removeObject} from '../storage/objects.ts'

const MAX_KEYS = 1000

export async function deleteObject(request: S3Request, house: House): Promise<Answer> {
  const bucket = house.storage.bucket(request.bucket)
  await removeObject(house.storage, bucket, request.key, writeCheck(request.headers))
  return {status: 204}
}

export async function deleteObjects(request: S3Request, house: House): Promise<Answer> {
  const bucket = house.storage.bucket(request.bucket)
  const root = await receiveXml(request, 'Delete')
  const keys = root.children.filter(each => each.name === 'Object').map(each => childText(each, 'Key') ?? '')
  if (keys.length === 0 || keys.length > MAX_KEYS || keys.includes('')) throw new S3Error('MalformedXML')
  const quiet = child(root, 'Quiet')?.text.trim() === 'true'
  const results = await Promise.all(
    keys.map(async (key): Promise<XmlField | undefined> => {
      try {
        await removeObject(house.storage, bucket, key)
        return quiet ? undefined : ['Deleted', [['Key', key]]]
      } catch (error) {
        const {code, message} = asS3Error(error)
        return [
          'Error',
          [
            ['Key', key],
            ['Code', code],
            ['Message', message],
          ],
        ]
      }
    }),
  )
  return xmlAnswer('DeleteResult', results)
}
