import {rm} from 'node:fs/promises'
import {dirname, join} from 'node:path'
import {S3Error} from '../protocol/errors.ts'
import {syncFolder} from './durable.ts'
import type {PartRecord, UploadRecord} from './records.ts'
import type {Storage} from './storage.ts'
import {UploadLog} from './upload-log.ts'

/** An unfinished multipart upload. */
export interface Upload {
  readonly record: UploadRecord
  readonly log: UploadLog
  readonly parts: Map<number, PartRecord>
  /** Parts that are being written down. */
  readonly commits: Set<Promise<void>>
  /** Set while Complete or Abort is at work: who comes meanwhile waits, and looks again. */
  gate: Promise<unknown> | undefined
}

export function uploadFile(storage: Storage, uploadId: string): string {
  return join(storage.layout.uploads, `${uploadId}.jsonl`)
}

export async function createUpload(storage: Storage, record: UploadRecord): Promise<Upload> {
  const log = await UploadLog.create(uploadFile(storage, record.uploadId), record)
  const upload: Upload = {record, log, parts: new Map(), commits: new Set(), gate: undefined}
  storage.uploads.set(record.uploadId, upload)
  return upload
}

/** Returns the upload of that key, or fails `NoSuchUpload`. */
export function findUpload(storage: Storage, bucket: string, key: string, uploadId: string): Upload {
  const upload = storage.uploads.get(uploadId)
  if (upload === undefined || upload.record.bucket !== bucket || upload.record.key !== key) {
    throw new S3Error('NoSuchUpload', undefined, {UploadId: uploadId})
  }
  return upload
}

/** Writes a part down, in place of one with its number. Takes over the hold on its slices: on failure they are let go. */
export async function commitPart(
  storage: Storage,
  upload: Upload,
  part: PartRecord,
  durable?: Promise<unknown>,
): Promise<void> {
  try {
    await durable
    while (upload.gate !== undefined) await upload.gate
    assertOpen(storage, upload)
    const commit = upload.log.append(part)
    upload.commits.add(commit)
    try {
      await commit
    } finally {
      upload.commits.delete(commit)
    }
  } catch (error) {
    storage.segments.release(part.slices)
    throw error
  }
  const before = upload.parts.get(part.number)
  upload.parts.set(part.number, part)
  if (before !== undefined) storage.segments.release(before.slices)
}

/** Runs Complete or Abort alone: no part comes in between. Fails `NoSuchUpload` when another one ended the upload. */
export async function closeGate<T>(storage: Storage, upload: Upload, task: () => Promise<T>): Promise<T> {
  while (upload.gate !== undefined) await upload.gate
  assertOpen(storage, upload)
  const result = (async () => {
    while (upload.commits.size > 0) await Promise.allSettled(upload.commits)
    return task()
  })()
  upload.gate = result.then(
    () => undefined,
    () => undefined,
  )
  try {
    return await result
  } finally {
    upload.gate = undefined
  }
}

/** Ends an upload: its parts go, but for those that an object holds by now. */
export async function forgetUpload(storage: Storage, upload: Upload): Promise<void> {
  const file = uploadFile(storage, upload.record.uploadId)
  await rm(file, {force: true})
  storage.uploads.delete(upload.record.uploadId)
  await syncFolder(dirname(file))
  for (const part of upload.parts.values()) storage.segments.release(part.slices)
}

export async function abortUpload(storage: Storage, upload: Upload): Promise<void> {
  await closeGate(storage, upload, async () => forgetUpload(storage, upload))
}

function assertOpen(storage: Storage, upload: Upload): void {
  if (!storage.uploads.has(upload.record.uploadId)) {
    throw new S3Error('NoSuchUpload', undefined, {UploadId: upload.record.uploadId})
  }
}
