import type {IncomingHttpHeaders} from 'node:http'
import {Failure} from '../../core/failure.ts'
import {printable} from '../../core/printable.ts'
import type {Call, ContainerDetails, ContainerOptions, ContainerStore, Json, Target} from '../store.ts'
import type {SwiftConnection} from './client.ts'
import {
  addPublicRead,
  checkOptions,
  containerHeaders,
  isPublicRead,
  OWN_WORDS,
  removePublicRead,
} from './container-settings.ts'
import {addCors, clearCors, getCors, readCors, setCors} from './cors.ts'
import {decodeHeader, decodeMetadata} from './encode.ts'
import {listEntries} from './listing.ts'

const META = 'x-container-meta-'

/** Makes the container verbs of Swift. */
export function createContainers(connection: SwiftConnection): ContainerStore {
  const at = (target: Target): Target => ({...target, key: ''})
  const look = async (target: Target, {signal}: Call): Promise<IncomingHttpHeaders> =>
    (await connection.request({method: 'HEAD', target: at(target)}, {signal})).headers

  /** Returns whether it is new, and why it is not quite as wished. */
  async function make(
    target: Target,
    {policy}: ContainerOptions,
    call: Call,
  ): Promise<{created: boolean; notes: string[]}> {
    const headers: Record<string, string> = policy === undefined ? {} : {'x-storage-policy': policy}
    const request = {method: 'PUT', target: at(target), headers, accepts: [400, 409]}
    const answer = await connection.request(request, call)
    if (answer.status < 300) return {created: answer.status === 201, notes: []}
    if (answer.status === 409) {
      const standing = (await look(target, call))['x-storage-policy']
      return {
        created: false,
        notes: [`The container stands under the policy ${String(standing)} and cannot move to ${policy}.`],
      }
    }
    throw await refusedName(target, policy, answer.text, call)
  }

  async function refusedName(target: Target, policy: string | undefined, words: string, call: Call): Promise<Failure> {
    const context = {container: target.container, status: 400}
    if (policy !== undefined && /policy/iu.test(words)) {
      const {policies} = await connection.quirks(call.signal)
      return new Failure('usage', `The store has no storage policy "${printable(policy)}".`, {
        context,
        ...(policies.length > 0 ? {suggestion: `Take one of ${printable(policies.join(', '))}.`} : {}),
      })
    }
    const message = `"${printable(target.container)}" is not a name that this store allows for a container.`
    return new Failure('usage', message, {context})
  }

  async function post(target: Target, headers: Record<string, string>, {signal}: Call): Promise<void> {
    if (Object.keys(headers).length === 0) return
    await connection.request({method: 'POST', target: at(target), headers}, {signal})
  }

  async function apply(target: Target, options: ContainerOptions, call: Call): Promise<string[]> {
    const {publicRead, region, corsOrigins} = options
    const headers = containerHeaders(options)
    if (publicRead !== undefined) {
      const acl = String((await look(target, call))['x-container-read'] ?? '')
      headers['x-container-read'] = publicRead ? addPublicRead(acl) : removePublicRead(acl)
    }
    if (options.versioning !== undefined && !(await connection.quirks(call.signal)).hasVersions) {
      delete headers['x-versions-enabled']
      await post(target, headers, call)
      throw new Failure('unsupported', 'This cluster keeps no versions of objects.', {
        context: {container: target.container},
      })
    }
    await post(target, headers, call)
    const notes = corsOrigins === undefined ? [] : await setCors(connection, target, [browserUpload(corsOrigins)], call)
    // The region is the one that was signed in to.
    return [...(region === undefined ? [] : ['The region of a container is that of the sign-in.']), ...notes]
  }

  return {
    async createContainer(target, options, call) {
      checkOptions(options)
      const {created, notes} = await make(target, options, call)
      return {created, notes: [...notes, ...(await apply(target, options, call))]}
    },

    async *listContainers(call) {
      for await (const {name} of listEntries(connection, {container: ''}, call)) yield {name}
    },

    async showContainer(target, call) {
      const headers = await look(target, call)
      return describe(target, headers, await connection.quirks(call.signal))
    },

    async deleteContainer(target, call) {
      const request = {method: 'DELETE', target: at(target), accepts: [409]}
      const {status} = await connection.request(request, {signal: call.signal})
      if (status < 300) return
      throw new Failure('exists', `The container "${printable(target.container)}" is not empty.`, {
        context: {container: target.container, status},
        suggestion: 'Delete its objects first, with -r. What was deleted a moment ago may still be listed.',
      })
    },

    getCors: (target, call) => getCors(connection, at(target), call),
    setCors: (target, rules, call) => setCors(connection, at(target), rules, call),
    addCors: (target, rule, isWanted, call) => addCors(connection, at(target), {rule, isWanted}, call),
    clearCors: (target, call) => clearCors(connection, at(target), call),
  }
}

/** What the upload page needs of a browser's origin. */
function browserUpload(origins: readonly string[]) {
  return {origins, methods: [], headers: [], expose: ['Etag'], maxAgeInSeconds: 3600}
}

function describe(
  {container}: Target,
  headers: IncomingHttpHeaders,
  {limits}: {limits: ContainerDetails['limits']},
): ContainerDetails {
  const text = (name: string): string | undefined => {
    const value = headers[name]
    return typeof value === 'string' && value !== '' ? decodeHeader(value) : undefined
  }
  const numbers = {
    objects: text('x-container-object-count'),
    bytes: text('x-container-bytes-used'),
    quotaBytes: text(`${META}quota-bytes`),
    quotaCount: text(`${META}quota-count`),
  }
  const words = {
    policy: text('x-storage-policy'),
    readAcl: text('x-container-read'),
    writeAcl: text('x-container-write'),
  }
  const metadata = Object.entries(headers).flatMap(([name, value]) =>
    name.startsWith(META) && !OWN_WORDS.test(name)
      ? [[name.slice(META.length), decodeMetadata(String(value))] as const]
      : [],
  )
  const extra: Record<string, Json> = {
    ...Object.fromEntries(
      Object.entries(numbers).flatMap(([name, value]) => (isNumber(value) ? [[name, Number(value)]] : [])),
    ),
    ...Object.fromEntries(Object.entries(words).flatMap(([name, value]) => (value ? [[name, value]] : []))),
    ...(metadata.length > 0 ? {metadata: Object.fromEntries(metadata)} : {}),
  }
  return {
    name: container,
    versioning: text('x-versions-enabled')?.toLowerCase() === 'true' || text('x-versions-location') !== undefined,
    publicRead: isPublicRead(words.readAcl ?? ''),
    cors: readCors(headers),
    limits,
    checksum: 'md5',
    notes: [],
    extra,
  }
}

function isNumber(value: string | undefined): boolean {
  return value !== undefined && /^\d{1,15}$/u.test(value)
}
