import {
  constants,
  closeSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
} from 'node:fs'
import {join} from 'node:path'
import {Failure} from '../../core/failure.ts'
import {makeFolders} from '../../state/make-folders.ts'
import {isForeign} from '../../state/private-folder.ts'
import {UNFINISHED} from './durable.ts'
import type {BucketRecord, ObjectRecord, PartRecord, UploadRecord} from './records.ts'
import {openBucket, Storage} from './storage.ts'
import {UploadLog} from './upload-log.ts'

/** Reads a data folder and removes what a crash left: half-written files, bytes that no record names. */
export function loadStorage(folder: string): Storage {
  const storage = new Storage(folder)
  removeUnfinished(folder)
  for (const path of Object.values(storage.layout) as string[]) makeFolder(path)
  const loader = new Loader(storage)
  loader.loadBuckets()
  loader.loadUploads()
  if (!loader.damaged) removeOrphans(storage)
  return storage
}

/** Makes a folder that is only ours; fails `config` where something else stands in its place. */
export function makeFolder(path: string): void {
  try {
    makeFolders(path)
    const stat = lstatSync(path)
    if (isForeign(stat)) throw new Failure('config', `${path} belongs to somebody else.`)
    if (stat.isDirectory()) return
  } catch (error) {
    if (error instanceof Failure) throw error
    const {code} = error as NodeJS.ErrnoException
    if (code !== 'EEXIST' && code !== 'ENOTDIR') {
      throw new Failure('config', `The sandbox cannot make its folder ${path} (${code}).`, {cause: error})
    }
  }
  throw new Failure('config', `${path} is a link or a file; the sandbox wants a folder of its own.`)
}

class Loader {
  readonly storage: Storage
  /** Something could not be read: nothing is removed then, for it may be named there. */
  damaged = false

  constructor(storage: Storage) {
    this.storage = storage
  }

  loadBuckets(): void {
    const {layout, buckets} = this.storage
    for (const file of listWhole(layout.buckets)) {
      this.#attempt(join(layout.buckets, file), path => {
        const bucket = openBucket(JSON.parse(readWhole(path)) as BucketRecord)
        buckets.set(bucket.record.name, bucket)
        makeFolder(join(layout.objects, bucket.id))
      })
    }
    const known = new Set([...buckets.values()].map(bucket => bucket.id))
    for (const bucket of buckets.values()) {
      const objects = join(layout.objects, bucket.id)
      for (const file of listWhole(objects)) {
        this.#attempt(join(objects, file), path => {
          const record = JSON.parse(readWhole(path)) as ObjectRecord
          bucket.objects.load(record)
          this.storage.segments.retain(record.slices)
        })
      }
    }
    if (this.damaged) return
    for (const id of readdirSync(layout.objects)) {
      if (!known.has(id)) rmSync(join(layout.objects, id), {recursive: true, force: true})
    }
  }

  loadUploads(): void {
    const {layout, buckets} = this.storage
    const present = new Set(readdirSync(layout.segments))
    for (const file of listWhole(layout.uploads)) {
      this.#attempt(join(layout.uploads, file), path => {
        const bytes = readWhole(path)
        const end = bytes.lastIndexOf('\n') + 1
        if (end < bytes.length) truncateSync(path, Buffer.byteLength(bytes.slice(0, end)))
        const [first, ...lines] = bytes.slice(0, end).split('\n').slice(0, -1)
        const record = first === undefined ? undefined : (JSON.parse(first) as UploadRecord)
        // Never begun, its bucket deleted, or completed just before the crash.
        const bucket = record && buckets.get(record.bucket)
        if (!record || !bucket || bucket.objects.get(record.key)?.uploadId === record.uploadId) {
          rmSync(path)
          return
        }
        const parts = new Map<number, PartRecord>()
        for (const part of lines.map(line => JSON.parse(line) as PartRecord)) {
          if (part.slices.every(slice => present.has(slice.file))) parts.set(part.number, part)
          else parts.delete(part.number)
        }
        for (const part of parts.values()) this.storage.segments.retain(part.slices)
        const log = new UploadLog(path, Buffer.byteLength(bytes.slice(0, end)))
        this.storage.uploads.set(record.uploadId, {record, log, parts, commits: new Set(), gate: undefined})
      })
    }
  }

  #attempt(path: string, task: (path: string) => void): void {
    try {
      task(path)
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error
      this.damaged = true
      renameSync(path, `${path}.damaged`)
    }
  }
}

function readWhole(path: string): string {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    return readFileSync(descriptor, 'utf8')
  } finally {
    closeSync(descriptor)
  }
}

function removeUnfinished(folder: string): void {
  for (const name of readdirSync(folder).filter(each => each.endsWith(UNFINISHED)))
    rmSync(join(folder, name), {force: true})
}

function listWhole(folder: string): string[] {
  removeUnfinished(folder)
  return readdirSync(folder).filter(name => name.endsWith('.json') || name.endsWith('.jsonl'))
}

function removeOrphans(storage: Storage): void {
  const {segments} = storage.layout
  for (const file of readdirSync(segments)) {
    if (!storage.segments.isHeld(file)) rmSync(join(segments, file), {force: true})
  }
}
