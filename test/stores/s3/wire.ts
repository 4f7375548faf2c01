import {createHash} from 'node:crypto'
import {crc32} from 'node:zlib'
import {crc32ToBase64} from '../../../src/core/crc32.ts'
import {bufferBody} from '../../../src/core/buffer-body.ts'
import {memoryFindings} from '../../../src/stores/findings.ts'
import type {Findings} from '../../../src/stores/findings.ts'
import {createConnection} from '../../../src/stores/s3/client.ts'
import type {S3Connection, S3Settings} from '../../../src/stores/s3/client.ts'
import {createObjects} from '../../../src/stores/s3/objects.ts'
import {UNKNOWN} from '../../../src/stores/s3/quirks.ts'
import {createUpload} from '../../../src/stores/s3/upload.ts'
import type {Body, Call, ObjectStore, Target, UploadStore} from '../../../src/stores/store.ts'
import {createNockedAgents, nock, startNock, stopNock} from '../../support/nock.ts'

/** What reached the made-up store. */
export interface Seen {
  readonly method: string
  readonly host: string
  /** Path and query, raw. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export type Reply =
  | readonly [status: number, text?: string, headers?: Record<string, string>]
  /** The connection is cut instead. */
  | 'reset'

/**
 * Answers every request to these origins: from a list, one after the other, or by a function. Returns what was asked.
 * A request beyond the list has no answer and fails.
 */
export function answer(
  replies: readonly Reply[] | ((seen: Seen) => Reply | Promise<Reply>),
  ...origins: string[]
): Seen[] {
  const all: Seen[] = []
  startNock()
  for (const origin of origins.length > 0 ? origins : [ENDPOINT]) {
    const scope = nock(origin).persist()
    for (const method of ['GET', 'HEAD', 'PUT', 'POST', 'DELETE']) {
      scope.intercept(/.*/u, method).reply(function (path, body, done) {
        const {headers} = this.req
        // What looks like JSON comes parsed; nothing of ours does.
        const text = typeof body === 'string' ? body : JSON.stringify(body)
        const seen = {method, host: headers['host'] ?? '', path, headers, body: text}
        all.push(seen)
        const reply = typeof replies === 'function' ? replies(seen) : replies[all.length - 1]
        Promise.resolve(reply).then(
          given => {
            if (given === undefined) done(new Error(`no answer for ${method} ${path}`), [500, ''])
            else if (given === 'reset')
              done(Object.assign(new Error('socket hang up'), {code: 'ECONNRESET'}), [500, ''])
            else done(null, [given[0], given[1] ?? '', given[2] ?? {}])
          },
          (error: unknown) => done(error as Error, [500, '']),
        )
      })
    }
  }
  return all
}

export function stopAnswering(): void {
  stopNock()
}

export const ENDPOINT = 'http://store.test:9000'
export const target: Target = {remote: 's3', container: 'box', key: 'dir/a b+c.txt'}
export const PATH = '/box/dir/a%20b%2Bc.txt'
export const CREDENTIALS = {accessKeyId: 'AKID', secretAccessKey: 'secret'}

export interface Opened extends UploadStore, ObjectStore {
  readonly connection: S3Connection
  readonly findings: Findings
}

/** The data plane of one made-up store, without any layer. */
export function open(settings: Partial<S3Settings> = {}): Opened {
  const findings = memoryFindings()
  const connection = createConnection({
    endpoint: ENDPOINT,
    credentials: () => Promise.resolve(CREDENTIALS),
    quirks: UNKNOWN,
    findings,
    wire: {agents: createNockedAgents()},
    ...settings,
  })
  const objects = createObjects(connection)
  return {...objects, ...createUpload(connection, (each, call) => objects.head(each, call)), connection, findings}
}

export function newCall(call: Partial<Call> = {}): Call {
  return {signal: new AbortController().signal, ...call}
}

export function textBody(text: string): Body {
  return bufferBody(Buffer.from(text))
}

/** A body that counts how often it was read from its beginning to its end. */
export function countedBody(text: string): Body & {readings(): number} {
  const body = textBody(text)
  let bytes = 0
  return {
    size: body.size,
    readings: () => bytes / body.size,
    async read(into, position) {
      const count = await body.read(into, position)
      bytes += count
      return count
    },
  }
}

export function md5Of(text: string): string {
  return createHash('md5').update(text).digest('hex')
}

export function md5Base64(text: string): string {
  return createHash('md5').update(text).digest('base64')
}

export function crcOf(text: string): string {
  return crc32(text).toString(16).padStart(8, '0')
}

export function crcBase64(text: string): string {
  return crc32ToBase64(crc32(text))
}

/** The ETag of an object joined from these parts. */
export function joinedEtag(...parts: string[]): string {
  const hash = createHash('md5')
  for (const part of parts) hash.update(Buffer.from(md5Of(part), 'hex'))
  return `${hash.digest('hex')}-${parts.length}`
}

export function errorXml(code: string, message = 'Words.', more = ''): string {
  return `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${message}</Message>${more}</Error>`
}

/** The headers that say what is asked, without those that every signed request has; fails where one of these is wrong. */
export function wordsOf({headers}: Seen): Record<string, string> {
  const {
    authorization = '',
    host,
    connection: _,
    'x-amz-date': date = '',
    'x-amz-content-sha256': sha,
    ...rest
  } = headers
  // Proxies may change these two, so the signer leaves them out.
  const signed = Object.keys(rest).filter(name => name !== 'content-length' && name !== 'cache-control')
  const names = [...signed, 'host', 'x-amz-content-sha256', 'x-amz-date'].toSorted().join(';')
  const expected = new RegExp(
    `^AWS4-HMAC-SHA256 Credential=AKID/${date.slice(0, 8)}/us-east-1/s3/aws4_request, SignedHeaders=${names}, Signature=[0-9a-f]{64}$`,
    'u',
  )
  if (!expected.test(authorization)) throw new Error(`${authorization} is not ${expected}`)
  if (!/^\d{8}T\d{6}Z$/u.test(date) || sha !== 'UNSIGNED-PAYLOAD' || host === undefined)
    throw new Error(`${date} ${sha} ${host}`)
  return rest
}
