import {GIB, MIB} from '../../core/sizes.ts'
import type {Limits, TempUrlDigest} from '../store.ts'

/** What a cluster says of itself in `/info`, as far as it matters to us. */
export interface Quirks {
  readonly limits: Limits
  /** For temp URLs, the best first; empty where it has none of them, absent where the cluster does not tell. */
  readonly digests?: readonly TempUrlDigest[]
  /** Methods of temp URLs. */
  readonly methods?: readonly string[]
  /** Storage policies by name, the default first. */
  readonly policies: readonly string[]
  /** Listings mark large objects (`slo_etag`), since 2.18. */
  readonly listsLargeObjects: boolean
  readonly hasVersions: boolean
  /** Honours `If-None-Match: *` on PUT. Absent: not known. */
  readonly conditionalPut?: boolean
  /** Shows what its large objects are made of. */
  readonly showsManifests: boolean
  readonly version?: string
}

type Section = Readonly<Record<string, unknown>>

const DIGESTS: readonly TempUrlDigest[] = ['sha256', 'sha512', 'sha1']

/** For a cluster that keeps `/info` closed: Swift's own defaults, with the 1 MiB that older ones want of a segment. */
export const CLOSED: Quirks = {
  limits: {
    whole: 5 * GIB,
    object: 1000 * 5 * GIB,
    part: {min: MIB, max: 5 * GIB, count: 1000, equal: false},
    key: 1024,
    keyUnit: 'characters',
  },
  policies: [],
  listsLargeObjects: false,
  hasVersions: false,
  showsManifests: true,
}

// https://docs.openstack.org/swift/latest/api/discoverability.html
/** Reads what `/info` answered. */
export function readQuirks(info: Readonly<Record<string, unknown>>): Quirks {
  const swift = sectionOf(info['swift'])
  const slo = info['slo'] === undefined ? undefined : sectionOf(info['slo'])
  const tempUrl = sectionOf(info['tempurl'])
  const whole = numberOf(swift['max_file_size']) ?? CLOSED.limits.whole
  const count = numberOf(slo?.['max_manifest_segments']) ?? 1000
  // A zero-byte segment is refused by clusters that say 1, whatever some take.
  const min = Math.max(1, numberOf(slo?.['min_segment_size']) ?? 1)
  const allowed = tempUrl['allowed_digests']
  const methods = tempUrl['methods']
  // It names this limit otherwise, counts its versions for itself, heeds no conditions, and shows no manifests.
  const isCeph = swift['max_object_name_size'] !== undefined
  const version = typeof swift['version'] === 'string' ? swift['version'] : undefined
  return {
    limits: {
      whole,
      object: slo === undefined ? whole : whole * count,
      ...(slo === undefined ? {} : {part: {min, max: whole, count, equal: false}}),
      key: numberOf(swift['max_object_name_length'] ?? swift['max_object_name_size']) ?? CLOSED.limits.key,
      keyUnit: 'characters',
    },
    digests: info['tempurl'] === undefined ? [] : readDigests(allowed),
    ...(Array.isArray(methods) ? {methods: methods.map(String)} : {}),
    policies: readPolicies(swift['policies']),
    listsLargeObjects: !isCeph && version !== undefined && isSince(version, 2, 18),
    hasVersions: info['object_versioning'] !== undefined,
    conditionalPut: !isCeph,
    showsManifests: !isCeph,
    ...(version === undefined ? {} : {version}),
  }
}

/** A cluster that does not say is from before there was a choice. */
function readDigests(allowed: unknown): TempUrlDigest[] {
  return Array.isArray(allowed) ? DIGESTS.filter(digest => allowed.includes(digest)) : ['sha1']
}

function readPolicies(value: unknown): string[] {
  if (!Array.isArray(value)) return []
  const policies = value.map(sectionOf)
  const sorted = [
    ...policies.filter(each => each['default'] === true),
    ...policies.filter(each => each['default'] !== true),
  ]
  return sorted.flatMap(({name}) => (typeof name === 'string' && name !== '' ? [name] : []))
}

function sectionOf(value: unknown): Section {
  return typeof value === 'object' && value !== null ? (value as Section) : {}
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && value > 0 ? value : undefined
}

function isSince(version: string, major: number, minor: number): boolean {
  const [theirs = 0, second = 0] = version.split('.').map(Number)
  return theirs > major || (theirs === major && second >= minor)
}
