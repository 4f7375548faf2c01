import type {LifecycleRule, TransitionDefaultMinimumObjectSize} from '@aws-sdk/client-s3'
import type {ContainerOptions} from '../store.ts'
import {checkDocument, findDocument} from './ask.ts'
import type {Place} from './ask.ts'

interface Lifecycle {
  readonly rules: readonly LifecycleRule[]
  readonly minimumSize?: TransitionDefaultMinimumObjectSize
}

type Wish = Pick<ContainerOptions, 'abortIncompleteAfterInDays' | 'deleteAfterInDays' | 'versioning'>

/** Returns the rules of a container, or of one that has none an empty list. Fails `unsupported`. */
export async function getLifecycle(place: Place): Promise<Lifecycle> {
  const {container: Bucket} = place.target
  const answer = await findDocument(
    place.ask((send, sdk) => send(new sdk.GetBucketLifecycleConfigurationCommand({Bucket}))),
  )
  if (answer === undefined) return {rules: []}
  const {Rules: rules = [], TransitionDefaultMinimumObjectSize: minimumSize} = answer
  if (rules.length === 0) await checkDocument(place, 'lifecycle', 'LifecycleConfiguration')
  return {rules, ...(minimumSize === undefined ? {} : {minimumSize})}
}

/** Puts our rules beside the person's: those of the same id are replaced, all others stay as they are. */
export async function setLifecycle(place: Place, wish: Wish): Promise<readonly string[]> {
  const {ask, target} = place
  const {rules, minimumSize} = await getLifecycle(place)
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
