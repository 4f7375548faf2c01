/**
 * What a place to upload to must do, and what it may count on.
 *
 * - A driver translates: every error leaves it as a `Failure`, with `retryable` set. It tries once; `layers/retry` tries
 *   again. Credentials are the one exception: they are renewed inside the driver, once per failure.
 * - Every method may be called again after it failed. `abort` of what is forgotten is success; `complete` and a
 *   conditional `putWhole` settle an unclear answer by asking what stands at the key.
 * - Sizes and offsets are bytes, times milliseconds, part numbers start at 1.
 */
import type {Body} from '../core/body.ts'
import type {Failure} from '../core/failure.ts'
import type {Target} from '../core/target.ts'

export type {Body} from '../core/body.ts'
export type {Target} from '../core/target.ts'

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

/** What a read-only look at an object tells. */
export interface ObjectInfo {
  readonly target: Target
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

export interface RetryNotice {
  readonly attempt: number
  readonly wait: number
  readonly failure: Failure
}

/** How many bodies may travel at once, and how many did before. */
export interface ConcurrencyNotice {
  readonly before: number
  readonly now: number
  /** As many as were wished. */
  readonly most: number
}

export interface Call {
  readonly signal: AbortSignal
  readonly onRetry?: (notice: RetryNotice) => void
  /** This call made the limit of all calls fall or rise. */
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
  begin(target: Target, options: ObjectOptions, plan: PartPlan, call: Call): Promise<Session>
  putPart(session: Session, part: Part, body: Body, call: Call): Promise<PartReceipt>
  /** Fails `not-found` when the store has forgotten the upload. Receipts of a listing have no crc32 of ours. */
  listParts(session: Session, call: Call): Promise<PartReceipt[]>
  /** Takes the receipts of all parts in order. May be called again after an unclear answer. */
  complete(session: Session, receipts: readonly PartReceipt[], call: Call): Promise<StoredObject>
  /** Forgotten already is success. */
  abort(session: Session, call: Call): Promise<void>
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
  /** Hands over the bytes of a range, or of the whole, in order; `onBytes` is awaited. */
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

export interface CorsRule {
  readonly id?: string
  readonly origins: readonly string[]
  readonly methods: readonly string[]
  readonly headers: readonly string[]
  readonly expose: readonly string[]
  readonly maxAgeInSeconds?: number
}

export interface ContainerOptions {
  readonly region?: string
  readonly versioning?: boolean
  readonly publicRead?: boolean
  readonly abortIncompleteAfterInDays?: number
  readonly deleteAfterInDays?: number
  readonly corsOrigins?: readonly string[]
  readonly encryption?: string
  /** Swift: storage policy. */
  readonly policy?: string
  /** Swift. */
  readonly metadata?: Readonly<Record<string, string>>
  /** Swift: who may read, in its own words, instead of what is set; empty for nobody else. */
  readonly readAcl?: string
  /** Swift: the most that the container may hold; 0 ends a limit. */
  readonly quotaBytes?: number
  readonly quotaCount?: number
}

export interface ContainerCreated {
  /** False: it was yours already. */
  readonly created: boolean
  readonly notes: readonly string[]
}

export interface ContainerInfo {
  readonly name: string
  readonly created?: Date
}

/** What an uploader cares for; a value is absent where the store does not tell, and `notes` says why. */
export interface ContainerDetails {
  readonly name: string
  readonly region?: string
  readonly versioning?: boolean
  readonly publicRead?: boolean
  readonly encryption?: string
  readonly cors?: readonly CorsRule[]
  readonly lifecycle?: readonly Json[]
  readonly limits: Limits
  readonly checksum?: ChecksumMode
  readonly notes: readonly string[]
  /** What only this provider has. */
  readonly extra?: Readonly<Record<string, Json>>
}

export interface ContainerStore {
  /**
   * Yours already is success. Somebody else's fails `exists`. A wish that the store cannot grant fails `unsupported`
   * when all others are granted; the container exists then.
   */
  createContainer(target: Target, options: ContainerOptions, call: Call): Promise<ContainerCreated>
  listContainers(call: Call): AsyncIterable<ContainerInfo>
  showContainer(target: Target, call: Call): Promise<ContainerDetails>
  /** Fails `exists` when it is not empty. */
  deleteContainer(target: Target, call: Call): Promise<void>
  getCors(target: Target, call: Call): Promise<readonly CorsRule[]>
  /** Replaces the rules that Skylift made by these, keeps all others, and returns what the person should know. */
  setCors(target: Target, rules: readonly CorsRule[], call: Call): Promise<readonly string[]>
  /** Removes all rules, whoever made them. */
  clearCors(target: Target, call: Call): Promise<void>
}

export type TempUrlMethod = 'GET' | 'PUT' | 'HEAD' | 'POST' | 'DELETE'

export type TempUrlDigest = 'sha1' | 'sha256' | 'sha512'

export interface TempUrlOptions {
  readonly method: TempUrlMethod
  /** Asked lifetime. */
  readonly expiresIn: number
  /** Take what the store or the credentials allow where it is shorter. */
  readonly allowShorter?: boolean
  readonly contentType?: string
  readonly contentLength?: number
  /** Base64. */
  readonly contentMd5?: string
  readonly metadata?: Readonly<Record<string, string>>
  readonly writeOnce?: boolean
  /** POST policy: the largest body. */
  readonly maxSize?: number
  /** GET: what the answer shall say. */
  readonly responseDisposition?: string
  readonly responseContentType?: string
  /** Swift: the best that the cluster allows where nothing is said. */
  readonly digest?: TempUrlDigest
  /** Swift: for every object whose key starts with the target's key, which may be empty. */
  readonly isPrefix?: boolean
  /** Swift: an address or a CIDR range that alone may use it. */
  readonly ipRange?: string
}

/** A signed URL and what must be sent with it. */
export interface TempUrl {
  readonly url: string
  readonly method: TempUrlMethod
  readonly expires: Date
  /** Headers that must be sent exactly so. */
  readonly headers: Readonly<Record<string, string>>
  /** Form fields of a POST policy. */
  readonly fields?: Readonly<Record<string, string>>
  readonly notes: readonly string[]
}

export interface LinkOptions {
  readonly filename?: string
  readonly inline?: boolean
  readonly expiresIn: number
  readonly allowShorter?: boolean
  readonly contentType?: string
}

export interface LinkStore {
  tempUrl(target: Target, options: TempUrlOptions, call: Call): Promise<TempUrl>
  link(target: Target, options: LinkOptions, call: Call): Promise<TempUrl>
  /** The plain address, without a signature. */
  publicUrl(target: Target, call: Call): Promise<string>
}

/** The two keys that temp URLs of Swift are signed with; secrets. */
export interface TempUrlKeys {
  readonly key?: string
  readonly key2?: string
}

/** Only Swift has it: see `hasTempUrlKeys`. Without a container the target is the account. */
export interface KeyStore {
  getTempUrlKeys(target: Target, call: Call): Promise<TempUrlKeys>
  /** Replaces one of the keys; URLs signed with it end at once. */
  setTempUrlKey(target: Target, slot: keyof TempUrlKeys, key: string, call: Call): Promise<void>
  /**
   * Makes `key` the first one and keeps the present first one as the second, so that live URLs go on working. URLs
   * signed with the present second one end.
   */
  rotateTempUrlKey(target: Target, key: string, call: Call): Promise<void>
}

export interface Store extends UploadStore, ObjectStore, ContainerStore, LinkStore {}

/** Who the store takes us for. */
export interface WhoAmI {
  /** A name for people; no secret. */
  readonly who: string
  /** When the credentials end. Absent where they do not say. */
  readonly ends?: Date
}

/** What an upload may need: to put objects, to send parts, to go on after a break, to drop parts, to list. */
export type Right = 'write' | 'parts' | 'resume' | 'abort' | 'list'

/** What trying a right showed; `allowed` is absent where it could not be told, and `note` says why. */
export interface RightFinding {
  readonly allowed?: boolean
  readonly note?: string
}

/** Somebody who may only put objects, who may also go on and clean up, or who may also look around. */
export type PolicyLevel = 'upload' | 'resume' | 'all'

/** What a doctor asks of a store. Nothing is written, nothing is tried twice. Opened by `openProbe`. */
export interface Probe {
  /** Where the requests about a target go: scheme, host and port. Swift signs in to know it. */
  findOrigin(target: Target, call: Call): Promise<string>
  /** Fails `auth`, `expired`, `config`. */
  identify(call: Call): Promise<WhoAmI>
  /** Fails `not-found`, and `forbidden` where these credentials may not look. */
  lookAtContainer(target: Target, call: Call): Promise<void>
  /** After a look at the container, the region that it told. */
  findRegion(target: Target, call: Call): Promise<string | undefined>
  tryRight(right: Right, target: Target, call: Call): Promise<RightFinding>
  /** Absent: not known yet. */
  checksum(): ChecksumMode | undefined
  /** Writes the least that whoever uploads to the target must be allowed, as the store takes it. */
  writePolicy(target: Target, level: PolicyLevel): {readonly text: string; readonly notes: readonly string[]}
}

/** What drivers have for the doctor, under any layers; the probe is loaded only when it is opened. */
export interface Probing {
  readonly probing: {open(): Promise<Probe>}
}
