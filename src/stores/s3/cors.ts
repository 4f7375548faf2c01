import type {CORSRule} from '@aws-sdk/client-s3'
import {Failure} from '../../core/failure.ts'
import type {CorsRule} from '../store.ts'
import {checkDocument, findDocument, isUnsupported} from './ask.ts'
import type {Place} from './ask.ts'

/** Rules whose id begins so are ours; all others are the person's. */
export const OURS = 'skylift-'

const INSTEAD =
  "Set it where the provider has it: the console, or on OpenStack Swift the container's own CORS (a swift:// target)."

export async function getCors(place: Place): Promise<readonly CorsRule[]> {
  return (await readRules(place)).map(fromSdk)
}

/** Replaces our rules by these and keeps all others; returns what the person should know. Fails `unsupported`. */
export async function setCors(place: Place, rules: readonly CorsRule[]): Promise<readonly string[]> {
  const {ask, target} = place
  const existing = await readRules(place)
  const ours = rules.map((rule, index) => toSdk({...rule, id: nameRule(rule, index)}))
  const known = new Set(ours.map(asText))
  // Some stores drop the ids: a rule that says the same is ours too.
  const others = existing.filter(rule => rule.ID?.startsWith(OURS) !== true && !known.has(asText(rule)))
  // The first rule that fits a request decides, so what was asked for now stands first.
  const CORSRules = [...ours, ...others]
  if (CORSRules.length === 0) {
    await clearCors(place)
    return []
  }
  const input = {Bucket: target.container, CORSConfiguration: {CORSRules}}
  await orUnsupported(
    place,
    ask((send, sdk) => send(new sdk.PutBucketCorsCommand(input))),
  )
  if (others.length === 0) return []
  return [
    others.length === 1
      ? 'One other CORS rule of the container was kept, after these.'
      : `${others.length} other CORS rules of the container were kept, after these.`,
  ]
}

/** Replaces the rule of ours that says the same for other origins by one that is for those who are wanted of both. */
export async function addCors(
  place: Place,
  rule: CorsRule,
  isWanted: (origin: string) => boolean,
): Promise<readonly string[]> {
  const ours = (await getCors(place)).filter(({id}) => id?.startsWith(OURS))
  const wanted = ours.map(({id: _, ...each}) => ({...each, origins: each.origins.filter(isWanted)}))
  const saysTheSame = (each: CorsRule): boolean =>
    asText(toSdk({...each, origins: rule.origins})) === asText(toSdk(rule))
  const origins = new Set([...rule.origins, ...wanted.filter(saysTheSame).flatMap(each => each.origins)])
  const others = wanted.filter(each => each.origins.length > 0 && !saysTheSame(each))
  return setCors(place, [{...rule, origins: [...origins]}, ...others])
}

/** Removes all rules, whoever made them. None there already is success. */
export async function clearCors(place: Place): Promise<void> {
  const {ask, target} = place
  // Sent only where there is something to remove: see `checkDocument`.
  if ((await readRules(place)).length === 0) return
  const input = {Bucket: target.container}
  await orUnsupported(
    place,
    ask((send, sdk) => send(new sdk.DeleteBucketCorsCommand(input))),
  )
}

/** What the upload page needs of a browser's origin. */
export function browserUpload(origins: readonly string[]): CorsRule {
  return {
    origins,
    methods: ['PUT', 'POST', 'GET', 'HEAD'],
    headers: ['*'],
    expose: ['ETag'],
    maxAgeInSeconds: 3600,
  }
}

async function readRules(place: Place): Promise<CORSRule[]> {
  const {ask, target} = place
  const input = {Bucket: target.container}
  const asking = ask((send, sdk) => send(new sdk.GetBucketCorsCommand(input)))
  const answer = await orUnsupported(place, findDocument(asking))
  if (answer !== undefined && answer.CORSRules === undefined) {
    await orUnsupported(place, checkDocument(place, 'cors', 'CORSConfiguration'))
  }
  return answer?.CORSRules ?? []
}

async function orUnsupported<T>({target}: Place, asking: Promise<T>): Promise<T> {
  try {
    return await asking
  } catch (error) {
    // What the store says of a rule that it does not like is better than our guess.
    if (!isUnsupported(error) || (error.code === 'usage' && !isForeign(error))) throw error
    throw new Failure('unsupported', 'This store has no CORS settings in its S3 API.', {
      context: {...error.context, container: target.container},
      cause: error,
      suggestion: INSTEAD,
    })
  }
}

function isForeign(error: Failure): boolean {
  return ['', 'MalformedXML', 'InvalidURI', 'BadRequest'].includes(error.context.providerCode ?? '')
}

function nameRule({id}: CorsRule, index: number): string {
  return id?.startsWith(OURS) === true ? id : `${OURS}${id ?? index + 1}`
}

/** A rule without its id, to compare. */
function asText(rule: CORSRule): string {
  const {id: _, ...rest} = fromSdk(rule)
  return JSON.stringify(rest)
}

function fromSdk(rule: CORSRule): CorsRule {
  return {
    ...(rule.ID === undefined ? {} : {id: rule.ID}),
    origins: rule.AllowedOrigins ?? [],
    methods: rule.AllowedMethods ?? [],
    headers: rule.AllowedHeaders ?? [],
    expose: rule.ExposeHeaders ?? [],
    ...(rule.MaxAgeSeconds === undefined ? {} : {maxAgeInSeconds: rule.MaxAgeSeconds}),
  }
}

function toSdk(rule: CorsRule): CORSRule {
  return {
    ...(rule.id === undefined ? {} : {ID: rule.id}),
    AllowedOrigins: [...rule.origins],
    AllowedMethods: [...rule.methods],
    ...(rule.headers.length === 0 ? {} : {AllowedHeaders: [...rule.headers]}),
    ...(rule.expose.length === 0 ? {} : {ExposeHeaders: [...rule.expose]}),
    ...(rule.maxAgeInSeconds === undefined ? {} : {MaxAgeSeconds: rule.maxAgeInSeconds}),
  }
}
