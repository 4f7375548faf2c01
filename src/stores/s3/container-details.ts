import {isFailure} from '../../core/failure.ts'
import type {Call, ContainerDetails, Json, Target} from '../store.ts'
import type {Ask} from './ask.ts'
import {findDocument} from './ask.ts'
import {createTrust} from './checksum.ts'
import type {S3Connection} from './client.ts'
import {getCors} from './cors.ts'
import {getLifecycle} from './lifecycle.ts'
import {isPublic} from './public-read.ts'

/** Looks at everything that an uploader cares for. A look that the store refuses leaves a note. Fails `not-found`. */
export async function showContainer(
  connection: S3Connection,
  ask: Ask,
  target: Target,
  call: Call,
): Promise<ContainerDetails> {
  const {container: Bucket} = target
  const notes: string[] = []

  async function look<Name extends string, Value>(
    name: Name,
    words: string,
    asking: () => Promise<Value | undefined>,
  ): Promise<{[key in Name]?: Value}> {
    try {
      const value = await asking()
      return (value === undefined ? {} : {[name]: value}) as {[key in Name]?: Value}
    } catch (error) {
      if (isFailure(error, 'forbidden')) notes.push(`These credentials may not look at the ${words}.`)
      else if (isFailure(error, 'unsupported', 'usage')) notes.push(`The store does not tell the ${words}.`)
      else throw error
      return {}
    }
  }

  // First alone: what is not there needs no further questions, and a wrong region is mended once.
  const region = await look('region', 'region', () => findRegion(ask, Bucket))
  const [versioning, publicRead, encryption, cors, lifecycle] = await Promise.all([
    look('versioning', 'versioning', async () => {
      const {Status} = await ask((send, sdk) => send(new sdk.GetBucketVersioningCommand({Bucket})))
      return Status === 'Enabled'
    }),
    look('publicRead', 'public access', () => isPublic(ask, target)),
    look('encryption', 'encryption', () => findEncryption(ask, Bucket)),
    look('cors', 'CORS rules', () => getCors(ask, target)),
    look('lifecycle', 'lifecycle rules', async () => {
      const {rules} = await getLifecycle(connection, ask, target, call)
      return rules.map(rule => JSON.parse(JSON.stringify(rule)) as Json)
    }),
  ])
  const verifiesCrc32 = createTrust(connection).verifiesCrc32()
  return {
    name: Bucket,
    ...region,
    ...versioning,
    ...publicRead,
    ...encryption,
    ...cors,
    ...lifecycle,
    limits: connection.settings.quirks.limits,
    ...(verifiesCrc32 === undefined ? {} : {checksum: verifiesCrc32 ? ('crc32' as const) : ('md5' as const)}),
    notes: notes.toSorted(),
  }
}

async function findRegion(ask: Ask, Bucket: string): Promise<string> {
  const {BucketRegion} = await ask((send, sdk) => send(new sdk.HeadBucketCommand({Bucket})))
  if (BucketRegion !== undefined) return BucketRegion
  const {LocationConstraint} = await ask((send, sdk) => send(new sdk.GetBucketLocationCommand({Bucket})))
  // https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLocation.html: the two oldest regions have old names.
  return LocationConstraint === 'EU' ? 'eu-west-1' : LocationConstraint || 'us-east-1'
}

async function findEncryption(ask: Ask, Bucket: string): Promise<string | undefined> {
  const answer = await findDocument(ask((send, sdk) => send(new sdk.GetBucketEncryptionCommand({Bucket}))))
  const rule = answer?.ServerSideEncryptionConfiguration?.Rules?.[0]?.ApplyServerSideEncryptionByDefault
  if (rule?.SSEAlgorithm === undefined) return undefined
  return rule.KMSMasterKeyID === undefined ? rule.SSEAlgorithm : `${rule.SSEAlgorithm}:${rule.KMSMasterKeyID}`
}
