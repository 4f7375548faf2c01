import type {Body} from '../core/body.ts'
import type {Failure} from '../core/failure.ts'
import type {Target} from '../core/target.ts'

export type Json = string | number | boolean | null | readonly Json[] | {readonly [name: string]: Json}

export interface Part {
  readonly number: number
  readonly offset: number
  readonly size: number
}

export interface PartReceipt {
  readonly number: number
  readonly size: number
  /** The store's, without quotes. */
  readonly etag: string
  /** Ours, always: eight hex digits; empty only where a listing gave the receipt. */
  readonly crc32: string
}

/** What an object carries beside its bytes. */
export interface ObjectOptions {
  readonly contentType?: string
  readonly cacheControl?: string
  readonly contentDisposition?: string
  readonly contentEncoding?: string
  readonly metadata?: Readonly<Record<string, string>>
  readonly tags?: Readonly<Record<string, string>>
  readonly storageClass?: string
  readonly acl?: string
  readonly sse?: string
  readonly sseKmsKeyId?: string
  /** Fail `exists` rather than replace. */
  readonly noClobber?: boolean
  /** Seconds after which the store deletes the object (Swift). */
  readonly deleteAfterInSeconds?: number
  /** Where the segments go (Swift); `<container>_segments` where nothing else is said. */
  readonly segmentContainer?: string
  /** Leave the segments of the object that is replaced (Swift). */
  readonly keepOldSegments?: boolean
}

export type ChecksumMode = 'crc32' | 'md5'

/** How the parts of one upload are cut; plain data, made by `upload/plan`. */
export interface PartPlan {
  /** Below zero: not known before the end. Parts may grow then, and `complete` is told the size by its session. */
  readonly size: number
  /** Of the first part. */
  readonly partSize: number
  /** Where the size is not known, the most there may be. */
  readonly count: number
}

/** Everything `complete` needs; plain data, journalled, no secret. */
export interface Session {
  readonly target: Target
  readonly uploadId: string
  readonly options: ObjectOptions
  /** Below zero: not known yet. */
  readonly size: number
  readonly partSize: number
  readonly checksum: ChecksumMode
  /** The driver's own; no secret. */
  readonly state?: Json
}

export interface PartLimits {
  /** Smallest part but the last. */
  readonly min: number
  readonly max: number
  readonly count: number
  /** All parts but the last must have one size. */
  readonly equal: boolean
}

export interface Limits {
  /** Largest object in one PUT. */
  readonly whole: number
  /** Largest object of all. */
  readonly object: number
  /** Absent: whole only. */
  readonly part?: PartLimits
  /** Bytes of a key in UTF-8. */
  readonly key: number
  /** `key` counts characters instead. */
  readonly keyUnit?: 'characters'
  /** Whoever made the ticket chose `object`, and may choose another; absent: the store did. */
  readonly by?: 'ticket'
}

/** How sure the store's answer makes us: its own check, our comparison, or none that could be made. */
export interface Verified {
  readonly by: 'crc32' | 'md5' | 'none'
  /** Why it is `none`. */
  readonly note?: string
}

export interface StoredObject {
  readonly target: Target
  readonly size: number
  readonly etag: string
  /** Of the whole object, eight hex digits; absent where nobody computed it. */
  readonly crc32?: string
  /** Of the whole object in hex; absent where nobody computed it. */
  readonly md5?: string
  readonly verified: Verified
  readonly versionId?: string
  /** Things the person should know, each one sentence. */
  readonly notes?: readonly string[]
}

export interface RetryNotice {
  readonly attempt: number
  readonly wait: number
  readonly failure: Failure
}

/** How many bodies of a kind (parts, small objects) may travel at once. */
export interface ConcurrencyNotice {
  readonly now: number
  /** As many as were wished. */
  readonly most: number
  /** They never were so few since they were as many as were wished. */
  readonly isFewest: boolean
}

export interface Call {
  readonly signal: AbortSignal
  readonly onRetry?: (notice: RetryNotice) => void
  /** This call made the limit of all calls of its kind fall or rise. */
  readonly onConcurrency?: (notice: ConcurrencyNotice) => void
  /** Absolute: how much of this body has left so far; goes back to 0 at a retry. */
  readonly onSent?: (bytes: number) => void
  /** The bandwidth limit; waiting for it is no stall. */
  readonly pace?: (bytes: number, signal: AbortSignal) => Promise<void>
  /** Set for listings: asks for a page again while that may help. See `tryPage`. */
  readonly retryPage?: <T>(ask: () => Promise<T>) => Promise<T>
}

export interface UploadStore {
  /** Names the store for journals and findings: the same for the same one, whatever its remote is called. */
  readonly endpoint: string
  /** Memoised. An unknown S3 endpoint counts as 1,000 parts until it says more. */
  limits(call: Call): Promise<Limits>
  /** Whole or not at all. Fails `exists` under `noClobber`. */
  putWhole(target: Target, body: Body, options: ObjectOptions, call: Call): Promise<StoredObject>
  /** Under `noClobber` fails `exists` as far as looking tells; `complete` is what keeps it. */
  begin(target: Target, options: ObjectOptions, plan: PartPlan, call: Call): Promise<Session>
  putPart(session: Session, part: Part, body: Body, call: Call): Promise<PartReceipt>
  /** Fails `not-found` when the store has forgotten the upload. Receipts of a listing have no crc32 of ours. */
  listParts(session: Session, call: Call): Promise<PartReceipt[]>
  /** Takes the receipts of all parts in order. May be called again after an unclear answer. */
  complete(session: Session, receipts: readonly PartReceipt[], call: Call): Promise<StoredObject>
  /** Forgotten already is success. */
  abort(session: Session, call: Call): Promise<void>
}
