import {Failure, isFailure} from '../../core/failure.ts'
import {checkRange, rangeHeaders} from '../../http/range.ts'
import type {SendOptions} from '../../http/send.ts'
import type {Call, ObjectInfo, ObjectStore, Target} from '../store.ts'
import type {SwiftConnection} from './client.ts'
import {compareObject} from './compare.ts'
import {nameOf, readVerdict, toFailure} from './failures.ts'
import {listEntries, readTime} from './listing.ts'
import type {Entry} from './listing.ts'
import {parseVerdict} from './manifest.ts'
import {isLargeObject, readInfo, unquote} from './object-headers.ts'
import {listUploads} from './pending.ts'
import type {VersionCheck} from './versions.ts'

export function createObjects(connection: SwiftConnection, keepsVersions: VersionCheck): ObjectStore {
  const look = (target: Target, {signal}: Call) => connection.request({method: 'HEAD', target}, {signal})

  /** A 404 does not say whether the object is missing or its container: asked once more, where it is the end. */
  async function lookOrTell(target: Target, call: Call) {
    try {
      return await look(target, call)
    } catch (error) {
      if (isFailure(error, 'not-found')) {
        const container = {...target, key: ''}
        await connection.request({method: 'HEAD', target: container, accepts: [403]}, {signal: call.signal})
      }
      throw error
    }
  }

  return {
    async head(target, call) {
      return readInfo(target, await look(target, call))
    },

    async read(target, range, onBytes, call) {
      const take: SendOptions['onBytes'] = (bytes, answer) => {
        checkRange(range, answer)
        return onBytes(bytes)
      }
      const answer = await connection.request(
        {method: 'GET', target, headers: rangeHeaders(range), accepts: [409]},
        {signal: call.signal, onBytes: take},
      )
      if (answer.status >= 300) throw broken(target)
      return readInfo(target, answer)
    },

    async compare(target, body, _hint, call) {
      const answer = await lookOrTell(target, call)
      return compareObject(connection, {info: readInfo(target, answer), isLarge: isLargeObject(answer)}, body, call)
    },

    async *list(prefix, call, after) {
      const {container, key} = prefix
      const wish = {container, prefix: key, ...(after === undefined ? {} : {marker: after})}
      for await (const entry of listEntries(connection, wish, call)) yield readEntry(prefix, entry)
    },

    async deleteObject(target, call) {
      // Asked first: with the word for large objects, Swift leaves any other object where it is.
      const request = {method: 'HEAD', target, accepts: [403, 404]}
      const answer = await connection.request(request, {signal: call.signal})
      if (answer.status === 404) return
      // Where versions are kept, the segments are those of the version that stays.
      const hasSegments = isLargeObject(answer) && !(await keepsVersions(target, call))
      if (hasSegments) await deleteLarge(connection, target, call)
      // Swift deletes the segments, and then passes over a manifest whose key is nothing but slashes.
      if (!hasSegments || /^\/+$/u.test(target.key))
        await connection.request({method: 'DELETE', target, accepts: [404]}, {signal: call.signal})
    },

    listUploads: (prefix, call) => listUploads(connection, prefix, call),
  }
}

/** Deletes manifest and segments; the answer is always 200, and only its body tells. */
async function deleteLarge(connection: SwiftConnection, target: Target, {signal}: Call): Promise<void> {
  const request = {
    method: 'DELETE',
    target,
    query: {'multipart-manifest': 'delete'},
    headers: {accept: 'application/json'},
  }
  const {text, headers} = await connection.request(request, {signal})
  if (text.trim() === '') return
  const verdict = parseVerdict(text)
  if (verdict === undefined) throw new Failure('network', 'The answer of the store is damaged.', {retryable: true})
  const {'Response Status': line = '', Errors: [first] = []} = verdict
  if (/^(?:200|404)/u.test(line) && first === undefined) return
  const {container, key} = target
  throw toFailure(readVerdict(first?.[1] ?? line, first?.join(': ') ?? line, headers), {
    container,
    key,
    method: 'DELETE',
  })
}

function readEntry(prefix: Target, entry: Entry): ObjectInfo {
  const modified = readTime(entry.last_modified)
  return {
    target: {...prefix, key: entry.name},
    size: entry.bytes ?? 0,
    etag: unquote(entry.slo_etag ?? entry.hash),
    ...(modified === undefined ? {} : {modified}),
    ...(entry.content_type === undefined ? {} : {contentType: entry.content_type}),
    ...(entry.slo_etag === undefined ? {} : {isEtagOpaque: true}),
  }
}

function broken({container, key}: Target): Failure {
  const message = `${nameOf(container, key)} is broken: one of its segments is missing, or is not the one it was.`
  return new Failure('integrity', message, {context: {container, key}, suggestion: 'Upload it again.'})
}
