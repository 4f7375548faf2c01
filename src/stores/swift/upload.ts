import {combineCrc32, formatCrc32, parseCrc32} from '../../core/crc32.ts'
import {Failure, isFailure} from '../../core/failure.ts'
import type {Call, ObjectInfo, PartReceipt, Session, StoredObject, Target, UploadStore} from '../store.ts'
import type {SwiftConnection} from './client.ts'
import type {Conditions, Guard} from './conditions.ts'
import {createElsewhereMark} from './elsewhere.ts'
import {nameOf} from './failures.ts'
import {expireLater, segmentExpiry} from './expiry.ts'
import {listEntries} from './listing.ts'
import {putMarker} from './marker.ts'
import {forgotten, leadingEtags, manifestEtag, putManifest, readManifest} from './manifest.ts'
import {objectHeaders} from './object-headers.ts'
import {BINARY, createPutPart} from './put-part.ts'
import {createReadCheck} from './readable.ts'
import {createLargeObjectCheck, createReplaced} from './replaced.ts'
import {findPolicy} from './segment-containers.ts'
import type {SegmentPlace} from './segments.ts'
import {
  deleteAll,
  MARKER,
  newUploadId,
  parsePath,
  parseSegment,
  placeOfSession,
  replacedListOf,
  segmentContainerOf,
  segmentTarget,
  stemOf,
} from './segments.ts'
import type {VersionCheck} from './versions.ts'
import {createPutWhole} from './whole.ts'

/** Makes the upload verbs of Swift: large objects are segments, and a manifest that names them (SLO). */
export function createUpload(
  connection: SwiftConnection,
  {
    head,
    keepsVersions,
    conditions: {guardWrite, lookAhead},
  }: {
    readonly head: (target: Target, call: Call) => Promise<ObjectInfo>
    readonly keepsVersions: VersionCheck
    readonly conditions: Conditions
  },
): UploadStore {
  const {settings} = connection
  const replaced = createReplaced(connection, keepsVersions)
  const markElsewhere = createElsewhereMark(connection)
  const checkReadable = createReadCheck(connection)
  const largeObjects = createLargeObjectCheck(connection)
  const placeOf = (session: Session): SegmentPlace => placeOfSession(session, settings)
  const sendPart = createPutPart(connection, placeOf)
  /** Numbers of the parts that were begun here, by upload: one that was cut off may arrive all the same, and late. */
  const begun = new Map<string, Set<number>>()
  /** Those that a manifest was refused for: a listing that lags may show them all the same. */
  const odd = new Map<string, Set<number>>()
  /** Uploads whose manifest was sent and not answered: it may stand. */
  const unclear = new Set<string>()

  /**
   * Whether the object at the key is made of this upload's segments, by whichever answer it came to be. Undefined where
   * the store does not show of what.
   */
  async function stands(
    {target}: Session,
    {container, prefix}: SegmentPlace,
    call: Call,
  ): Promise<boolean | undefined> {
    const segments = await readManifest(connection, target, call).catch((error: unknown) => {
      if (isFailure(error, 'unsupported')) return 'hidden' as const
      throw error
    })
    if (segments === 'hidden') return undefined
    return (
      segments?.some(
        ({name = ''}) => parsePath(name).container === container && parsePath(name).key.startsWith(prefix),
      ) === true
    )
  }

  /** The same where only its ETag is shown: of these segments, or of the first of them where later ones were left over. */
  async function mayStand({target}: Session, segments: readonly Pick<PartReceipt, 'etag'>[], call: Call) {
    const {etag} = await head(target, call)
    return leadingEtags(segments).includes(etag)
  }

  async function listSegments(place: SegmentPlace, call: Call): Promise<Map<number, {size: number; etag: string}>> {
    const found = new Map<number, {size: number; etag: string}>()
    for await (const {name, bytes = 0, hash = ''} of listEntries(connection, place, call)) {
      const segment = parseSegment(name)
      if (segment !== undefined && segment.prefix === place.prefix) found.set(segment.number, {size: bytes, etag: hash})
    }
    return found
  }

  return {
    endpoint: settings.endpointName,
    limits: async call => (await connection.quirks(call.signal)).limits,
    putWhole: createPutWhole(connection, {replaced, largeObjects, head, guardWrite}),

    async begin(target, options, {size, partSize}, call) {
      objectHeaders(options)
      await lookAhead(target, options, call)
      largeObjects.expect(target)
      const policy = await findPolicy(connection, target, call)
      const uploadId = newUploadId(new Date())
      const container = options.segmentContainer ?? segmentContainerOf(target, settings)
      await markElsewhere(target, container, call)
      const place = {container, prefix: `${stemOf(target.key)}/${uploadId}/`}
      const headers = {...BINARY, ...segmentExpiry(options)}
      await putMarker(connection, place, target, {headers, policy}, call)
      await checkReadable(place, call)
      return {target, uploadId, options, size, partSize, checksum: 'md5', state: place}
    },

    async putPart(session, part, body, call) {
      begun.set(session.uploadId, (begun.get(session.uploadId) ?? new Set()).add(part.number))
      const receipt = await sendPart(session, part, body, call)
      odd.get(session.uploadId)?.delete(part.number)
      return receipt
    },

    async listParts(session, call) {
      const place = placeOf(session)
      const found = await listSegments(place, call)
      // Without its mark it is over, and these segments may be an object's: none of them shall be written again. A listing
      // may lag behind, so the mark is asked for by its name.
      if (!found.has(MARKER)) {
        const target = segmentTarget(place, MARKER)
        const {status} = await connection.request({method: 'HEAD', target, accepts: [404]}, {signal: call.signal})
        if (status >= 300) throw forgotten(session.target)
      }
      for (const number of [MARKER, ...(odd.get(session.uploadId) ?? [])]) found.delete(number)
      const numbers = [...found].sort(([a], [b]) => a - b)
      return numbers.map(([number, {size, etag}]) => ({number, size, etag, crc32: ''}))
    },

    async complete(session, receipts, call) {
      const {target, options} = session
      const place = placeOf(session)
      // A manifest joins whatever it names: a list that is too short would make a shorter object.
      if (receipts.reduce((sum, {size}) => sum + size, 0) !== session.size) throw incomplete(target)
      await replaced.look(target, options, call)
      const list = await replaced.note(target, place, call)
      await expireLater(connection, session, place, receipts, call)
      let guard: Guard | undefined
      try {
        guard = await guardWrite(target, options, call)
        const onOdd = (number: number): void =>
          void odd.set(session.uploadId, (odd.get(session.uploadId) ?? new Set()).add(number))
        const headers = {...objectHeaders(options), ...guard.headers}
        await putManifest(connection, target, {place, receipts, headers, onOdd}, call)
      } catch (error) {
        call.signal.throwIfAborted()
        const wasUnclear = unclear.has(session.uploadId)
        if (guard !== undefined && isFailure(error, 'network', 'busy')) unclear.add(session.uploadId)
        if (!isFailure(error, 'network', 'busy', 'exists')) throw error
        const isOurs = await stands(session, place, call).catch(() => false)
        // Where only the ETag tells, the same bytes may be somebody else's, and a manifest can be sent again.
        const mayBeOurs = isOurs === undefined && wasUnclear && error.code === 'exists'
        const found = mayBeOurs ? await head(target, call).catch(() => undefined) : undefined
        if (isOurs !== true && found?.etag !== manifestEtag(receipts)) throw error
      }
      unclear.delete(session.uploadId)
      const notes = [...(guard?.notes ?? []), ...(await replaced.clear(target, place, call))]
      await deleteAll(connection, [segmentTarget(place, MARKER), ...(list === undefined ? [] : [list])], call)
      begun.delete(session.uploadId)
      const stored = storedOf(session, receipts)
      return notes.length > 0 ? {...stored, notes} : stored
    },

    async abort(session, call) {
      const place = placeOf(session)
      // What is deleted by its name stays so, even where it was not there yet: Swift takes the later time for the truth.
      const numbers = new Set(begun.get(session.uploadId))
      const listed: {readonly number: number; readonly etag: string}[] = []
      try {
        for (const [number, {etag}] of await listSegments(place, call)) {
          numbers.add(number)
          if (number !== MARKER) listed.push({number, etag})
        }
      } catch (error) {
        if (isFailure(error, 'not-found')) return
        throw error
      }
      // Its manifest may stand although nobody heard the answer: then these segments are the object.
      listed.sort((a, b) => a.number - b.number)
      // A finished upload has no mark any more.
      const isStanding =
        (await stands(session, place, call)) ?? (!numbers.has(MARKER) || (await mayStand(session, listed, call)))
      numbers.delete(MARKER)
      const segments = isStanding ? [] : [...numbers].map(each => segmentTarget(place, each))
      if (isStanding) {
        await replaced.look(session.target, session.options, call)
        await replaced.note(session.target, place, call)
        await replaced.clear(session.target, place, call)
      }
      // The mark goes last: what is left is found by it.
      for (const each of [segments, [segmentTarget(place, MARKER), replacedListOf(place)]]) {
        const {error} = await deleteAll(connection, each, call)
        if (error !== undefined) throw error
      }
      begun.delete(session.uploadId)
    },
  }
}

function storedOf({target, size}: Session, receipts: readonly PartReceipt[]): StoredObject {
  const isKnown = receipts.every(({crc32: known}) => known !== '')
  const crc = receipts.reduce((sum, part) => combineCrc32(sum, parseCrc32(part.crc32), part.size), 0)
  const etag = manifestEtag(receipts)
  return {target, size, etag, ...(isKnown ? {crc32: formatCrc32(crc)} : {}), verified: {by: 'md5'}}
}

function incomplete({container, key}: Target): Failure {
  const message = `The parts of ${nameOf(container, key)} are not the whole object.`
  return new Failure('integrity', message, {context: {container, key}})
}
