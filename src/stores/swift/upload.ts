import {createHash} from 'node:crypto'
import {crc32} from 'node:zlib'
import {combineCrc32, formatCrc32, parseCrc32} from '../../core/crc32.ts'
import {Failure, isFailure} from '../../core/failure.ts'
import type {Call, ObjectInfo, Part, PartReceipt, Session, StoredObject, Target, UploadStore} from '../store.ts'
import type {SwiftConnection, SwiftRequest} from './client.ts'
import {nameOf} from './failures.ts'
import {expireLater, segmentExpiry} from './expiry.ts'
import {listEntries} from './listing.ts'
import {manifestEtag, putManifest, readManifest} from './manifest.ts'
import {objectHeaders, unquote} from './object-headers.ts'
import {createLargeObjectCheck, createReplaced} from './replaced.ts'
import {createSegmentContainer, findPolicy, putInto} from './segment-containers.ts'
import type {SegmentPlace} from './segments.ts'
import {
  deleteAll,
  MARKER,
  newUploadId,
  parsePath,
  parseSegment,
  placeOfSession,
  segmentContainerOf,
  segmentTarget,
  stemOf,
} from './segments.ts'
import {createPutWhole} from './whole.ts'

const BINARY = {'content-type': 'application/octet-stream'}

/** Makes the upload verbs of Swift: large objects are segments, and a manifest that names them (SLO). */
export function createUpload(
  connection: SwiftConnection,
  head: (target: Target, call: Call) => Promise<ObjectInfo>,
): UploadStore {
  const {settings} = connection
  const replaced = createReplaced(connection)
  const largeObjects = createLargeObjectCheck(connection)
  const placeOf = (session: Session): SegmentPlace => placeOfSession(session, settings)

  /** True where the object at the key is made of this upload's segments, by whichever answer it came to be. */
  async function stands({target}: Session, {container, prefix}: SegmentPlace, call: Call): Promise<boolean> {
    const segments = await readManifest(connection, target, call)
    return (
      segments?.some(
        ({name = ''}) => parsePath(name).container === container && parsePath(name).key.startsWith(prefix),
      ) === true
    )
  }

  async function listSegments(place: SegmentPlace, call: Call): Promise<Map<number, {size: number; etag: string}>> {
    const found = new Map<number, {size: number; etag: string}>()
    for await (const {name, bytes = 0, hash = ''} of listEntries(connection, place, call)) {
      const segment = parseSegment(name)
      if (segment !== undefined && segment.prefix === place.prefix) found.set(segment.number, {size: bytes, etag: hash})
    }
    return found
  }

  async function sendSegment(session: Session, request: SwiftRequest, call: Call, sums: Sums): Promise<string> {
    const sending = {signal: call.signal, onSent: call.onSent, pace: call.pace, onWindow: sums.add}
    const answer = await connection.request({...request, accepts: [404]}, sending)
    if (answer.status < 300) return unquote(answer.headers.etag)
    const policy = await findPolicy(connection, session.target, call)
    await createSegmentContainer(connection, request.target.container, policy, call)
    return unquote((await connection.request(request, sending)).headers.etag)
  }

  /** Swift may say 503 of what it has stored all the same; nothing but this part can have this name and these bytes. */
  async function isStored(target: SwiftRequest['target'], {size}: Part, md5: string, call: Call): Promise<boolean> {
    const found = await connection.request({method: 'HEAD', target}, {signal: call.signal}).catch(() => undefined)
    return (
      found !== undefined && unquote(found.headers.etag) === md5 && Number(found.headers['content-length']) === size
    )
  }

  return {
    endpoint: settings.endpointName,
    limits: async call => (await connection.quirks(call.signal)).limits,
    putWhole: createPutWhole(connection, {replaced, largeObjects, head}),

    async begin(target, options, {size, partSize}, call) {
      objectHeaders(options)
      largeObjects.expect(target)
      const policy = await findPolicy(connection, target, call)
      const uploadId = newUploadId(new Date())
      const container = options.segmentContainer ?? segmentContainerOf(target, settings)
      const place = {container, prefix: `${stemOf(target.key)}/${uploadId}/`}
      const headers = {...BINARY, ...segmentExpiry(options)}
      await putInto(connection, segmentTarget(place, MARKER), {text: target.key, headers, policy}, call)
      return {target, uploadId, options, size, partSize, checksum: 'md5', state: place}
    },

    async putPart(session, part, body, call) {
      const {container, key} = session.target
      const target = segmentTarget(placeOf(session), part.number)
      const sums = createSums()
      const request = {method: 'PUT', target, headers: {...BINARY, ...segmentExpiry(session.options)}, body}
      let etag: string
      try {
        etag = await sendSegment(session, request, call, sums)
      } catch (error) {
        call.signal.throwIfAborted()
        const isHalfTold = isFailure(error, 'busy') && error.context.status === 503 && sums.size() === body.size
        if (!isHalfTold || !(await isStored(target, part, sums.md5(), call))) throw atPart(error, session, part)
        etag = sums.md5()
      }
      if (etag !== sums.md5()) {
        throw new Failure('integrity', `Part ${part.number} of ${nameOf(container, key)} was damaged on the way.`, {
          context: {container, key, part: part.number},
          retryable: true,
        })
      }
      return {number: part.number, size: part.size, etag, crc32: sums.crc32()}
    },

    async listParts(session, call) {
      const place = placeOf(session)
      const found = await listSegments(place, call)
      // A listing may lag behind; the object that says "begun" is asked for by its name.
      if (found.size === 0) {
        const target = segmentTarget(place, MARKER)
        const {status} = await connection.request({method: 'HEAD', target, accepts: [404]}, {signal: call.signal})
        if (status >= 300) throw forgotten(session)
      }
      found.delete(MARKER)
      const numbers = [...found].sort(([a], [b]) => a - b)
      return numbers.map(([number, {size, etag}]) => ({number, size, etag, crc32: ''}))
    },

    async complete(session, receipts, call) {
      const {target, options} = session
      const place = placeOf(session)
      // A manifest joins whatever it names: a list that is too short would make a shorter object.
      if (receipts.reduce((sum, {size}) => sum + size, 0) !== session.size) throw incomplete(target)
      await replaced.look(target, options, call)
      await expireLater(connection, session, place, receipts, call)
      const guard: Record<string, string> = options.noClobber === true ? {'if-none-match': '*'} : {}
      try {
        await putManifest(connection, target, {place, receipts, headers: {...objectHeaders(options), ...guard}}, call)
      } catch (error) {
        call.signal.throwIfAborted()
        const mayStand = isFailure(error, 'network', 'busy', 'exists')
        if (!mayStand || !(await stands(session, place, call).catch(() => false))) throw error
      }
      const isNamed = (old: {container: string; key: string}): boolean =>
        old.container === place.container && old.key.startsWith(place.prefix)
      const notes = await replaced.clear(target, isNamed, call)
      await deleteAll(connection, [segmentTarget(place, MARKER)], call)
      const stored = storedOf(session, receipts)
      return notes.length > 0 ? {...stored, notes} : stored
    },

    async abort(session, call) {
      const place = placeOf(session)
      const marker = segmentTarget(place, MARKER)
      let numbers: Iterable<number>
      try {
        numbers = (await listSegments(place, call)).keys()
      } catch (error) {
        if (isFailure(error, 'not-found')) return
        throw error
      }
      // Its manifest may stand although nobody heard the answer: then these segments are the object.
      const segments = (await stands(session, place, call)) ? [] : [...numbers].map(each => segmentTarget(place, each))
      const {error} = await deleteAll(connection, [...segments, marker], call)
      if (error !== undefined) throw error
    },
  }
}

interface Sums {
  /** Sees what leaves; position 0 begins anew. */
  readonly add: (bytes: Buffer, position: number) => void
  readonly size: () => number
  readonly md5: () => string
  readonly crc32: () => string
}

function createSums(): Sums {
  let hash = createHash('md5')
  let [crc, size] = [0, 0]
  let done: string | undefined
  return {
    add(bytes, position) {
      if (position === 0) [hash, crc, size, done] = [createHash('md5'), 0, 0, undefined]
      hash.update(bytes)
      crc = crc32(bytes, crc)
      size += bytes.length
    },
    size: () => size,
    md5: () => (done ??= hash.digest('hex')),
    crc32: () => formatCrc32(crc),
  }
}

function storedOf({target, size}: Session, receipts: readonly PartReceipt[]): StoredObject {
  const isKnown = receipts.every(({crc32: known}) => known !== '')
  const crc = receipts.reduce((sum, part) => combineCrc32(sum, parseCrc32(part.crc32), part.size), 0)
  const etag = manifestEtag(receipts)
  return {target, size, etag, ...(isKnown ? {crc32: formatCrc32(crc)} : {}), verified: {by: 'md5'}}
}

function atPart(error: unknown, {target: {container, key}}: Session, {number}: Part): unknown {
  if (!isFailure(error)) return error
  const {code, message, retryable, retryAfter, suggestion, context} = error
  return new Failure(code, message, {
    retryable,
    cause: error,
    ...(retryAfter === undefined ? {} : {retryAfter}),
    ...(suggestion === undefined ? {} : {suggestion}),
    context: {...context, container, key, part: number},
  })
}

function forgotten({target: {container, key}}: Session): Failure {
  const message = `The store has forgotten the upload of ${nameOf(container, key)}.`
  return new Failure('not-found', message, {context: {container, key}})
}

function incomplete({container, key}: Target): Failure {
  const message = `The parts of ${nameOf(container, key)} are not the whole object.`
  return new Failure('integrity', message, {context: {container, key}})
}
