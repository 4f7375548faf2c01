import type {
  ChecksumMode,
  Limits,
  ObjectOptions,
  ObjectStore,
  PartReceipt,
  Session,
  Target,
  UploadStore,
  Verified,
} from '../../src/stores/store.ts'

export type MemoryVerb = keyof UploadStore | keyof ObjectStore

/** One call as the store saw it; `nth` counts those of its verb from 1. */
export interface MemoryCall {
  readonly verb: MemoryVerb
  readonly nth: number
  readonly target?: Target
  readonly uploadId?: string
  readonly part?: number
}

export type MemoryHook = (call: MemoryCall, signal: AbortSignal) => void | Promise<void>

export interface MemoryStoreOptions {
  readonly limits?: Partial<Limits>
  /** It has no parts at all. */
  readonly wholeOnly?: boolean
  /** What sessions are begun with: with `crc32` a part is read twice and compared, with `md5` it is read once. */
  readonly checksum?: ChecksumMode
  /** What finished objects say of their verification, in place of the checksum's name. */
  readonly verified?: Verified
  /** Absent: every container is there. */
  readonly containers?: readonly string[]
  /** Runs before a call has any effect: what it throws fails the call, while it waits the call waits. */
  readonly before?: MemoryHook
  /** Runs when a call had its effect: what it throws stands for an answer that was lost. */
  readonly after?: MemoryHook
}

export interface MemoryObject {
  readonly target: Target
  readonly bytes: Buffer
  readonly options: ObjectOptions
  readonly etag: string
  readonly crc32: string
  readonly modified: Date
  /** Of a multipart upload only. */
  readonly uploadId?: string
  readonly parts?: number
}

export interface MemoryUpload {
  readonly session: Session
  readonly started: Date
  readonly parts: Map<number, {readonly receipt: PartReceipt; readonly bytes: Buffer}>
}

export interface MemoryStore extends UploadStore, ObjectStore {
  /** By `container/key`. */
  readonly objects: Map<string, MemoryObject>
  /** Unfinished ones, by upload ID. */
  readonly uploads: Map<string, MemoryUpload>
  /** Every call, in order, those that failed too. */
  readonly calls: MemoryCall[]
}
