import {isFailure} from '../../core/failure.ts'
import type {Call, PendingUpload, Target} from '../store.ts'
import type {SwiftConnection} from './client.ts'
import {listEntries, readPage, readTime} from './listing.ts'
import type {Entry} from './listing.ts'
import {getManifest, readManifest} from './manifest.ts'
import type {ManifestSegment} from './manifest.ts'
import {
  AFTER_DIGITS,
  HASHED_PREFIX,
  isHashed,
  MARKER,
  parsePath,
  parseSegment,
  segmentContainerOf,
  segmentTarget,
  startOf,
} from './segments.ts'
import type {SegmentName} from './segments.ts'

/**
 * Lists the uploads of ours whose segments no manifest of the container names. A finished upload costs a look at its
 * object; the other manifests of the container are read once, and only when some segments are not their own object's.
 */
export async function* listUploads(
  connection: SwiftConnection,
  prefix: Target,
  call: Call,
): AsyncGenerator<PendingUpload> {
  const container = segmentContainerOf(prefix, connection.settings)
  const manifests = createManifests(connection, prefix.container, container, call)
  for (const stems of HASHED_PREFIX.startsWith(prefix.key) ? [prefix.key] : [prefix.key, HASHED_PREFIX]) {
    for await (const {segment, entry} of listGroups(connection, {container, prefix: stems}, call)) {
      if (stems === HASHED_PREFIX && stems !== prefix.key && !isHashed(segment.stem)) continue
      const key = isHashed(segment.stem) ? await readKey(connection, container, segment, call) : segment.stem
      if (key === undefined || !key.startsWith(prefix.key)) continue
      if (await manifests.names(key, segment.prefix)) continue
      const started = startOf(segment.uploadId) ?? readTime(entry.last_modified)
      yield {
        target: {...prefix, key},
        uploadId: segment.uploadId,
        ...(started === undefined ? {} : {started}),
      }
    }
  }
}

/** Lists one segment of each upload: the rest of an upload is jumped over, not read. */
async function* listGroups(
  connection: SwiftConnection,
  place: {readonly container: string; readonly prefix: string},
  call: Call,
): AsyncGenerator<{segment: SegmentName; entry: Entry}> {
  let group = ''
  for (let marker = ''; ;) {
    let page: readonly Entry[]
    try {
      page = await readPage(connection, {...place, marker}, call)
    } catch (error) {
      // Nothing large was ever uploaded.
      if (isFailure(error, 'not-found')) return
      throw error
    }
    for (const entry of page) {
      const segment = parseSegment(entry.name)
      if (segment === undefined || segment.prefix === group) continue
      group = segment.prefix
      yield {segment, entry}
    }
    const last = page.at(-1)?.name
    if (last === undefined) return
    const next = group !== '' && last.startsWith(group) ? group + AFTER_DIGITS : last
    if (next === marker) return
    marker = next
  }
}

/** A key that was too long for a name stands in the object that says "begun". */
async function readKey(
  connection: SwiftConnection,
  container: string,
  {prefix}: SegmentName,
  {signal}: Call,
): Promise<string | undefined> {
  const target = segmentTarget({container, prefix}, MARKER)
  const answer = await connection.request({method: 'GET', target, accepts: [404]}, {signal})
  return answer.status < 300 ? answer.text : undefined
}

/** What the manifests of a container name, read no sooner than it is asked for. */
function createManifests(connection: SwiftConnection, objects: string, segments: string, call: Call) {
  let all: Promise<ReadonlySet<string>> | undefined
  let last: {readonly key: string; readonly prefixes: ReadonlySet<string>} | undefined

  function readPrefixes(manifest: readonly ManifestSegment[] | undefined): string[] {
    return (manifest ?? []).flatMap(({name}) => {
      const {container, key} = parsePath(name ?? '')
      const segment = container === segments ? parseSegment(key) : undefined
      return segment === undefined ? [] : [segment.prefix]
    })
  }

  async function readAll(): Promise<ReadonlySet<string>> {
    const {listsLargeObjects} = await connection.quirks(call.signal)
    const prefixes = new Set<string>()
    for await (const {name: key, slo_etag: mark} of listEntries(connection, {container: objects}, call)) {
      if (listsLargeObjects && mark === undefined) continue
      const read = mark === undefined ? readManifest : getManifest
      for (const prefix of readPrefixes(await read(connection, {container: objects, key}, call))) prefixes.add(prefix)
    }
    return prefixes
  }

  return {
    async names(key: string, prefix: string): Promise<boolean> {
      if (last?.key !== key) {
        const manifest = await readManifest(connection, {container: objects, key}, call)
        last = {key, prefixes: new Set(readPrefixes(manifest))}
      }
      if (last.prefixes.has(prefix)) return true
      return (await (all ??= readAll())).has(prefix)
    },
  }
}
