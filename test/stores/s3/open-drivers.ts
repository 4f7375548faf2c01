import {request as httpRequest} from 'node:http'
import type {IncomingHttpHeaders} from 'node:http'
import {createAgents} from '../../../src/http/agents.ts'
import type {Agents} from '../../../src/http/agents.ts'
import type {RequestRecord, Wire} from '../../../src/http/send.ts'
import {memoryFindings} from '../../../src/stores/findings.ts'
import {createConnection} from '../../../src/stores/s3/client.ts'
import type {S3Settings} from '../../../src/stores/s3/client.ts'
import {createContainers} from '../../../src/stores/s3/container.ts'
import {createControlPlane} from '../../../src/stores/s3/control.ts'
import {createLinks} from '../../../src/stores/s3/links.ts'
import {createObjects} from '../../../src/stores/s3/objects.ts'
import {UNKNOWN} from '../../../src/stores/s3/quirks.ts'
import type {Credentials} from '../../../src/stores/s3/sign.ts'
import {createUpload} from '../../../src/stores/s3/upload.ts'
import type {Call, ContainerStore, LinkStore, ObjectStore, TempUrl, UploadStore} from '../../../src/stores/store.ts'
import {bufferBody} from '../../../src/core/buffer-body.ts'

export interface Access {
  readonly endpoint?: string
  readonly region?: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

export interface Drivers extends ContainerStore, LinkStore, ObjectStore, UploadStore {
  readonly wire: Wire
  readonly findings: S3Settings['findings']
  /** Every request that was sent so far. */
  readonly requests: readonly RequestRecord[]
  put(container: string, key: string, text: string): Promise<void>
  close(): void
}

export const call: Call = {signal: new AbortController().signal}

export const at = (container: string, key = '') => ({remote: 'test', container, key})

export interface DriverOptions {
  readonly quirks?: S3Settings['quirks']
  readonly credentials?: Partial<Credentials>
  readonly agents?: Agents
}

/** Opens the drivers without any layer, so that what a test sees is theirs alone. */
export function openDrivers(
  {endpoint, region, accessKeyId, secretAccessKey}: Access,
  {quirks = UNKNOWN, credentials = {}, agents = createAgents()}: DriverOptions = {},
): Drivers {
  const requests: RequestRecord[] = []
  const wire: Wire = {agents, onRequest: record => requests.push(record)}
  const findings = memoryFindings()
  const connection = createConnection({
    ...(endpoint === undefined ? {} : {endpoint}),
    ...(region === undefined ? {} : {region}),
    credentials: () => Promise.resolve({accessKeyId, secretAccessKey, ...credentials}),
    quirks,
    findings,
    wire,
  })
  const objects = createObjects(connection)
  const upload = createUpload(connection, (target, each) => objects.head(target, each))
  return {
    ...objects,
    ...upload,
    ...createContainers(connection, createControlPlane(connection)),
    ...createLinks(connection, (target, each) => objects.head(target, each)),
    wire,
    findings,
    requests,
    async put(container, key, text) {
      await upload.putWhole(at(container, key), bufferBody(Buffer.from(text)), {}, call)
    },
    close: () => agents.close(),
  }
}

export interface Reply {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  readonly code: string
}

/** Uses a temp URL as somebody would who has nothing else: the path exactly as it stands, no client of ours. */
export async function useUrl(
  {url, method, headers}: Pick<TempUrl, 'url' | 'method' | 'headers'>,
  body?: string,
): Promise<Reply> {
  const [, host = '', path = ''] = /^http:\/\/([^/]+)(.*)$/su.exec(url) ?? []
  const [hostname, port] = host.split(':')
  return new Promise((resolve, reject) => {
    const request = httpRequest({hostname, port, path, method, headers: {...headers}, agent: false})
    request.once('error', reject)
    request.once('response', response => {
      const pieces: Buffer[] = []
      response.on('data', (piece: Buffer) => pieces.push(piece))
      response.once('error', reject)
      response.once('end', () => {
        const text = Buffer.concat(pieces).toString('utf8')
        const code = /<Code>([^<]*)/u.exec(text)?.[1] ?? ''
        resolve({status: response.statusCode ?? 0, headers: response.headers, text, code})
      })
    })
    if (body !== undefined) request.setHeader('content-length', Buffer.byteLength(body))
    request.end(body)
  })
}

/** Returns what a promise fails with. */
export async function failureOf(promise: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  try {
    await promise
  } catch (error) {
    return error as Error & Record<string, unknown>
  }
  throw new Error('It did not fail.')
}
