import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {join} from 'node:path'
import {text} from 'node:stream/consumers'
import {startSwift} from '../servers/swift.ts'
import type {SwiftOptions, SwiftServer} from '../servers/swift.ts'
import {ask, escapePath, listNames, makeContainer, signIn} from '../stores/swift/foreign-swift.ts'
import type {Reply, SwiftAccess} from '../stores/swift/foreign-swift.ts'
import {hashStream} from './arena.ts'
import {startFaultProxy} from './fault-proxy.ts'
import {makeRandomFile} from './random-file.ts'
import {makeHome} from './run-skylift.ts'
import {makeTempFolder} from './temp-folder.ts'
import {BUCKET} from './world.ts'
import type {World} from './world.ts'

const SEGMENTS = `${BUCKET}_segments`
/** What a part of ours is called: what comes before its number, and the number; 0 marks an upload that has begun. */
const NAME = /^(?<prefix>(?<key>.*)\/skylift-[^/]+\/)(?<number>\d{8})$/su

export interface SwiftWorld extends World {
  readonly server: SwiftServer
  /** The path of one part of an unfinished upload. */
  findPart(key: string, number: number): Promise<string>
  /** Deletes what is at a path, as somebody else would. */
  drop(path: string): Promise<void>
}

/** Opens a world that speaks Swift's own API; the server is shared by all that ask for the same settings. */
export async function openSwiftWorld(options: SwiftOptions = {}): Promise<SwiftWorld> {
  const server = await startSwift(options)
  const {authUrl, user, key: secret} = server.v1
  const endpoint = new URL(authUrl).origin
  // Anew each time: a server that was started again may have forgotten its tokens.
  const sign = (): Promise<SwiftAccess> => signIn(server.v1)
  await makeContainer(await sign(), BUCKET)
  const proxy = await startFaultProxy({upstream: endpoint})
  const folder = await makeTempFolder()
  let files = 0

  async function send(method: string, path: string, more: {query?: string; body?: Buffer} = {}): Promise<Reply> {
    const {query = '', body} = more
    const {storageUrl, token} = await sign()
    const headers = {'x-auth-token': token}
    return ask(`${storageUrl}/${escapePath(path)}${query}`, {method, headers, ...(body === undefined ? {} : {body})})
  }

  /** Every segment that is there, read from its name. */
  async function listSegments(): Promise<{name: string; prefix: string; key: string; number: number}[]> {
    return (await listNames(await sign(), SEGMENTS)).map(name => {
      const {prefix = '', key = '', number = '-1'} = NAME.exec(name)?.groups ?? {}
      return {name, prefix, key, number: Number(number)}
    })
  }

  /** Names of the segments that the objects of the container are made of. */
  async function listNamed(): Promise<Set<string>> {
    const {bytes} = await send('GET', BUCKET, {query: '?format=json'})
    const objects = JSON.parse(String(bytes)) as {name: string; slo_etag?: string}[]
    const named = new Set<string>()
    for (const {name} of objects.filter(({slo_etag: etag}) => etag !== undefined)) {
      const reply = await send('GET', `${BUCKET}/${name}`, {query: '?multipart-manifest=get&format=json'})
      for (const each of JSON.parse(String(reply.bytes)) as {name: string}[]) {
        named.add(each.name.slice(`/${SEGMENTS}/`.length))
      }
    }
    return named
  }

  async function findPart(key: string, number: number): Promise<string> {
    const found = (await listSegments()).find(each => each.key === key && each.number === number)
    return `${SEGMENTS}/${found?.name}`
  }

  return {
    scheme: 'swift',
    server,
    endpoint,
    proxy,
    remoteAt: at => ({
      provider: 'swift',
      name: 'swift',
      auth: {method: 'v1', authUrl: `${at}/auth/v1.0`, user, key: secret},
    }),
    async makeFile(size) {
      const path = join(folder, `file-${++files}`)
      await makeRandomFile(path, size, files)
      return path
    },
    makeHome: env => makeHome({ST_AUTH: `${proxy.endpoint}/auth/v1.0`, ST_USER: user, ST_KEY: secret, ...env}),
    async hashStored(key) {
      const {storageUrl, token} = await sign()
      return hashByCurl(`${storageUrl}/${escapePath(`${BUCKET}/${key}`)}`, token)
    },
    async listUploads() {
      // A mark may outlive its upload.
      const done = [...(await listNamed())].map(name => NAME.exec(name)?.groups?.['prefix'])
      const begun = (await listSegments()).filter(({number}) => number === 0)
      return begun.filter(({prefix}) => !done.includes(prefix)).map(({key}) => key)
    },
    async listLooseParts(which) {
      const [segments, named] = [await listSegments(), await listNamed()]
      const begun = new Set(segments.flatMap(({number, prefix}) => (number === 0 ? [prefix] : [])))
      return segments
        .filter(({name, number}) => number !== 0 && !named.has(name))
        .filter(({prefix}) => which === undefined || !begun.has(prefix))
        .map(({name}) => name)
    },
    async dropUpload(key) {
      for (const each of await listSegments()) if (each.key === key) await send('DELETE', `${SEGMENTS}/${each.name}`)
    },
    putPart: async (key, number, body) => void (await send('PUT', await findPart(key, number), {body})),
    findPart,
    drop: async path => void (await send('DELETE', path)),
    close: () => proxy.close(),
  }
}

/** SHA-256 of what curl reads; undefined where it is told 404. */
async function hashByCurl(url: string, token: string): Promise<string | undefined> {
  const args = ['-sS', '--fail', '--path-as-is', '-H', '@-', url]
  const curl = spawn('curl', args, {stdio: ['pipe', 'pipe', 'pipe']})
  curl.stdin.end(`X-Auth-Token: ${token}`)
  const ended = once(curl, 'close')
  const [hash, said, [status]] = await Promise.all([hashStream(curl.stdout), text(curl.stderr), ended])
  if (status === 0) return hash
  if (/returned error: 404/u.test(said)) return undefined
  throw new Error(`curl: ${said}`)
}
