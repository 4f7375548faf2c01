import type {Target} from '../core/target.ts'
import type {Call, ChecksumMode, Json, Limits} from './upload-store.ts'

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
  /**
   * Lets these origins in, too: beside those whom a rule of Skylift's, or on Swift the only rule, lets in already and who
   * are still wanted. Returns what the person should know.
   */
  addCors(target: Target, rule: CorsRule, isWanted: (origin: string) => boolean, call: Call): Promise<readonly string[]>
  /** Removes all rules, whoever made them. */
  clearCors(target: Target, call: Call): Promise<void>
}
