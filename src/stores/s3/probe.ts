import {createHash, randomBytes} from 'node:crypto'
import {Failure, isFailure} from '../../core/failure.ts'
import {bufferBody} from '../../core/buffer-body.ts'
import type {Call, Probe, Right, RightFinding, Target} from '../store.ts'
import {createTrust} from './checksum.ts'
import type {S3Connection, S3Request} from './client.ts'
import {createRegions} from './find-region.ts'
import {writeIamPolicy} from './policy.ts'
import {askSts} from './sts.ts'

/** No store has an upload of that name. */
const NO_UPLOAD = 'skylift-doctor'

/**
 * Makes what the doctor asks of S3. A right is tried by a request that must fail in the end, for a checksum that is
 * wrong or an upload that nobody began: the store says so only to whoever may do it.
 */
export function createProbe(connection: S3Connection): Probe {
  const {settings} = connection
  const trust = createTrust(connection)
  const regions = createRegions(connection)

  async function tryRight(right: Right, target: Target, call: Call): Promise<RightFinding> {
    const place = besideOf(target)
    const request = REQUESTS[right](place)
    try {
      await connection.request(request, {signal: call.signal})
    } catch (error) {
      return judge(error)
    }
    if (right !== 'write') return {allowed: true}
    // Nobody has such an object, so nothing was replaced.
    await connection.request({method: 'DELETE', target: place}, {signal: call.signal})
    return {
      allowed: true,
      note: 'It took bytes with a wrong checksum: damage on the way goes unnoticed there. They were deleted again.',
    }
  }

  return {
    async findOrigin(target, {signal}) {
      signal.throwIfAborted()
      const region = settings.region ?? settings.quirks.defaultRegion
      return connection.origin(target.container, region).origin
    },

    async identify(call) {
      const credentials = await settings.credentials(false)
      const {accessKeyId, sessionToken, expiration} = credentials
      if (expiration !== undefined && expiration.getTime() < Date.now()) {
        throw new Failure('expired', 'The credentials have expired.', {suggestion: 'Sign in again.'})
      }
      await checkSignature(connection, call)
      const key = `the access key ${accessKeyId}${sessionToken === undefined ? '' : ', which is temporary'}`
      const region = settings.region ?? settings.quirks.defaultRegion
      const who = settings.endpoint === undefined ? await askSts(settings.wire, {region, credentials}, call) : undefined
      return {
        who: who === undefined ? key : `${who}, by ${key}`,
        ...(expiration === undefined ? {} : {ends: expiration}),
      }
    },

    async lookAtContainer(target, {signal}) {
      await connection.request({method: 'HEAD', target: {...target, key: ''}}, {signal})
    },

    async findRegion(target, call) {
      return (await regions.identity(target.container, call)).region
    },

    tryRight,

    // Parts stand where the object will.
    findMissingContainer: () => Promise.resolve(undefined),

    checksum() {
      const verifies = trust.verifiesCrc32()
      return verifies === undefined ? undefined : verifies ? 'crc32' : 'md5'
    },

    writePolicy: (target, level) =>
      writeIamPolicy(target, level, {isAws: settings.endpoint === undefined, region: settings.region ?? ''}),
  }
}

/** Fails `auth` where the store does not know the key. It says so in the body, which an answer to HEAD has not. */
async function checkSignature(connection: S3Connection, {signal}: Call): Promise<void> {
  const request = {method: 'GET', target: {remote: '', container: '', key: ''}}
  try {
    await connection.request(request, {signal})
  } catch (error) {
    // Who may not list containers may be known all the same.
    if (!isFailure(error) || isFailure(error, 'auth', 'expired', 'network', 'busy')) throw error
  }
}

/** A key beside the target's that nobody has: under the same prefix, so that the same policy counts. */
function besideOf(target: Target): Target {
  const folder = target.key.slice(0, target.key.lastIndexOf('/') + 1)
  return {...target, key: `${folder}.skylift-doctor-${randomBytes(8).toString('hex')}`}
}

const BYTES = Buffer.from('skylift doctor: this must not be stored')
const WRONG_MD5 = {'content-md5': createHash('md5').update('anything else').digest('base64')}

const REQUESTS: Readonly<Record<Right, (target: Target) => S3Request>> = {
  write: target => ({method: 'PUT', target, headers: WRONG_MD5, body: bufferBody(BYTES)}),
  parts: target => ({
    method: 'PUT',
    target,
    query: {partNumber: '1', uploadId: NO_UPLOAD},
    headers: WRONG_MD5,
    body: bufferBody(BYTES),
  }),
  resume: target => ({method: 'GET', target, query: {uploadId: NO_UPLOAD}}),
  abort: target => ({method: 'DELETE', target, query: {uploadId: NO_UPLOAD}}),
  list: ({key, ...target}) => ({
    method: 'GET',
    target: {...target, key: ''},
    query: {'list-type': '2', 'max-keys': '1', prefix: key.slice(0, key.lastIndexOf('/') + 1)},
  }),
}

function judge(error: unknown): RightFinding {
  if (!isFailure(error)) throw error
  if (error.context.providerCode === 'NoSuchBucket') throw error
  if (['integrity', 'not-found'].includes(error.code)) return {allowed: true}
  if (error.code === 'forbidden') return {allowed: false}
  if (['usage', 'unsupported', 'exists', 'too-large'].includes(error.code)) return {note: error.message}
  throw error
}
