import {createHash, randomBytes} from 'node:crypto'
import {isFailure} from '../../core/failure.ts'
import {bufferBody} from '../../core/buffer-body.ts'
import type {Call, PolicyLevel, Probe, Right, RightFinding, Target} from '../store.ts'
import type {SwiftConnection, SwiftRequest} from './client.ts'
import {unreadable} from './readable.ts'

const BYTES = Buffer.from('skylift doctor: this must not be stored')
const WRONG_ETAG = {etag: createHash('md5').update('anything else').digest('hex')}
const UNSEEN = 'The container for segments is not there yet: the first large upload makes it, or fails.'

/** Makes what the doctor asks of Swift: a PUT with a wrong ETag is refused as damaged, but only to whoever may write. */
export function createProbe(connection: SwiftConnection): Probe {
  const segmentsOf = ({container}: Target): string => connection.settings.segmentContainer ?? `${container}_segments`

  function requestFor(right: Right, target: Target): SwiftRequest {
    const folder = target.key.slice(0, target.key.lastIndexOf('/') + 1)
    const key = `${folder}.skylift-doctor-${randomBytes(8).toString('hex')}`
    const segment = {container: segmentsOf(target), key}
    const put = {method: 'PUT', headers: WRONG_ETAG, body: bufferBody(BYTES)}
    if (right === 'write') return {...put, target: {...target, key}}
    if (right === 'parts') return {...put, target: segment}
    if (right === 'abort') return {method: 'DELETE', target: segment}
    const container = right === 'list' ? target.container : segment.container
    return {method: 'GET', target: {container, key: ''}, query: {limit: '1'}}
  }

  /** Segments must be read, too, when they are joined; what is not there is told only to whoever may read. */
  async function findReading({target}: SwiftRequest, {signal}: Call): Promise<RightFinding> {
    const {status} = await connection.request({method: 'HEAD', target, accepts: [403, 404]}, {signal})
    return status === 403 ? {allowed: false, note: unreadable(target.container).message} : {allowed: true}
  }

  return {
    async findOrigin(_target, {signal}) {
      return (await connection.place(signal)).origin
    },

    async identify({signal}) {
      const {who, ends} = await connection.access(signal)
      return {who: who ?? 'whoever the token is for', ...(ends === undefined ? {} : {ends})}
    },

    async lookAtContainer(target, {signal}) {
      await connection.request({method: 'HEAD', target: {...target, key: ''}}, {signal})
    },

    // The region is that of the sign-in.
    findRegion: () => Promise.resolve(undefined),

    async tryRight(right, target, call: Call): Promise<RightFinding> {
      const {part} = (await connection.quirks(call.signal)).limits
      if (right === 'parts' && part === undefined)
        return {allowed: false, note: 'The cluster has no large objects (SLO).'}
      const request = requestFor(right, target)
      try {
        await connection.request(request, {signal: call.signal})
        return {allowed: true}
      } catch (error) {
        if (!isFailure(error)) throw error
        if (error.code === 'integrity') return right === 'parts' ? await findReading(request, call) : {allowed: true}
        if (error.code === 'forbidden') return {allowed: false}
        if (error.code !== 'not-found' || right === 'write' || right === 'list') throw error
        // What is not there cannot be deleted, and whoever may not would have been told.
        return right === 'abort' ? {allowed: true} : {note: UNSEEN}
      }
    },

    async findMissingContainer(target, {signal}) {
      const segments = {...target, container: segmentsOf(target), key: ''}
      const {status} = await connection.request({method: 'HEAD', target: segments, accepts: [403, 404]}, {signal})
      return status === 404 ? segments : undefined
    },

    // Every PUT carries the md5 of its bytes.
    checksum: () => 'md5',

    writePolicy: (target, level) => writeAcl(target, level, segmentsOf(target)),
  }
}

// https://docs.openstack.org/swift/latest/overview_acl.html
function writeAcl({container}: Target, level: PolicyLevel, segments: string) {
  const who = 'PROJECT_ID:USER_ID'
  const read = level === 'all' ? ` --read-acl '${who},.rlistings'` : ''
  // Swift reads segments by the rights of whoever joins them; whoever goes on must see which are there, too.
  const readSegments = ` --read-acl '${level === 'upload' ? who : `${who},.rlistings`}'`
  return {
    text: [
      `swift post ${quote(container)} --write-acl '${who}'${read}`,
      `swift post ${quote(segments)} --write-acl '${who}'${readSegments}`,
    ].join('\n'),
    notes: [
      'For the owner of the account. At a v1 sign-in the names are ACCOUNT:USER.',
      `The second is for objects in segments; somebody with these rights alone cannot make "${segments}".`,
      'ACLs of Swift are for whole containers: a prefix cannot be limited, but by a temp URL.',
    ],
  }
}

function quote(word: string): string {
  return /^[\w.-]+$/u.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`
}
