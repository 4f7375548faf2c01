import {ALGORITHM, authorize, credentialOf, formatAmzDate, signRequest} from './signature.ts'
import type {Signer} from './signature.ts'

export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
  readonly expiration?: Date
}

export interface Unsigned {
  readonly method: string
  /** Scheme, host and port. */
  readonly origin: string
  /** Percent-encoded, without the query. */
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  readonly headers: Readonly<Record<string, string>>
}

export interface SignOptions {
  readonly region: string
  readonly credentials: Credentials
  /** One of AWS; S3 unless given. */
  readonly service?: string
  /** What the store's clock is ahead of ours. */
  readonly skew?: number
  /** Instead of now, by the store's clock: URLs that belong together differ in nothing else then. */
  readonly date?: Date
}

/** Percent-encodes all but the unreserved characters of RFC 3986, as SigV4 asks. */
export function encodeWord(text: string): string {
  // Most words are plain.
  if (/^[\w.~-]*$/u.test(text)) return text
  return encodeURIComponent(text).replaceAll(/[!'()*]/gu, char => `%${char.codePointAt(0)?.toString(16).toUpperCase()}`)
}

/** Encodes a key for a path; slashes and dot segments stay as they are, since they are part of the key. */
export function encodeKey(key: string): string {
  // Most keys are plain.
  if (/^[\w.~/-]*$/u.test(key)) return key
  return encodeWord(key).replaceAll('%2F', '/')
}

/** Sorted by the encoded names, as SigV4 asks. */
export function encodeQuery(query: Readonly<Record<string, string>>): string {
  const entries = Object.entries(query)
  // Most requests have none.
  if (entries.length === 0) return ''
  const pairs = entries.map(([name, value]) => [encodeWord(name), encodeWord(value)] as const)
  return pairs
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join('&')
}

/** In the place of a hash: the signature does not cover the body. */
const UNSIGNED_PAYLOAD = 'UNSIGNED-PAYLOAD'

/** Returns the headers of a request with its signature; the body is signed only where its hash is among those given. */
export function signHeaders(request: Unsigned, options: SignOptions): Record<string, string> {
  const signer = signerOf(options)
  const {sessionToken} = options.credentials
  const {method, path} = request
  const date = formatAmzDate(signingDate(options))
  const headers = withHost(request, {'x-amz-content-sha256': UNSIGNED_PAYLOAD, 'x-amz-date': date})
  if (sessionToken !== undefined) headers['x-amz-security-token'] = sessionToken
  const payload = headers['x-amz-content-sha256'] ?? ''
  headers['authorization'] = authorize(
    {method, path, query: encodeQuery(request.query), headers, payload},
    date,
    signer,
  )
  return headers
}

export interface Presigned {
  readonly url: string
  /** In hex; it stands in the URL too. */
  readonly signature: string
}

/** Presigns one request. Every header given must be sent exactly so; none moves into the query. */
export type Presign = (request: Pick<Unsigned, 'method' | 'query' | 'headers'>) => Presigned

// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
/** Presigns URLs of one object that end together: what they share is written once, for thousands of parts. */
export function createPresign(
  {origin, path}: Pick<Unsigned, 'origin' | 'path'>,
  options: SignOptions,
  expiresInSeconds: number,
): Presign {
  const signer = signerOf(options)
  const {sessionToken} = options.credentials
  const date = formatAmzDate(signingDate(options))
  const shared = encodeQuery({
    'X-Amz-Algorithm': ALGORITHM,
    'X-Amz-Credential': credentialOf(date, signer),
    'X-Amz-Date': date,
    'X-Amz-Expires': String(expiresInSeconds),
    ...(sessionToken === undefined ? {} : {'X-Amz-Security-Token': sessionToken}),
  })
  return ({method, query, headers: given}) => {
    const headers = withHost({origin, headers: given})
    const names = Object.keys(headers).sort()
    const own = encodeQuery(query)
    const list = names.join(';')
    const named = `X-Amz-SignedHeaders=${encodeWord(list)}`
    // All names of S3 are in lower case, and so stand behind this one.
    if (own !== '' && own < named) throw new Error('What is signed must stand in order.')
    const rest = own === '' ? named : `${named}&${own}`
    const signable = {method, path, query: `${shared}&${rest}`, headers, payload: UNSIGNED_PAYLOAD}
    const signature = signRequest(signable, {names, list}, date, signer)
    return {url: `${origin}${path}?${shared}&X-Amz-Signature=${signature}&${rest}`, signature}
  }
}

/** The names of headers in lower case, as SigV4 asks. */
function withHost(
  {origin, headers}: Pick<Unsigned, 'origin' | 'headers'>,
  more: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const all: Record<string, string> = {host: origin.slice(origin.indexOf('//') + 2), ...more}
  for (const name in headers) all[name.toLowerCase()] = headers[name] ?? ''
  return all
}

function signerOf({credentials, region, service = 's3'}: SignOptions): Signer {
  const {accessKeyId, secretAccessKey} = credentials
  return {accessKeyId, secretAccessKey, region, service}
}

function signingDate(options: SignOptions): Date {
  return options.date ?? new Date(Date.now() + (options.skew ?? 0))
}
