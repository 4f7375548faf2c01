import type {Body} from '../core/body.ts'
import type {Target} from '../core/target.ts'
import type {Call, Json} from './upload-store.ts'

/** What a read-only look at an object tells. */
export interface ObjectInfo {
  readonly target: Target
  /** Below zero: the store does not say. */
  readonly size: number
  readonly etag: string
  readonly modified?: Date
  readonly contentType?: string
  readonly contentDisposition?: string
  readonly metadata?: Readonly<Record<string, string>>
  /** The store's own full-object CRC-32, eight hex digits. */
  readonly crc32?: string
  readonly versionId?: string
  readonly parts?: number
  /** The ETag is not made from MD5s, as under SSE-KMS. */
  readonly isEtagOpaque?: boolean
}

export interface PendingUpload {
  readonly target: Target
  readonly uploadId: string
  readonly started?: Date
  /** The driver's own, as in a session. */
  readonly state?: Json
}

export interface ByteRange {
  readonly offset: number
  readonly size: number
}

export interface CompareHint {
  /** Of the upload, where it is known. */
  readonly partSize?: number
}

export interface Comparison {
  readonly info: ObjectInfo
  readonly by?: 'crc32' | 'md5'
}

export interface ObjectStore {
  /** Fails `not-found`. */
  head(target: Target, call: Call): Promise<ObjectInfo>
  /**
   * Hands over the bytes of a range, or of the whole, in order; `onBytes` is awaited. Fails `unsupported`, before the first
   * byte, where the store has no ranges.
   */
  read(
    target: Target,
    range: ByteRange | undefined,
    onBytes: (bytes: Buffer) => void | Promise<void>,
    call: Call,
  ): Promise<ObjectInfo>
  /**
   * Compares an object with bytes by the checksums that the store keeps, without downloading it. `by` is absent where
   * they do not tell. Fails `integrity` when they differ, `not-found`.
   */
  compare(target: Target, body: Body, hint: CompareHint, call: Call): Promise<Comparison>
  /** Lists every object whose key starts with the target's key, in order; only those after a key where one is given. */
  list(prefix: Target, call: Call, after?: string): AsyncIterable<ObjectInfo>
  /** Not there already is success. */
  deleteObject(target: Target, call: Call): Promise<void>
  listUploads(prefix: Target, call: Call): AsyncIterable<PendingUpload>
}
