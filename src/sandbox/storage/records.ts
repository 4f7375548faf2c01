/** A run of bytes in a segment file. */
export interface Slice {
  readonly file: string
  readonly start: number
  readonly size: number
}

export type ChecksumAlgorithm = 'crc32' | 'sha1' | 'sha256'
export type ChecksumType = 'FULL_OBJECT' | 'COMPOSITE'
/** Base64, as in the `x-amz-checksum-*` headers. */
export type Checksums = Readonly<Partial<Record<ChecksumAlgorithm, string>>>

export type Tag = readonly [key: string, value: string]

/** What a client says about an object before its bytes come. */
export interface ObjectAttributes {
  /** The headers that a GET answers: content-type, cache-control, x-amz-meta-… */
  readonly headers: Readonly<Record<string, string>>
  readonly tags: readonly Tag[]
  readonly acl: string
}

export interface ObjectRecord extends ObjectAttributes {
  readonly key: string
  readonly size: number
  readonly etag: string
  readonly modified: number
  readonly checksums: Checksums
  readonly checksumType: ChecksumType
  readonly slices: readonly Slice[]
  /** Of an object made by a multipart upload: which, and its parts in order. */
  readonly uploadId?: string
  readonly parts?: readonly ObjectPart[]
}

export interface ObjectPart {
  readonly number: number
  readonly size: number
  readonly checksums?: Checksums
}

export interface UploadRecord extends ObjectAttributes {
  readonly uploadId: string
  readonly bucket: string
  readonly key: string
  readonly started: number
  readonly algorithm?: ChecksumAlgorithm
  readonly checksumType?: ChecksumType
}

export interface PartRecord {
  readonly number: number
  readonly size: number
  readonly etag: string
  readonly modified: number
  readonly checksums: Checksums
  readonly slices: readonly Slice[]
}

export interface BucketRecord {
  readonly name: string
  readonly created: number
  readonly location: string
  readonly acl: string
  /** The documents of sub-resources (cors, lifecycle, policy, …) as they were sent. */
  readonly documents: Readonly<Record<string, string>>
}
