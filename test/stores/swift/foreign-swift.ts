import {request} from 'node:http'
import type {IncomingMessage} from 'node:http'
import type {ForeignClient} from '../contract.ts'

export interface SwiftAccess {
  readonly storageUrl: string
  readonly token: string
}

export interface Reply {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly bytes: Buffer
}

/** Sends one request over node:http as it stands: none of our encoding, signing in or parsing takes part. */
export async function ask(
  url: string,
  options: {method?: string; headers?: Record<string, string>; body?: string | Buffer} = {},
): Promise<Reply> {
  const [, host = '', path = ''] = /^http:\/\/([^/]+)(.*)$/su.exec(url) ?? []
  const [hostname, port] = host.split(':')
  const {method = 'GET', headers = {}, body} = options
  return new Promise((resolve, reject) => {
    const sent = request({hostname, port, path, method, headers, agent: false}, response => {
      const pieces: Buffer[] = []
      response.on('data', (piece: Buffer) => pieces.push(piece)).on('error', reject)
      response.on('end', () =>
        resolve({status: response.statusCode ?? 0, headers: response.headers, bytes: Buffer.concat(pieces)}),
      )
    })
    sent.on('error', reject)
    if (body !== undefined) sent.setHeader('content-length', Buffer.byteLength(body))
    else if (method === 'PUT' || method === 'POST') sent.setHeader('content-length', 0)
    sent.end(body)
  })
}

/** Signs in as v1 does, without us. */
export async function signIn(v1: {authUrl: string; user: string; key: string}): Promise<SwiftAccess> {
  const {headers} = await ask(v1.authUrl, {headers: {'x-auth-user': v1.user, 'x-auth-key': v1.key}})
  return {storageUrl: String(headers['x-storage-url']), token: String(headers['x-auth-token'])}
}

export function escapePath(key: string): string {
  return [...Buffer.from(key)]
    .map(byte =>
      /[\w.~/-]/u.test(String.fromCharCode(byte))
        ? String.fromCharCode(byte)
        : `%${byte.toString(16).padStart(2, '0')}`,
    )
    .join('')
}

export async function makeContainer({storageUrl, token}: SwiftAccess, container: string): Promise<void> {
  const {status} = await ask(`${storageUrl}/${escapePath(container)}`, {
    method: 'PUT',
    headers: {'x-auth-token': token},
  })
  if (status >= 300) throw new Error(`The container ${container} was answered with ${status}.`)
}

/** Every name of a container. */
export async function listNames({storageUrl, token}: SwiftAccess, container: string): Promise<string[]> {
  const url = `${storageUrl}/${escapePath(container)}?format=json`
  const {status, bytes} = await ask(url, {headers: {'x-auth-token': token}})
  return status === 200 ? (JSON.parse(String(bytes)) as {name: string}[]).map(({name}) => name) : []
}

export function openForeign(access: SwiftAccess, container: string): ForeignClient {
  const headers = {'x-auth-token': access.token}
  return {
    async read(key) {
      const reply = await ask(`${access.storageUrl}/${escapePath(`${container}/${key}`)}`, {headers})
      if (reply.status !== 200) return undefined
      const metadata = Object.entries(reply.headers)
        .filter(([name]) => name.startsWith('x-object-meta-'))
        .map(([name, value]) => [name.slice('x-object-meta-'.length), String(value)])
      return {
        bytes: reply.bytes,
        contentType: reply.headers['content-type'],
        cacheControl: reply.headers['cache-control'],
        contentDisposition: reply.headers['content-disposition'],
        metadata: Object.fromEntries(metadata) as Record<string, string>,
      }
    },
    list: () => listNames(access, container),
  }
}

/** Signs in as Keystone v3 does with a password, without us. */
export async function signInKeystone(env: Readonly<Record<string, string>>): Promise<SwiftAccess> {
  const domain = {id: 'default'}
  const user = {name: env['OS_USERNAME'], password: env['OS_PASSWORD'], domain}
  const auth = {
    identity: {methods: ['password'], password: {user}},
    scope: {project: {name: env['OS_PROJECT_NAME'], domain}},
  }
  const {headers} = await ask(`${env['OS_AUTH_URL']}/auth/tokens`, {
    method: 'POST',
    headers: {'content-type': 'application/json'},
    body: JSON.stringify({auth}),
  })
  return {
    storageUrl: `${env['OS_SWIFT_PROXY']}/v1/AUTH_${env['OS_PROJECT_ID']}`,
    token: String(headers['x-subject-token']),
  }
}
