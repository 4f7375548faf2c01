import {createHash, createHmac} from 'node:crypto'
import type {Hash, Hmac} from 'node:crypto'
import {SignatureV4} from '@smithy/signature-v4'
import {authorize, formatAmzDate} from './signature.ts'

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
  /** What the store's clock is ahead of ours. */
  readonly skew?: number
  /** Instead of now, by the store's clock: URLs that belong together differ in nothing else then. */
  readonly date?: Date
}

/** The shape that signature-v4 wants of a hash. */
class Sha256 {
  readonly #hash: Hash | Hmac
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', toBytes(secret))
  }
  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(toBytes(data))
  }
  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest())
  }
  reset(): void {}
}

function toBytes(data: string | ArrayBuffer | ArrayBufferView): Uint8Array {
  if (typeof data === 'string') return Buffer.from(data, 'utf8')
  return ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data)
}

const UNRESERVED = /^[\w.~-]*$/u

/** Percent-encodes all but the unreserved characters of RFC 3986, as SigV4 asks. */
export function encodeWord(text: string): string {
  if (UNRESERVED.test(text)) return text
  return encodeURIComponent(text).replaceAll(/[!'()*]/gu, char => `%${char.codePointAt(0)?.toString(16).toUpperCase()}`)
}

const PLAIN_KEY = /^[\w./~-]*$/u

/** Encodes a key for a path; slashes and dot segments stay as they are, since they are part of the key. */
export function encodeKey(key: string): string {
  if (PLAIN_KEY.test(key)) return key
  return key.split('/').map(encodeWord).join('/')
}

/** Sorted by the encoded names, as SigV4 asks. */
export function encodeQuery(query: Readonly<Record<string, string>>): string {
  if (Object.keys(query).length === 0) return ''
  const pairs = new Map(Object.entries(query).map(([name, value]) => [encodeWord(name), encodeWord(value)]))
  return [...pairs.keys()]
    .sort()
    .map(name => `${name}=${pairs.get(name)}`)
    .join('&')
}

/** The header that says: the signature does not cover the body; a checksum header does. */
export const UNSIGNED_PAYLOAD = {'x-amz-content-sha256': 'UNSIGNED-PAYLOAD'} as const

// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
function createSigner(options: SignOptions): SignatureV4 {
  const {credentials, region} = options
  // The key of an object is signed as it stands: no second encoding, no folding of dots.
  return new SignatureV4({service: 's3', region, credentials, sha256: Sha256, uriEscapePath: false})
}

function toSignable(request: Unsigned) {
  const url = new URL(request.origin)
  return {
    method: request.method,
    protocol: url.protocol,
    hostname: url.hostname,
    ...(url.port === '' ? {} : {port: Number(url.port)}),
    path: request.path,
    query: {...request.query},
    headers: {...request.headers, host: url.host},
  }
}

/** Returns the headers of a request with its signature; the body is not signed (UNSIGNED-PAYLOAD). */
export function signHeaders(request: Unsigned, options: SignOptions): Record<string, string> {
  const {credentials, region} = options
  const date = formatAmzDate(signingDate(options))
  const headers: Record<string, string> = {host: hostOf(request.origin), ...UNSIGNED_PAYLOAD, 'x-amz-date': date}
  for (const [name, value] of Object.entries(request.headers)) headers[name.toLowerCase()] = value
  if (credentials.sessionToken !== undefined) headers['x-amz-security-token'] = credentials.sessionToken
  const {method, path, query} = request
  const signable = {method, path, query: encodeQuery(query), headers, payload: 'UNSIGNED-PAYLOAD'}
  headers['authorization'] = authorize(signable, date, {...credentials, region})
  return headers
}

function hostOf(origin: string): string {
  return origin.slice(origin.indexOf('//') + 2)
}

/** Returns a presigned URL. Every header given must be sent exactly so; none moves into the query. */
export async function presignUrl(request: Unsigned, options: SignOptions, expiresInSeconds: number): Promise<string> {
  const names = new Set(Object.keys(request.headers).map(name => name.toLowerCase()))
  const signable = toSignable(request)
  const signed = await createSigner(options).presign(
    {...signable, headers: {...signable.headers, ...UNSIGNED_PAYLOAD}},
    {
      expiresIn: expiresInSeconds,
      signingDate: signingDate(options),
      // Stores were seen to lose what is hoisted into the query without a word.
      unhoistableHeaders: new Set([...names, 'x-amz-content-sha256']),
      signableHeaders: names,
      unsignableHeaders: new Set(['x-amz-content-sha256']),
    },
  )
  return `${request.origin}${request.path}?${encodeQuery(signed.query as Record<string, string>)}`
}

/** Returns path and headers of a GET of another service of AWS. */
export async function signGet(
  service: string,
  {origin, query}: Pick<Unsigned, 'origin' | 'query'>,
  options: SignOptions,
): Promise<{path: string; headers: Record<string, string>}> {
  const {credentials, region} = options
  const signer = new SignatureV4({service, region, credentials, sha256: Sha256})
  const unsigned = toSignable({method: 'GET', origin, path: '/', query, headers: {}})
  const signed = await signer.sign(unsigned, {signingDate: signingDate(options)})
  return {path: `/?${encodeQuery(query)}`, headers: signed.headers}
}

function signingDate(options: SignOptions): Date {
  return options.date ?? new Date(Date.now() + (options.skew ?? 0))
}
