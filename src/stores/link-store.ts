import type {Target} from '../core/target.ts'
import type {Call} from './upload-store.ts'

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
