import {Failure, isFailure} from '../../core/failure.ts'
import type {ContainerDetails, Json} from '../store.ts'
import type {Ask, Place} from './ask.ts'
import {findDocument} from './ask.ts'
import {createTrust} from './checksum.ts'
import {getCors} from './cors.ts'
import {getLifecycle} from './lifecycle.ts'
import {isPublic} from './public-read.ts'

/** Looks at everything that an uploader cares for. A look that the store refuses leaves a note. Fails `not-found`. */
export async function showContainer(place: Place): Promise<ContainerDetails> {
  const {connection, ask, target} = place
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
    look('publicRead', 'public access', () => isPublic(place)),
    look('encryption', 'encryption', () => findEncryption(ask, Bucket)),
    look('cors', 'CORS rules', () => getCors(place)),
    look('lifecycle', 'lifecycle rules', async () => {
      const {rules} = await getLifecycle(place)
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
  if (answer === undefined) return undefined
  const rule = answer.ServerSideEncryptionConfiguration?.Rules?.[0]?.ApplyServerSideEncryptionByDefault
  // A listing, taken for a document: see `checkDocument`.
  if (rule?.SSEAlgorithm === undefined) throw new Failure('unsupported', 'The store has no encryption settings.')
  return rule.KMSMasterKeyID === undefined ? rule.SSEAlgorithm : `${rule.SSEAlgorithm}:${rule.KMSMasterKeyID}`
}
