import type {LifecycleRule, TransitionDefaultMinimumObjectSize} from '@aws-sdk/client-s3'
import {Failure} from '../../core/failure.ts'
import type {Call, ContainerOptions, Target} from '../store.ts'
import type {Ask} from './ask.ts'
import {findDocument} from './ask.ts'
import type {S3Connection} from './client.ts'
import {requestXml} from './multipart.ts'

interface Lifecycle {
  readonly rules: readonly LifecycleRule[]
  readonly minimumSize?: TransitionDefaultMinimumObjectSize
}

type Wish = Pick<ContainerOptions, 'abortIncompleteAfterInDays' | 'deleteAfterInDays' | 'versioning'>

/** Returns the rules of a container, or of one that has none an empty list. Fails `unsupported`. */
export async function getLifecycle(connection: S3Connection, ask: Ask, target: Target, call: Call): Promise<Lifecycle> {
  const {container: Bucket} = target
  const answer = await findDocument(ask((send, sdk) => send(new sdk.GetBucketLifecycleConfigurationCommand({Bucket}))))
  if (answer === undefined) return {rules: []}
  const {Rules: rules = [], TransitionDefaultMinimumObjectSize: minimumSize} = answer
  // Swift answers with a listing of the objects; the SDK takes that for rules, of which there are none.
  if (rules.length === 0) await checkRoot(connection, target, call)
  return {rules, ...(minimumSize === undefined ? {} : {minimumSize})}
}

async function checkRoot(connection: S3Connection, target: Target, call: Call): Promise<void> {
  const request = {method: 'GET', target: {...target, key: ''}, query: {lifecycle: ''}}
  try {
    await requestXml(connection, request, call, 'LifecycleConfiguration')
  } catch (error) {
    call.signal.throwIfAborted()
    throw new Failure('unsupported', 'This store has no lifecycle rules.', {
      context: {container: target.container},
      cause: error,
    })
  }
}

/** Puts our rules beside the person's: those of the same id are replaced, all others stay as they are. */
export async function setLifecycle(
  connection: S3Connection,
  ask: Ask,
  target: Target,
  wish: Wish,
  call: Call,
): Promise<readonly string[]> {
  const {rules, minimumSize} = await getLifecycle(connection, ask, target, call)
  // The old form, a prefix without a filter, and the new one must not be mixed.
  const isOldForm = rules.some(rule => rule.Filter === undefined)
  const ours = makeRules(wish).map(rule => ({...rule, ...(isOldForm ? {Prefix: ''} : {Filter: {Prefix: ''}})}))
  const replaced = new Set(ours.map(rule => rule.ID))
  const others = rules.filter(rule => !replaced.has(rule.ID ?? ''))
  await ask((send, sdk) =>
    send(
      new sdk.PutBucketLifecycleConfigurationCommand({
        Bucket: target.container,
        LifecycleConfiguration: {Rules: [...others, ...ours]},
        ...(minimumSize === undefined ? {} : {TransitionDefaultMinimumObjectSize: minimumSize}),
      }),
    ),
  )
  return []
}

function makeRules({abortIncompleteAfterInDays, deleteAfterInDays, versioning}: Wish) {
  return [
    ...(abortIncompleteAfterInDays === undefined
      ? []
      : [
          {
            ID: 'skylift-abort-incomplete',
            Status: 'Enabled' as const,
            AbortIncompleteMultipartUpload: {DaysAfterInitiation: abortIncompleteAfterInDays},
          },
        ]),
    ...(deleteAfterInDays === undefined
      ? []
      : [
          {
            ID: 'skylift-delete-after',
            Status: 'Enabled' as const,
            Expiration: {Days: deleteAfterInDays},
            // With versions, expiring an object only hides it.
            ...(versioning === true ? {NoncurrentVersionExpiration: {NoncurrentDays: deleteAfterInDays}} : {}),
          },
        ]),
  ]
}
