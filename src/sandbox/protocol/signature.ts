import {parseAmzDate} from './dates.ts'
import {S3Error} from './errors.ts'
import {toHeaderBytes} from './request.ts'
import type {Address, Headers} from './request.ts'
import {isSameSignature, openScope, sha256, sign} from './signing.ts'
import type {Identity, Scope} from './signing.ts'
import {decodeUri, encodePath, encodeUri} from './uri.ts'

const ALGORITHM = 'AWS4-HMAC-SHA256'
const MAX_SKEW = 15 * 60_000
const MAX_EXPIRES_IN_SECONDS = 7 * 24 * 3600
/** The parameters of a presigned URL that are no headers. */
const QUERY_AUTH = new Set([
  'x-amz-algorithm',
  'x-amz-credential',
  'x-amz-date',
  'x-amz-expires',
  'x-amz-signedheaders',
  'x-amz-signature',
  'x-amz-security-token',
])

/** Who sent a request, the headers that count, and what its body must hash to. */
export interface Authentication {
  readonly caller: 'owner' | 'anyone'
  readonly headers: Headers
  /** `UNSIGNED-PAYLOAD`, a `STREAMING-…` word, or the SHA-256 in hex. */
  readonly payloadHash: string
  /** What the signatures of the body's chunks go on from. */
  readonly seed?: {readonly scope: Scope; readonly date: string; readonly signature: string}
}

interface Claim {
  readonly credential: string
  readonly date: string
  readonly signedHeaders: readonly string[]
  readonly signature: string
  readonly presigned: boolean
}

/** Checks the SigV4 signature in the Authorization header or in the query; a request without any is `anyone`'s. */
export function authenticate(address: Address, sent: Headers, identity: Identity, now: number): Authentication {
  const claim = readClaim(address, sent)
  if (claim === undefined)
    return {caller: 'anyone', headers: sent, payloadHash: sent.get('x-amz-content-sha256') ?? 'UNSIGNED-PAYLOAD'}
  const scope = checkCredential(claim, identity)
  checkTime(claim, address, now)
  const payloadHash = findPayloadHash(claim, address, sent)
  const canonical = [
    address.method,
    encodePath(decodeUri(address.rawPath)),
    canonicalQuery(address),
    ...claim.signedHeaders.map(name => `${name}:${(sent.get(name) ?? '').trim().replaceAll(/ +/gu, ' ')}`),
    '',
    claim.signedHeaders.join(';'),
    payloadHash,
  ].join('\n')
  const text = [ALGORITHM, claim.date, scope.text, sha256(Buffer.from(canonical, 'latin1'))].join('\n')
  if (!isSameSignature(sign(scope, text), claim.signature)) {
    throw new S3Error('SignatureDoesNotMatch', undefined, {
      AWSAccessKeyId: identity.accessKeyId,
      StringToSign: text,
      CanonicalRequest: Buffer.from(canonical, 'latin1').toString('utf8'),
    })
  }
  checkSignedHeaders(claim, sent)
  const headers = claim.presigned ? hoistQuery(address, sent) : sent
  return {caller: 'owner', headers, payloadHash, seed: {scope, date: claim.date, signature: claim.signature}}
}

function readClaim(address: Address, sent: Headers): Claim | undefined {
  const authorization = sent.get('authorization')
  const {query} = address
  if (query.has('AWSAccessKeyId') && query.has('Signature')) refuseMechanism()
  const presigned = query.has('X-Amz-Algorithm') || query.has('X-Amz-Signature')
  if (authorization !== undefined && presigned) {
    throw new S3Error(
      'InvalidArgument',
      'Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter or the Authorization header should be specified',
    )
  }
  if (presigned) {
    if (query.get('X-Amz-Algorithm') !== ALGORITHM) {
      throw new S3Error('AuthorizationQueryParametersError', 'X-Amz-Algorithm only supports "AWS4-HMAC-SHA256"')
    }
    const [credential, date, signed, signature] = ['Credential', 'Date', 'SignedHeaders', 'Signature'].map(name =>
      query.get(`X-Amz-${name}`),
    )
    if (!credential || !date || !signed || !signature || !query.has('X-Amz-Expires')) {
      throw new S3Error(
        'AuthorizationQueryParametersError',
        'Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.',
      )
    }
    return {credential, date, signedHeaders: signed.split(';'), signature, presigned}
  }
  if (authorization === undefined) return undefined
  if (!authorization.startsWith(ALGORITHM)) refuseMechanism()
  const fields = new Map(
    authorization
      .slice(ALGORITHM.length)
      .split(',')
      .map(field => field.trim().split(/=(.*)/su) as [string, string]),
  )
  const [credential, signed, signature] = ['Credential', 'SignedHeaders', 'Signature'].map(name => fields.get(name))
  if (!credential || !signed || !signature) throw new S3Error('AuthorizationHeaderMalformed')
  const date = sent.get('x-amz-date') ?? ''
  return {credential, date, signedHeaders: signed.split(';'), signature, presigned: false}
}

function refuseMechanism(): never {
  throw new S3Error(
    'InvalidRequest',
    'The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.',
  )
}

/** Checks the `KEY/DATE/REGION/s3/aws4_request` of a signature, and derives its key. */
export function checkCredential(claim: Pick<Claim, 'credential' | 'date' | 'presigned'>, identity: Identity): Scope {
  const malformed = claim.presigned ? 'AuthorizationQueryParametersError' : 'AuthorizationHeaderMalformed'
  const fields = claim.credential.split('/')
  const [terminator, service, region, date, ...key] = fields.toReversed()
  if (fields.length < 5 || terminator !== 'aws4_request' || service !== 's3' || date === undefined) {
    throw new S3Error(
      malformed,
      `The credential is malformed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/s3/aws4_request".`,
    )
  }
  if (key.toReversed().join('/') !== identity.accessKeyId) {
    throw new S3Error('InvalidAccessKeyId', undefined, {AWSAccessKeyId: key.toReversed().join('/')})
  }
  if (region !== identity.region) {
    const where = claim.presigned
      ? 'Error parsing the X-Amz-Credential parameter'
      : 'The authorization header is malformed'
    throw new S3Error(malformed, `${where}; the region '${region}' is wrong; expecting '${identity.region}'`, {
      Region: identity.region,
    })
  }
  if (date !== claim.date.slice(0, 8)) {
    throw new S3Error(malformed, `Invalid credential date "${date}". This date is not the same as X-Amz-Date.`)
  }
  return openScope(identity, date)
}

function checkTime(claim: Claim, address: Address, now: number): void {
  const time = parseAmzDate(claim.date)
  if (Number.isNaN(time)) {
    throw new S3Error('AccessDenied', 'AWS authentication requires a valid Date or x-amz-date header')
  }
  const skewed = () => {
    throw new S3Error('RequestTimeTooSkewed', undefined, {
      RequestTime: claim.date,
      ServerTime: new Date(now).toISOString(),
      MaxAllowedSkewMilliseconds: String(MAX_SKEW),
    })
  }
  if (!claim.presigned) {
    if (Math.abs(now - time) > MAX_SKEW) skewed()
    return
  }
  const expires = address.query.get('X-Amz-Expires') ?? ''
  if (!/^\d{1,9}$/u.test(expires) || Number(expires) > MAX_EXPIRES_IN_SECONDS) {
    throw new S3Error(
      'AuthorizationQueryParametersError',
      'X-Amz-Expires must be a number of seconds, less than a week (in seconds); that is, 604800',
    )
  }
  if (time - now > MAX_SKEW) skewed()
  const end = time + Number(expires) * 1000
  if (now > end) {
    throw new S3Error('AccessDenied', 'Request has expired', {
      'X-Amz-Expires': expires,
      Expires: new Date(end).toISOString(),
      ServerTime: new Date(now).toISOString(),
    })
  }
}

function findPayloadHash(claim: Claim, address: Address, sent: Headers): string {
  const header = sent.get('x-amz-content-sha256')
  if (claim.presigned) return address.query.get('X-Amz-Content-Sha256') ?? header ?? 'UNSIGNED-PAYLOAD'
  if (header === undefined)
    throw new S3Error('InvalidRequest', 'Missing required header for this request: x-amz-content-sha256')
  return header
}

function canonicalQuery(address: Address): string {
  return address.query.pairs
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => [encodeUri(name), encodeUri(value)] as const)
    .toSorted(([a, x], [b, y]) => (a < b ? -1 : a > b ? 1 : x < y ? -1 : x > y ? 1 : 0))
    .map(([name, value]) => `${name}=${value}`)
    .join('&')
}

// An unsigned x-amz header could change what the signer allowed: its ACL, its metadata, its source.
function checkSignedHeaders(claim: Claim, sent: Headers): void {
  const missing = [...sent.keys()].filter(
    name =>
      (name === 'host' || (name.startsWith('x-amz-') && name !== 'x-amz-content-sha256')) &&
      !claim.signedHeaders.includes(name),
  )
  if (missing.length === 0) return
  throw new S3Error('AccessDenied', 'There were headers present in the request which were not signed', {
    HeadersNotSigned: missing.join(', '),
  })
}

/** As S3 does, takes the `x-amz-*` parameters of a presigned URL for headers. */
function hoistQuery(address: Address, sent: Headers): Headers {
  const headers = new Map(sent)
  for (const [name, value] of address.query.pairs) {
    const lower = name.toLowerCase()
    if (lower.startsWith('x-amz-') && !QUERY_AUTH.has(lower)) headers.set(lower, toHeaderBytes(value))
  }
  return headers
}
