import {unlink} from 'node:fs/promises'
import {dirname} from 'node:path'
import {S3Error} from '../protocol/errors.ts'
import {replaceFile, syncFolder} from './durable.ts'
import type {ObjectRecord} from './records.ts'
import type {Bucket, Storage} from './storage.ts'

export interface Commit {
  /** Throws when what stands there now forbids it: If-None-Match and its kin. */
  readonly check?: (current: ObjectRecord | undefined) => void
  /** What must be on the disk before the object may appear. */
  readonly durable?: Promise<unknown>
}

/** Puts an object in place, whole or not at all. Takes over the hold on its slices: on failure they are let go. */
export async function commitObject(
  storage: Storage,
  bucket: Bucket,
  record: ObjectRecord,
  commit: Commit = {},
): Promise<void> {
  let placed = false
  try {
    await lockKey(storage, bucket, record.key, async file => {
      commit.check?.(bucket.objects.get(record.key))
      await replaceFile(file, JSON.stringify(record), commit.durable)
      placed = true
      const before = bucket.objects.put(record)
      await syncFolder(dirname(file))
      if (before !== undefined) storage.segments.release(before.slices)
    })
  } catch (error) {
    await commit.durable?.catch(() => undefined)
    if (!placed) storage.segments.release(record.slices)
    throw error
  }
}

/** Writes an object's record anew, its bytes untouched: tags, ACL. Fails `NoSuchKey`. */
export async function changeObject(
  storage: Storage,
  bucket: Bucket,
  key: string,
  change: (record: ObjectRecord) => ObjectRecord,
): Promise<void> {
  await lockKey(storage, bucket, key, async file => {
    const record = change(findObject(bucket, key))
    await replaceFile(file, JSON.stringify(record))
    bucket.objects.put(record)
    await syncFolder(dirname(file))
  })
}

/** Removes an object; one that is not there is removed already. */
export async function deleteObject(
  storage: Storage,
  bucket: Bucket,
  key: string,
  check?: Commit['check'],
): Promise<void> {
  await lockKey(storage, bucket, key, async file => {
    const record = bucket.objects.get(key)
    check?.(record)
    if (record === undefined) return
    await unlink(file)
    bucket.objects.remove(key)
    await syncFolder(dirname(file))
    storage.segments.release(record.slices)
  })
}

/** Returns the object or fails `NoSuchKey`. */
export function findObject(bucket: Bucket, key: string): ObjectRecord {
  const record = bucket.objects.get(key)
  if (record === undefined) throw new S3Error('NoSuchKey', undefined, {Key: key})
  return record
}

async function lockKey(
  storage: Storage,
  bucket: Bucket,
  key: string,
  task: (file: string) => Promise<void>,
): Promise<void> {
  const file = storage.objectFile(bucket, key)
  await storage.locks.run(file, async () => {
    if (bucket.deleted) throw new S3Error('NoSuchBucket')
    bucket.commits++
    try {
      await task(file)
    } finally {
      bucket.commits--
    }
  })
}
