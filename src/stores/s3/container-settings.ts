import type {ServerSideEncryption} from '@aws-sdk/client-s3'
import {Failure, isFailure} from '../../core/failure.ts'
import type {ContainerOptions} from '../store.ts'
import type {Place} from './ask.ts'
import {browserUpload, setCors} from './cors.ts'
import {setLifecycle} from './lifecycle.ts'
import {openToPublic} from './public-read.ts'

/** A container that stands. */
export interface Standing extends Place {
  readonly region: string
  /** Just now. */
  readonly created: boolean
}

interface Setting {
  readonly name: string
  /** What to do where the store cannot. */
  readonly instead: string
  /** Returns what the person should know. */
  apply(): Promise<readonly string[]>
}

/** Fails `usage` where an option cannot be meant. */
export function checkOptions(options: ContainerOptions): void {
  for (const days of [options.abortIncompleteAfterInDays, options.deleteAfterInDays]) {
    if (days !== undefined && !(Number.isSafeInteger(days) && days >= 1)) {
      throw new Failure('usage', 'S3 counts lifetimes in whole days, at least one.')
    }
  }
  refuseSwift(options)
  if (options.encryption !== undefined) readEncryption(options.encryption)
}

function refuseSwift({policy, metadata, quotaBytes, quotaCount, readAcl}: ContainerOptions): void {
  const lack = (what: string, suggestion: string): never => {
    throw new Failure('unsupported', `S3 has no ${what}.`, {suggestion})
  }
  if (policy !== undefined) lack('storage policies of containers', 'Give each upload a storage class.')
  if (metadata !== undefined) lack('metadata of containers', 'Give it to the objects: upload --metadata.')
  if (quotaBytes !== undefined || quotaCount !== undefined) {
    lack(
      'quotas of containers',
      'Some stores have one in their own administration; temp URLs limit the size of one upload.',
    )
  }
  if (readAcl !== undefined) lack('read ACLs of this kind', 'Take --public-read, or a policy of your own.')
}

/**
 * Applies what was wished for, all that the store can do, and returns notes. What it cannot do then fails
 * `unsupported`, or `forbidden`; the container exists all the same, and the same may be called again.
 */
export async function applySettings(place: Standing, options: ContainerOptions): Promise<readonly string[]> {
  const notes: string[] = []
  const refused: {setting: Setting; failure: Failure}[] = []
  for (const setting of listSettings(place, options)) {
    try {
      notes.push(...(await setting.apply()))
    } catch (failure) {
      if (!isFailure(failure, 'unsupported', 'usage', 'forbidden')) throw failure
      refused.push({setting, failure})
    }
  }
  const [first] = refused
  if (first === undefined) return notes
  const {container} = place.target
  const names = refused.map(({setting}) => setting.name).join(' and ')
  const reasons = [...new Set(refused.map(({failure}) => failure.message))].join(' ')
  const isForbidden = refused.every(({failure}) => failure.code === 'forbidden')
  throw new Failure(
    isForbidden ? 'forbidden' : 'unsupported',
    `The container "${container}" exists, but without ${names}: ${reasons}`,
    {
      context: {...first.failure.context, container},
      cause: first.failure,
      suggestion: isForbidden
        ? 'Use credentials that may change the settings of containers, and run it again.'
        : refused.map(({setting}) => setting.instead).join(' '),
    },
  )
}

function listSettings(place: Standing, options: ContainerOptions): readonly Setting[] {
  const {ask, target} = place
  const {container: Bucket} = target
  const {versioning, corsOrigins, encryption, abortIncompleteAfterInDays, deleteAfterInDays} = options
  const settings: (Setting | false)[] = [
    // A new container has no versions yet: there is nothing to switch off.
    versioning !== undefined &&
      (versioning || !place.created) && {
        name: 'versioning',
        instead: 'Keep old versions under keys of their own.',
        async apply() {
          const VersioningConfiguration = {Status: versioning ? ('Enabled' as const) : ('Suspended' as const)}
          await ask((send, sdk) => send(new sdk.PutBucketVersioningCommand({Bucket, VersioningConfiguration})))
          return []
        },
      },
    encryption !== undefined && {
      name: 'encryption',
      instead: 'Ask the provider how it encrypts, or encrypt the files before they are uploaded.',
      async apply() {
        const Rules = [{ApplyServerSideEncryptionByDefault: readEncryption(encryption)}]
        const ServerSideEncryptionConfiguration = {Rules}
        await ask((send, sdk) => send(new sdk.PutBucketEncryptionCommand({Bucket, ServerSideEncryptionConfiguration})))
        return []
      },
    },
    (abortIncompleteAfterInDays !== undefined || deleteAfterInDays !== undefined) && {
      name: 'lifecycle rules',
      instead: 'Run "skylift pending prune" from time to time for unfinished uploads, and delete old objects yourself.',
      apply: () => setLifecycle(place, options),
    },
    corsOrigins !== undefined &&
      corsOrigins.length > 0 && {
        name: 'CORS',
        instead: "Set CORS where the provider has it: its console, or on OpenStack Swift the container's own.",
        apply: () => setCors(place, [browserUpload(corsOrigins)]),
      },
    options.publicRead === true && {
      name: 'public reading',
      instead: 'Hand out links instead: skylift link TARGET.',
      apply: () => openToPublic(place, place.region),
    },
  ]
  return settings.filter(setting => setting !== false)
}

/** Reads `AES256`, `aws:kms`, `aws:kms:KEY` or the same with `aws:kms:dsse`. Fails `usage`. */
function readEncryption(text: string): {SSEAlgorithm: ServerSideEncryption; KMSMasterKeyID?: string} {
  const [, algorithm, key] = /^(AES256|aws:kms:dsse|aws:kms)(?::(.+))?$/u.exec(text) ?? []
  if (algorithm === undefined || (algorithm === 'AES256' && key !== undefined)) {
    throw new Failure('usage', `"${text}" is no encryption that S3 knows.`, {
      suggestion: 'Write AES256, aws:kms, or aws:kms:KEY with the ID or ARN of a key.',
    })
  }
  return {SSEAlgorithm: algorithm as ServerSideEncryption, ...(key === undefined ? {} : {KMSMasterKeyID: key})}
}
