import {createHash, createHmac} from 'node:crypto'
import type {BinaryLike, Hash, Hmac} from 'node:crypto'
import {request as httpRequest} from 'node:http'
import type {IncomingHttpHeaders} from 'node:http'
import {S3Client} from '@aws-sdk/client-s3'
import type {S3ClientConfig} from '@aws-sdk/client-s3'
import {SignatureV4} from '@smithy/signature-v4'
import {startSandbox} from '../../src/sandbox/server.ts'
import type {Sandbox, SandboxOptions} from '../../src/sandbox/server.ts'
import {makeTempFolder} from '../support/temp-folder.ts'

/** What a client needs to know about a sandbox, in this process or in another. */
export type Access = Pick<Sandbox, 'endpoint' | 'port' | 'accessKeyId' | 'secretAccessKey' | 'region'>

const open: (() => Promise<void> | void)[] = []

/** Starts a sandbox that `closeAll` ends. */
export async function openSandbox(options: Partial<SandboxOptions> = {}): Promise<Sandbox & {folder: string}> {
  const folder = options.folder ?? (await makeTempFolder())
  const sandbox = await startSandbox({folder, ...options})
  open.push(async () => sandbox.close())
  return {...sandbox, folder}
}

export function openClient(access: Access, config: S3ClientConfig = {}): S3Client {
  const {endpoint, region, accessKeyId, secretAccessKey} = access
  const client = new S3Client({
    endpoint,
    region,
    forcePathStyle: true,
    maxAttempts: 1,
    credentials: {accessKeyId, secretAccessKey},
    ...config,
  })
  open.push(() => {
    client.destroy()
  })
  return client
}

export async function closeAll(): Promise<void> {
  for (const close of open.splice(0).toReversed()) await close()
}

/** Returns the code of the error that a promise ends with. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
  } catch (error) {
    return (error as Error).name
  }
  return 'no error'
}

class Sha256 {
  readonly #hash: Hash | Hmac
  constructor(secret?: BinaryLike) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', secret)
  }
  update(data: Uint8Array | string): void {
    this.#hash.update(data)
  }
  async digest(): Promise<Uint8Array> {
    return this.#hash.digest()
  }
}

export interface Call {
  readonly method?: string
  /** Percent-encoded, sent as it stands. */
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
}

export interface Reply {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  readonly text: string
  /** The code in the error's XML. */
  readonly code: string
  readonly reusable: boolean
}

function signer(access: Access): SignatureV4 {
  const {accessKeyId, secretAccessKey, region} = access
  return new SignatureV4({
    credentials: {accessKeyId, secretAccessKey},
    region,
    service: 's3',
    sha256: Sha256 as never,
    uriEscapePath: false,
    applyChecksum: false,
  })
}

function toSignable(access: Access, call: Call) {
  const {method = 'GET', path, query = {}, headers = {}} = call
  const host = `127.0.0.1:${access.port}`
  return {
    method,
    path,
    query: {...query},
    headers: {host, ...headers},
    hostname: '127.0.0.1',
    port: access.port,
    protocol: 'http:',
  }
}

/** Signs with a signer that is not ours, and returns the headers to send. */
export async function signHeaders(access: Access, call: Call, date = new Date()): Promise<Record<string, string>> {
  const headers = {'x-amz-content-sha256': 'UNSIGNED-PAYLOAD', ...call.headers}
  const signed = await signer(access).sign(toSignable(access, {...call, headers}), {signingDate: date})
  return signed.headers
}

/** Presigns with a signer that is not ours, and returns path and query. */
export async function presign(
  access: Access,
  call: Call,
  options: {expiresIn?: number; date?: Date; unhoistable?: string[]} = {},
): Promise<string> {
  // As the SDK's own presigner does.
  const headers = {...call.headers, 'X-Amz-Content-Sha256': 'UNSIGNED-PAYLOAD'}
  const signed = await signer(access).presign(toSignable(access, {...call, headers}), {
    expiresIn: options.expiresIn ?? 60,
    signingDate: options.date ?? new Date(),
    unhoistableHeaders: new Set(options.unhoistable ?? []),
    unsignableHeaders: new Set(['content-type', 'content-md5']),
  })
  const query = Object.entries(signed.query ?? {}).map(
    ([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`,
  )
  return `${call.path}?${query.join('&')}`
}

export function toPath(path: string, query: Readonly<Record<string, string>> = {}): string {
  const pairs = Object.entries(query).map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
  return pairs.length === 0 ? path : `${path}?${pairs.join('&')}`
}

/** Sends exactly that, unsigned: path and headers as they stand. */
export async function sendRaw(access: Access, call: Call): Promise<Reply> {
  const {method = 'GET', path, query, headers = {}, body} = call
  return new Promise((resolve, reject) => {
    const request = httpRequest({
      host: '127.0.0.1',
      port: access.port,
      method,
      path: toPath(path, query),
      headers,
      agent: false,
    })
    request.once('error', reject)
    request.once('response', response => {
      const pieces: Buffer[] = []
      response.on('data', (piece: Buffer) => pieces.push(piece))
      response.once('error', reject)
      response.once('end', () => {
        const whole = Buffer.concat(pieces)
        const text = whole.toString('utf8')
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: whole,
          text,
          code: /<Code>([^<]*)<\/Code>/u.exec(text)?.[1] ?? '',
          reusable: response.headers.connection !== 'close',
        })
      })
    })
    if (body !== undefined) request.setHeader('content-length', Buffer.byteLength(body))
    request.end(body)
  })
}

/** Sends with a signature in the headers. */
export async function sendSigned(access: Access, call: Call): Promise<Reply> {
  return sendRaw(access, {...call, headers: await signHeaders(access, call)})
}
