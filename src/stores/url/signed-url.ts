import type {Target, UrlDestination} from '../../core/target.ts'

/** What somebody was given to upload with. */
export type GivenUrl = UrlDestination

/** A signed URL that was read, not used. Its query is a secret, and so are the fields of a form. */
interface AnySignedUrl {
  /** Scheme, host and port. */
  readonly origin: string
  /** As it goes over the wire: percent-encoded, without the query. */
  readonly path: string
  /** With its question mark. */
  readonly query: string
  /** The address without the signature, decoded: for people, and to tell which file becomes which object. */
  readonly target: Target & {readonly takesName: boolean}
  /** Absent: it does not tell. */
  readonly expires?: Date
  readonly begins?: Date
  /** To be sent exactly so, by names in lower case; what was given with the URL. */
  readonly headers: Readonly<Record<string, string>>
}

/** A presigned PUT of S3. */
export interface S3Url extends AnySignedUrl {
  readonly kind: 's3'
  readonly version: 2 | 4
  /** Headers that the signature covers, but `host`; version 2 does not tell. */
  readonly signed: readonly string[]
  /** The checksum of the body stands in the query, and most signers have put that of an empty body there. */
  readonly hasChecksum: boolean
}

/** A temp URL of Swift: for one key, or for all that start alike. */
export interface SwiftUrl extends AnySignedUrl {
  readonly kind: 'swift'
  readonly isPrefix: boolean
  /** Only these addresses may use it. */
  readonly ipRange?: string
}

/** What the policy of a form asks of one field. */
export interface FieldRule {
  readonly field: string
  readonly isStart: boolean
  readonly value: string
}

/** A form of S3 with its policy. */
export interface FormUrl extends AnySignedUrl {
  readonly kind: 'form'
  readonly fields: Readonly<Record<string, string>>
  readonly rules: readonly FieldRule[]
  readonly min: number
  readonly max: number
}

export type SignedUrl = S3Url | SwiftUrl | FormUrl

/** Where an upload to this key goes over the wire, query included. */
export function pathFor(url: SignedUrl, key: string, encode: (text: string) => string): string {
  return `${url.path}${encode(key.slice(url.target.key.length))}${url.query}`
}
