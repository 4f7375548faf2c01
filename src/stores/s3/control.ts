import {Readable} from 'node:stream'
import type {S3Client, S3ClientConfig} from '@aws-sdk/client-s3'
import {Failure} from '../../core/failure.ts'
import {COMPLETE_WAIT} from '../../http/waits.ts'
import {bufferBody} from '../../core/buffer-body.ts'
import {send} from '../../http/send.ts'
import type {Wire} from '../../http/send.ts'
import type {Call, Target} from '../store.ts'
import type {Identity, S3Connection} from './client.ts'
import {Refused} from './client.ts'
import {readRefusal, readRegion, wantedRegion} from './failures.ts'
import {loadClient} from './sdk.ts'
import {encodeQuery} from './sign.ts'

type Sdk = typeof import('@aws-sdk/client-s3')

interface SdkRequest {
  readonly method: string
  readonly protocol: string
  readonly hostname: string
  readonly port?: number
  readonly path: string
  readonly query: Readonly<Record<string, string | string[] | null>>
  readonly headers: Readonly<Record<string, string>>
  readonly body?: unknown
}

/** The control plane: the SDK's requests over our own wire, so that waits, proxies, CA and `--debug` are the same. */
export interface ControlPlane {
  /** Runs one SDK operation on a target. Fails as `failures` translates. */
  run<T>(target: Target, call: Call, operation: (client: S3Client, sdk: Sdk) => Promise<T>): Promise<T>
}

export function createControlPlane(connection: S3Connection): ControlPlane {
  const clients = new Map<string, S3Client>()

  function clientFor(sdk: Sdk, identity: Identity): S3Client {
    const name = [
      identity.region,
      identity.credentials.accessKeyId,
      identity.credentials.sessionToken,
      identity.skew,
    ].join()
    const client = clients.get(name) ?? new sdk.S3Client(clientConfig(connection, identity))
    clients.set(name, client)
    return client
  }

  return {
    async run(target, call, operation) {
      const sdk = await loadClient()
      const {container, key} = target
      return connection.attempt({container, ...(key === '' ? {} : {key})}, async identity => {
        try {
          return await operation(clientFor(sdk, identity), sdk)
        } catch (error) {
          call.signal.throwIfAborted()
          throw asRefused(error)
        }
      })
    },
  }
}

/** What every client is made with, here and for `--engine sdk`. */
export function clientConfig(connection: S3Connection, identity: Identity): S3ClientConfig {
  const {endpoint, wire} = connection.settings
  return {
    region: identity.region,
    credentials: identity.credentials,
    ...(endpoint === undefined ? {} : {endpoint, forcePathStyle: true}),
    // Retries have one owner: our own layer.
    maxAttempts: 1,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    systemClockOffset: identity.skew,
    logger: SILENT,
    requestHandler: createHandler(wire),
  }
}

const SILENT = {trace() {}, debug() {}, info() {}, warn() {}, error() {}}

function createHandler(wire: Wire): NonNullable<S3ClientConfig['requestHandler']> {
  return {
    async handle(request: SdkRequest, options: {abortSignal?: AbortSignal} = {}) {
      const query = encodeQuery(request.query as Record<string, string>)
      const port = request.port === undefined ? '' : `:${request.port}`
      const body = toBytes(request.body)
      const isComplete = request.method === 'POST' && 'uploadId' in request.query
      const answer = await send(
        wire,
        {
          method: request.method,
          origin: `${request.protocol}//${request.hostname}${port}`,
          path: query === '' ? request.path : `${request.path}?${query}`,
          headers: withoutLength(request.headers),
          ...(body === undefined ? {} : {body: bufferBody(body)}),
        },
        {signal: options.abortSignal ?? new AbortController().signal, ...(isComplete ? {answer: COMPLETE_WAIT} : {})},
      )
      // Read as on the data plane: the SDK does not find a code whose name has a prefix.
      if (answer.status >= 300) throw new Refused(readRefusal(answer))
      const headers = Object.fromEntries(Object.entries(answer.headers).map(([name, value]) => [name, String(value)]))
      const content = Readable.from([Buffer.from(dropPrefix(answer.text))])
      return {response: {statusCode: answer.status, headers, body: content}}
    },
  } as NonNullable<S3ClientConfig['requestHandler']>
}

/** Of a document whose root has one: the SDK would read it as an empty one. */
function dropPrefix(text: string): string {
  const prefix = /^\s*(?:<\?[^<>]*\?>\s*)?<([\w.-]+):/u.exec(text)?.[1]
  return prefix === undefined ? text : text.replaceAll(`<${prefix}:`, '<').replaceAll(`</${prefix}:`, '</')
}

function toBytes(body: unknown): Buffer | undefined {
  if (body === undefined || body === null) return undefined
  return typeof body === 'string' ? Buffer.from(body) : Buffer.from(body as Uint8Array)
}

function withoutLength(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name.toLowerCase() !== 'content-length'))
}

interface SdkError {
  readonly name?: string
  readonly Code?: string
  readonly message?: string
  readonly Region?: string
  readonly $metadata?: {readonly httpStatusCode?: number}
  readonly $response?: {readonly statusCode?: number; readonly headers?: Record<string, string>}
}

/** Turns an answer that the SDK threw into a refusal; anything else (a Failure of the wire) passes through. */
export function asRefused(error: unknown): unknown {
  if (error instanceof Refused) return error
  const {name, Code, message = '', Region, $metadata, $response} = error as SdkError
  const status = $metadata?.httpStatusCode ?? $response?.statusCode
  if (status === undefined) return /^Region not accepted/u.test(message) ? unusableRegion() : error
  const headers = $response?.headers ?? {}
  const region = readRegion(headers['x-amz-bucket-region']) ?? readRegion(Region) ?? wantedRegion(message)
  const providerCode = Code ?? name ?? ''
  return new Refused(
    {
      status,
      providerCode: ['UnknownError', 'Unknown', 'Error', 'SyntaxError'].includes(providerCode) ? '' : providerCode,
      message: message === 'UnknownError' ? '' : message,
      headers,
      isHtml: /deserialization|not valid XML|html/iu.test(message) || (headers['content-type'] ?? '').includes('html'),
      ...(region === undefined ? {} : {region}),
    },
    error,
  )
}

/** The SDK takes only what could stand in a host's name; our own requests take more. */
function unusableRegion(): Failure {
  return new Failure('config', 'This cannot be asked with a region of that name.', {
    suggestion: 'A region has letters, digits and hyphens, as in eu-central-1; us-east-1 does for most stores.',
  })
}
