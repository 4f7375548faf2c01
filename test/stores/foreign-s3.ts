import {CreateBucketCommand, GetObjectCommand, paginateListObjectsV2, S3Client} from '@aws-sdk/client-s3'
import type {ForeignClient} from './contract.ts'
import type {S3Access} from './open-s3.ts'

export function openSdk({endpoint, region, accessKeyId, secretAccessKey}: S3Access): S3Client {
  const credentials = {accessKeyId, secretAccessKey}
  return new S3Client({endpoint, region, credentials, forcePathStyle: true, maxAttempts: 1})
}

/** Makes a bucket without us; one that is there already is fine. */
export async function makeBucket(access: S3Access, bucket: string): Promise<void> {
  const client = openSdk(access)
  try {
    await client.send(new CreateBucketCommand({Bucket: bucket}))
  } catch (error) {
    if ((error as Error).name !== 'BucketAlreadyOwnedByYou') throw error
  } finally {
    client.destroy()
  }
}

/** Reads a container with the SDK alone: none of our signing, encoding or parsing takes part. */
export function openForeign(client: S3Client, bucket: string): ForeignClient {
  return {
    async read(key) {
      try {
        const object = await client.send(new GetObjectCommand({Bucket: bucket, Key: key}))
        return {
          bytes: Buffer.from((await object.Body?.transformToByteArray()) ?? []),
          contentType: object.ContentType,
          cacheControl: object.CacheControl,
          contentDisposition: object.ContentDisposition,
          metadata: object.Metadata,
        }
      } catch (error) {
        if ((error as Error).name === 'NoSuchKey') return undefined
        throw error
      }
    },
    async list() {
      const keys: string[] = []
      for await (const page of paginateListObjectsV2({client}, {Bucket: bucket})) {
        for (const {Key} of page.Contents ?? []) keys.push(Key ?? '')
      }
      return keys
    },
  }
}
