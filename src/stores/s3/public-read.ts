import type {PublicAccessBlockConfiguration} from '@aws-sdk/client-s3'
import {Failure, isFailure} from '../../core/failure.ts'
import type {Ask, Place} from './ask.ts'
import {findDocument, isUnsupported} from './ask.ts'

interface Statement {
  readonly Sid?: string
  readonly Effect?: string
  readonly Principal?: unknown
  readonly Action?: unknown
  readonly Resource?: unknown
  readonly Condition?: unknown
}
interface Policy {
  readonly Version?: string
  readonly Statement?: Statement | readonly Statement[]
}

const OURS = 'SkyliftPublicRead'
const EVERYBODY = 'http://acs.amazonaws.com/groups/global/AllUsers'

/** Lets everybody read the objects: by a statement in the container's policy, or where there is no policy by its ACL. */
export async function openToPublic({ask, target}: Place, region: string): Promise<readonly string[]> {
  const {container: Bucket} = target
  await liftBlock(ask, Bucket)
  try {
    const Policy = JSON.stringify(addStatement(await readPolicy(ask, Bucket), Bucket, region))
    await ask((send, sdk) => send(new sdk.PutBucketPolicyCommand({Bucket, Policy})))
    return []
  } catch (error) {
    if (!isUnsupported(error)) throw error
  }
  await ask((send, sdk) => send(new sdk.PutBucketAclCommand({Bucket, ACL: 'public-read'})))
  return [
    'The store has no policies, so the container was opened by its ACL: everybody can list it too, and on some stores each object needs "public-read" of its own, or its public address is another one.',
  ]
}

/** Returns whether everybody can read objects. Fails as its looks do. */
export async function isPublic({ask, target}: Place): Promise<boolean> {
  const {container: Bucket} = target
  let policy: Policy
  try {
    policy = await readPolicy(ask, Bucket)
  } catch (error) {
    if (!isUnsupported(error)) throw error
    const {Grants = []} = await ask((send, sdk) => send(new sdk.GetBucketAclCommand({Bucket})))
    if (Grants.some(({Grantee, Permission = ''}) => Grantee?.URI === EVERYBODY && /READ$|FULL/u.test(Permission)))
      return true
    // OpenStack Swift takes an ACL and then shows none, so that none shown means nothing.
    throw new Failure('unsupported', 'The store does not tell whether the container is public.')
  }
  if (!statements(policy).some(allowsReading)) return false
  return (await findBlock(ask, Bucket))?.RestrictPublicBuckets !== true
}

/** Returns what keeps policies from opening the container; undefined where nothing does, or it may not be known. */
async function findBlock(ask: Ask, Bucket: string): Promise<PublicAccessBlockConfiguration | undefined> {
  try {
    const answer = await findDocument(ask((send, sdk) => send(new sdk.GetPublicAccessBlockCommand({Bucket}))))
    return answer?.PublicAccessBlockConfiguration
  } catch (error) {
    if (isUnsupported(error) || isFailure(error, 'forbidden')) return undefined
    throw error
  }
}

/**
 * Lifts only what stands in the way of a policy; what is said of ACLs stays. Written, never deleted: OpenStack Swift
 * takes `DELETE ?publicAccessBlock` for the deletion of the container.
 */
async function liftBlock(ask: Ask, Bucket: string): Promise<void> {
  const block = await findBlock(ask, Bucket)
  if (block?.BlockPublicPolicy !== true && block?.RestrictPublicBuckets !== true) return
  const PublicAccessBlockConfiguration = {...block, BlockPublicPolicy: false, RestrictPublicBuckets: false}
  await ask((send, sdk) => send(new sdk.PutPublicAccessBlockCommand({Bucket, PublicAccessBlockConfiguration})))
}

async function readPolicy(ask: Ask, Bucket: string): Promise<Policy> {
  const answer = await findDocument(ask((send, sdk) => send(new sdk.GetBucketPolicyCommand({Bucket}))))
  try {
    return JSON.parse(answer?.Policy ?? '{}') as Policy
  } catch (error) {
    throw new Failure('unsupported', 'This store has no policies of containers.', {cause: error})
  }
}

function addStatement(policy: Policy, container: string, region: string): Policy {
  const partition = region.startsWith('cn-') ? 'aws-cn' : region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws'
  const ours = {
    Sid: OURS,
    Effect: 'Allow',
    Principal: '*',
    Action: 's3:GetObject',
    Resource: `arn:${partition}:s3:::${container}/*`,
  }
  return {Version: '2012-10-17', ...policy, Statement: [...statements(policy).filter(({Sid}) => Sid !== OURS), ours]}
}

function statements({Statement = []}: Policy): readonly Statement[] {
  return Array.isArray(Statement) ? (Statement as Statement[]) : [Statement as Statement]
}

function allowsReading({Effect, Principal, Action, Condition}: Statement): boolean {
  const principal = typeof Principal === 'object' && Principal !== null ? (Principal as {AWS?: unknown}).AWS : Principal
  const reads = [Action].flat().some(action => /^(?:\*|s3:(?:\*|get\*|getobject\*?))$/iu.test(String(action)))
  return Effect === 'Allow' && [principal].flat().includes('*') && reads && Condition === undefined
}
