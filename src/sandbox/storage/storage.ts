import {createHash} from 'node:crypto'
import {join} from 'node:path'
import {S3Error} from '../protocol/errors.ts'
import {KeyLocks} from './key-locks.ts'
import {ObjectIndex} from './object-index.ts'
import type {BucketRecord} from './records.ts'
import {Segments} from './segments.ts'
import type {Upload} from './upload.ts'

/** One bucket: its record, which changes, and its objects. */
export interface Bucket {
  record: BucketRecord
  /** The hash of its name: the name of its file and folder. */
  readonly id: string
  readonly objects: ObjectIndex
  /** Commits under way; a bucket with any is not empty. */
  commits: number
  deleted: boolean
}

/** Where everything of a data folder stands. */
export interface Layout {
  readonly segments: string
  readonly buckets: string
  readonly objects: string
  readonly uploads: string
}

export function layOut(folder: string): Layout {
  return {
    segments: join(folder, 'segments'),
    buckets: join(folder, 'buckets'),
    objects: join(folder, 'objects'),
    uploads: join(folder, 'uploads'),
  }
}

/** Names from outside never reach a path: files are named after their hash. */
export function hashName(name: string): string {
  return createHash('sha256').update(name).digest('hex')
}

/** Everything that the sandbox holds: the index in memory, and the folders behind it. */
export class Storage {
  readonly layout: Layout
  readonly segments: Segments
  readonly buckets = new Map<string, Bucket>()
  readonly uploads = new Map<string, Upload>()
  readonly locks = new KeyLocks()

  constructor(folder: string) {
    this.layout = layOut(folder)
    this.segments = new Segments(this.layout.segments)
  }

  /** Returns the bucket or fails `NoSuchBucket`. */
  bucket(name: string): Bucket {
    const bucket = this.buckets.get(name)
    if (bucket === undefined) throw new S3Error('NoSuchBucket', undefined, {BucketName: name})
    return bucket
  }

  objectFile(bucket: Bucket, key: string): string {
    return join(this.layout.objects, bucket.id, `${hashName(key)}.json`)
  }
}

export function openBucket(record: BucketRecord): Bucket {
  return {record, id: hashName(record.name), objects: new ObjectIndex(), commits: 0, deleted: false}
}
