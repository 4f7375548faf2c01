import {createHmac, createSecretKey, hash} from 'node:crypto'
import type {KeyObject} from 'node:crypto'

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

/** What all signatures of one second and one key have in common. */
interface Scope extends Signer {
  readonly date: string
  /** What the signatures of one day are good for. */
  readonly name: string
  readonly key: KeyObject
}

let latest: Scope | undefined

/** The requests of a run come by the hundred a second: the latest is remembered. */
function findScope(date: string, signer: Signer): Scope {
  if (
    latest?.date !== date ||
    latest.secretAccessKey !== signer.secretAccessKey ||
    latest.region !== signer.region ||
    latest.service !== signer.service
  )
    latest = {...signer, date, ...makeKey(date, signer)}
  return latest
}

function makeKey(date: string, {region, service, secretAccessKey}: Signer): Pick<Scope, 'name' | 'key'> {
  const words = [date.slice(0, 8), region, service, 'aws4_request']
  let key = Buffer.from(`AWS4${secretAccessKey}`)
  for (const word of words) key = createHmac('sha256', key).update(word).digest()
  return {name: words.join('/'), key: createSecretKey(key)}
}

/** The signer and what its signatures are good for, as a request names them. */
export function credentialOf(date: string, signer: Signer): string {
  return `${signer.accessKeyId}/${findScope(date, signer).name}`
}

/** Names of headers in their order, and as a request lists them. */
export interface SignedNames {
  readonly names: readonly string[]
  readonly list: string
}

/**
 * Returns the signature of a request in hex. It covers the headers that are named, in this order. signature-v4 does the
 * same in many times the time, most of it to look for a key that it has made before; that counts for many small files, and
 * for whoever signs thousands of parts.
 */
export function signRequest(
  {method, path, query, headers, payload}: Signable,
  {names, list}: SignedNames,
  date: string,
  signer: Signer,
): string {
  let canonical = `${method}\n${path}\n${query}\n`
  for (const name of names) canonical += `${name}:${clean(headers[name] ?? '')}\n`
  canonical += `\n${list}\n${payload}`
  const {name, key} = findScope(date, signer)
  return createHmac('sha256', key)
    .update(`${ALGORITHM}\n${date}\n${name}\n${hash('sha256', canonical)}`)
    .digest('hex')
}

/** Returns the `authorization` of a request. `date` is that of its `x-amz-date`. */
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
export function authorize(signable: Signable, date: string, signer: Signer): string {
  const names = signedNames(signable.headers)
  const signature = signRequest(signable, names, date, signer)
  return `${ALGORITHM} Credential=${credentialOf(date, signer)}, SignedHeaders=${names.list}, Signature=${signature}`
}

let shape: (SignedNames & {readonly all: readonly string[]}) | undefined

/** The requests of a run have the same headers again and again. */
function signedNames(headers: Signable['headers']): SignedNames {
  const all = Object.keys(headers)
  if (shape === undefined || !isSame(all, shape.all)) {
    const names = all.filter(isSigned).sort()
    shape = {all, names, list: names.join(';')}
  }
  return shape
}

function isSame(some: readonly string[], others: readonly string[]): boolean {
  for (let index = 0; index < some.length; index++) if (some[index] !== others[index]) return false
  return some.length === others.length
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

const BLANK = /\s/u

function clean(value: string): string {
  return BLANK.test(value) ? value.replaceAll(/\s+/gu, ' ').trim() : value
}
