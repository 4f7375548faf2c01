import {createHmac, hash} from 'node:crypto'

/** What a signature covers. */
export interface Signable {
  readonly method: string
  /** Percent-encoded, signed as it stands. */
  readonly path: string
  /** Sorted and percent-encoded. */
  readonly query: string
  /** With lower-case names, the host among them. */
  readonly headers: Readonly<Record<string, string>>
  /** The hash of the body, or the word that stands for it. */
  readonly payload: string
}

export interface Signer {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly region: string
  /** One of AWS: `s3`. */
  readonly service: string
}

export const ALGORITHM = 'AWS4-HMAC-SHA256'

/** Proxies change these on the way. */
const UNSIGNED = new Set(
  'authorization cache-control connection expect from keep-alive max-forwards pragma referer te trailer transfer-encoding upgrade user-agent x-amzn-trace-id'.split(
    ' ',
  ),
)

let known: {readonly name: string; readonly key: Buffer} | undefined

/** What the signatures of one day are good for. */
export function scopeOf(date: string, {region, service}: Signer): string {
  return `${date.slice(0, 8)}/${region}/${service}/aws4_request`
}

/** The key of one scope; the same for all requests of a run, so the last one is remembered. */
function signingKey(secret: string, scope: string): Buffer {
  const name = `${scope} ${secret}`
  if (known?.name === name) return known.key
  let key: string | Buffer = `AWS4${secret}`
  for (const word of scope.split('/')) key = hmac(key, word)
  known = {name, key: key as Buffer}
  return known.key
}

/**
 * Returns the signature of a request in hex. It covers the headers that are named, in this order. signature-v4 does the
 * same in many times the time, most of it to look for a key that it has made before; that counts for many small files, and
 * for whoever signs thousands of parts.
 */
export function signRequest(
  {method, path, query, headers, payload}: Signable,
  names: readonly string[],
  date: string,
  signer: Signer,
): string {
  let lines = ''
  for (const name of names) lines += `${name}:${clean(headers[name] ?? '')}\n`
  const canonical = `${method}\n${path}\n${query}\n${lines}\n${names.join(';')}\n${payload}`
  const scope = scopeOf(date, signer)
  const text = `${ALGORITHM}\n${date}\n${scope}\n${hash('sha256', canonical)}`
  return hmac(signingKey(signer.secretAccessKey, scope), text).toString('hex')
}

/** Returns the `authorization` of a request. `date` is that of its `x-amz-date`. */
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
export function authorize(signable: Signable, date: string, signer: Signer): string {
  const names = signedNames(signable.headers)
  const signature = signRequest(signable, names, date, signer)
  return `${ALGORITHM} Credential=${signer.accessKeyId}/${scopeOf(date, signer)}, SignedHeaders=${names.join(';')}, Signature=${signature}`
}

let shape: {readonly of: string; readonly names: readonly string[]} | undefined

/** The requests of a run have the same headers again and again. */
function signedNames(headers: Signable['headers']): readonly string[] {
  const all = Object.keys(headers)
  const of = all.join(' ')
  if (shape?.of !== of) shape = {of, names: all.filter(isSigned).sort()}
  return shape.names
}

let second = {at: Number.NaN, text: ''}

/** The form of `x-amz-date`: `20130524T000000Z`. Many requests fall into one second. */
export function formatAmzDate(date: Date): string {
  const at = Math.floor(date.getTime() / 1000)
  if (at !== second.at) second = {at, text: date.toISOString().replaceAll(/[:-]|\.\d{3}/gu, '')}
  return second.text
}

function isSigned(name: string): boolean {
  return !UNSIGNED.has(name) && !/^(?:proxy|sec)-/u.test(name)
}

function clean(value: string): string {
  return /\s/u.test(value) ? value.replaceAll(/\s+/gu, ' ').trim() : value
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
