import {GIB, MIB, TIB} from '../../core/sizes.ts'
import type {Limits} from '../store.ts'

/** How one implementation strays from S3 as AWS documents it. What is not known is probed, and kept as a finding. */
export interface Quirks {
  readonly name: string
  readonly limits: Limits
  /** Verifies `x-amz-checksum-crc32` and echoes it. Absent: not known. */
  readonly verifiesCrc32?: boolean
  /** Honours `If-None-Match: *` on PUT and Complete. Absent: not known. */
  readonly conditionalPut?: boolean
  /** Endpoint names its region itself. */
  readonly defaultRegion: string
}

const PART = {min: 5 * MIB, max: 5 * GIB, count: 10_000, equal: false}
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
const AWS_LIMITS: Limits = {whole: 5 * GIB, object: 10_000 * 5 * GIB, part: PART, key: 1024}

/** For an endpoint that nobody knows: Swift's s3api has 1,000 parts, and nobody has fewer. */
export const UNKNOWN: Quirks = {
  name: 'S3',
  limits: {...AWS_LIMITS, part: {...PART, count: 1000}},
  defaultRegion: 'us-east-1',
}

export const AWS: Quirks = {
  name: 'AWS S3',
  limits: AWS_LIMITS,
  verifiesCrc32: true,
  conditionalPut: true,
  defaultRegion: 'us-east-1',
}

export const SANDBOX: Quirks = {...AWS, name: 'sandbox'}

/** By the end of the endpoint's host name; sources are the vendors' pages named in docs/s3.md. */
const KNOWN: readonly (readonly [suffix: string, quirks: Quirks])[] = [
  ['.amazonaws.com', AWS],
  ['.amazonaws.com.cn', AWS],
  [
    '.r2.cloudflarestorage.com',
    {
      name: 'Cloudflare R2',
      limits: {...AWS_LIMITS, object: 5 * TIB, part: {...PART, equal: true}},
      conditionalPut: true,
      defaultRegion: 'auto',
    },
  ],
  ['.backblazeb2.com', {name: 'Backblaze B2', limits: {...AWS_LIMITS, object: 10 * TIB}, defaultRegion: 'us-west-004'}],
  ['.wasabisys.com', {name: 'Wasabi', limits: {...AWS_LIMITS, object: 5 * TIB}, defaultRegion: 'us-east-1'}],
  ['.digitaloceanspaces.com', {name: 'DigitalOcean Spaces', limits: AWS_LIMITS, defaultRegion: 'us-east-1'}],
  ['storage.googleapis.com', {name: 'Google', limits: {...AWS_LIMITS, object: 5 * TIB}, defaultRegion: 'auto'}],
  ['.scw.cloud', {name: 'Scaleway', limits: {...UNKNOWN.limits, object: 5 * TIB}, defaultRegion: 'fr-par'}],
]

/** Returns what is known of an endpoint; undefined is AWS itself. */
export function findQuirks(endpoint: string | undefined): Quirks {
  if (endpoint === undefined) return AWS
  const host = new URL(endpoint).hostname
  return KNOWN.find(([suffix]) => host === suffix || host.endsWith(suffix))?.[1] ?? UNKNOWN
}
