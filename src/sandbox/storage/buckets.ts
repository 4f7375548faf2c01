import {mkdir, rm} from 'node:fs/promises'
import {join} from 'node:path'
import {S3Error} from '../protocol/errors.ts'
import {forgetFolder, replaceFile, syncFolder} from './durable.ts'
import type {BucketRecord} from './records.ts'
import {hashName, openBucket} from './storage.ts'
import type {Bucket, Storage} from './storage.ts'
import {abortUpload} from './upload.ts'

function bucketFile(storage: Storage, name: string): string {
  return join(storage.layout.buckets, `${hashName(name)}.json`)
}

/** Makes a bucket; fails `BucketAlreadyOwnedByYou`. */
export async function createBucket(storage: Storage, record: BucketRecord): Promise<void> {
  await storage.locks.run(record.name, async () => {
    if (storage.buckets.has(record.name))
      throw new S3Error('BucketAlreadyOwnedByYou', undefined, {BucketName: record.name})
    const bucket = openBucket(record)
    await mkdir(join(storage.layout.objects, bucket.id), {recursive: true, mode: 0o700})
    await syncFolder(storage.layout.objects)
    await replaceFile(bucketFile(storage, record.name), JSON.stringify(record))
    storage.buckets.set(record.name, bucket)
    await syncFolder(storage.layout.buckets)
  })
}

/** Writes a changed record: an ACL, a document. */
export async function changeBucket(
  storage: Storage,
  name: string,
  change: (record: BucketRecord) => BucketRecord,
): Promise<void> {
  await storage.locks.run(name, async () => {
    const bucket = storage.bucket(name)
    const record = change(bucket.record)
    await replaceFile(bucketFile(storage, name), JSON.stringify(record))
    bucket.record = record
    await syncFolder(storage.layout.buckets)
  })
}

/** Removes an empty bucket and its unfinished uploads; fails `BucketNotEmpty`. */
export async function deleteBucket(storage: Storage, name: string): Promise<void> {
  await storage.locks.run(name, async () => {
    const bucket: Bucket = storage.bucket(name)
    if (bucket.objects.size > 0 || bucket.commits > 0)
      throw new S3Error('BucketNotEmpty', undefined, {BucketName: name})
    bucket.deleted = true
    try {
      await rm(bucketFile(storage, name))
    } catch (error) {
      bucket.deleted = false
      throw error
    }
    storage.buckets.delete(name)
    await syncFolder(storage.layout.buckets)
    const folder = join(storage.layout.objects, bucket.id)
    forgetFolder(folder)
    await rm(folder, {recursive: true, force: true})
    const uploads = [...storage.uploads.values()].filter(upload => upload.record.bucket === name)
    for (const upload of uploads) await abortUpload(storage, upload)
  })
}
