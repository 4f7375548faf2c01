import {createHash, createHmac} from 'node:crypto'

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
}

/** Proxies change these on the way. */
const UNSIGNED = new Set(
  'authorization cache-control connection expect from keep-alive max-forwards pragma referer te trailer transfer-encoding upgrade user-agent x-amzn-trace-id'.split(
    ' ',
  ),
)

let known: {readonly name: string; readonly key: Buffer} | undefined

/** The key of one day; the same for all requests of a run, so the last one is remembered. */
function signingKey(secret: string, date: string, region: string): Buffer {
  const name = `${date} ${region} ${secret}`
  if (known?.name === name) return known.key
  let key: string | Buffer = `AWS4${secret}`
  for (const word of [date, region, 's3', 'aws4_request']) key = hmac(key, word)
  known = {name, key: key as Buffer}
  return known.key
}

/**
 * Returns the `authorization` of a request to S3. `date` is that of its `x-amz-date`. signature-v4 does the same in four
 * times the time, most of it to look for a key that it has made before; that counts for many small files.
 */
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
export function authorize({method, path, query, headers, payload}: Signable, date: string, signer: Signer): string {
  const names = Object.keys(headers).filter(isSigned).sort()
  const lines = names.map(name => `${name}:${clean(headers[name] ?? '')}\n`).join('')
  const signed = names.join(';')
  const canonical = [method, path, query, lines, signed, payload].join('\n')
  const day = date.slice(0, 8)
  const scope = `${day}/${signer.region}/s3/aws4_request`
  const hash = createHash('sha256').update(canonical).digest('hex')
  const key = signingKey(signer.secretAccessKey, day, signer.region)
  const signature = hmac(key, `AWS4-HMAC-SHA256\n${date}\n${scope}\n${hash}`).toString('hex')
  return `AWS4-HMAC-SHA256 Credential=${signer.accessKeyId}/${scope}, SignedHeaders=${signed}, Signature=${signature}`
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
