import {Flags} from '@oclif/core'
import {Failure} from '../core/failure.ts'
import type {ContainerOptions} from '../stores/store.ts'
import {checkOrigin} from './cors-rule.ts'
import {durationFlag, pairFlag, sizeFlag} from './flags.ts'
import {readMetadata} from './pairs.ts'

const SWIFT = 'SWIFT'

export const containerFlags = {
  versioning: Flags.boolean({description: 'keep old versions of objects', allowNo: true}),
  'public-read': Flags.boolean({description: 'let everybody on the internet read every object; asks first'}),
  'abort-incomplete': durationFlag({description: 'drop unfinished uploads after so many days, such as 7d'}),
  'delete-after': durationFlag({description: 'delete every object after so many days, such as 30d'}),
  'cors-origin': Flags.string({
    description: 'origin of a page that uploads there: cors set --preset browser-upload; may be given several times',
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'ORIGIN',
  }),
  encryption: Flags.string({description: 'AES256, aws:kms, or aws:kms:KEY with the ID or ARN of a key'}),
  yes: Flags.boolean({char: 'y', description: 'do not ask'}),
  policy: Flags.string({
    description: 'storage policy; can be chosen for a new container only',
    helpGroup: SWIFT,
    helpValue: 'NAME',
  }),
  metadata: pairFlag({
    char: 'm',
    description: 'metadata of the container, with an empty value to remove it; may be given several times',
    multiple: true,
    multipleNonGreedy: true,
    helpGroup: SWIFT,
  }),
  'quota-bytes': sizeFlag({
    description: 'the most that it may hold, segments of large objects apart; 0 for no limit',
    helpGroup: SWIFT,
  }),
  'quota-count': Flags.integer({
    description: 'the most objects that it may hold; 0 for no limit',
    min: 0,
    helpGroup: SWIFT,
  }),
  'read-acl': Flags.string({
    description: 'who may read beside the owner, such as PROJECT:USER or .r:*; replaces what is set, empty for nobody',
    helpGroup: SWIFT,
    helpValue: 'ACL',
    exclusive: ['public-read'],
  }),
}

interface ContainerFlags {
  readonly region?: string | undefined
  readonly versioning?: boolean | undefined
  readonly 'public-read': boolean
  readonly 'abort-incomplete'?: number | undefined
  readonly 'delete-after'?: number | undefined
  readonly 'cors-origin'?: readonly string[] | undefined
  readonly encryption?: string | undefined
  readonly policy?: string | undefined
  readonly metadata?: readonly (readonly [string, string])[] | undefined
  readonly 'quota-bytes'?: number | undefined
  readonly 'quota-count'?: number | undefined
  readonly 'read-acl'?: string | undefined
}

/** True where strangers will be able to read. */
export function opensToPublic(flags: Pick<ContainerFlags, 'public-read' | 'read-acl'>): boolean {
  // `.r:` lets by who sent a browser there, which anybody can pretend.
  return flags['public-read'] || /(?:^|,)\s*\.(?:r|ref|referr?er)\s*:\s*[^-\s]/iu.test(flags['read-acl'] ?? '')
}

/** Makes the options of a new container from flags. Fails `usage`. */
export function readContainerOptions(flags: ContainerFlags): ContainerOptions {
  for (const origin of flags['cors-origin'] ?? []) checkOrigin(origin)
  const named = {
    region: flags.region,
    versioning: flags.versioning,
    publicRead: flags['public-read'] || undefined,
    abortIncompleteAfterInDays: toDays('abort-incomplete', flags['abort-incomplete']),
    deleteAfterInDays: toDays('delete-after', flags['delete-after']),
    corsOrigins: flags['cors-origin'],
    encryption: flags.encryption,
    policy: flags.policy,
    metadata: readMetadata(flags.metadata),
    quotaBytes: flags['quota-bytes'],
    quotaCount: flags['quota-count'],
    readAcl: flags['read-acl'],
  }
  return Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined))
}

function toDays(flag: string, ms: number | undefined): number | undefined {
  if (ms === undefined) return undefined
  const days = ms / 86_400_000
  if (Number.isInteger(days)) return days
  throw new Failure('usage', `--${flag}: containers count in whole days.`, {suggestion: 'Write it like 7d.'})
}
