import type {Target} from '../core/target.ts'
import type {Call, ChecksumMode} from './upload-store.ts'

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
  /** Where parts go to a container of their own that is not there yet: the first of them makes it. */
  findMissingContainer(target: Target, call: Call): Promise<Target | undefined>
  /** Absent: not known yet. */
  checksum(): ChecksumMode | undefined
  /** Writes the least that whoever uploads to the target must be allowed, as the store takes it. */
  writePolicy(target: Target, level: PolicyLevel): {readonly text: string; readonly notes: readonly string[]}
}

/** What drivers have for the doctor, under any layers; the probe is loaded only when it is opened. */
export interface Probing {
  readonly probing: {open(): Promise<Probe>}
}
