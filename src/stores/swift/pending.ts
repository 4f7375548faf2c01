import {isFailure} from '../../core/failure.ts'
import type {Call, PendingUpload, Target} from '../store.ts'
import type {SwiftConnection} from './client.ts'
import {listEntries, readPage, readTime} from './listing.ts'
import type {Entry} from './listing.ts'
import {getManifest, readManifest} from './manifest.ts'
import type {ManifestSegment} from './manifest.ts'
import {readMarker} from './marker.ts'
import {
  AFTER_DIGITS,
  HASHED_PREFIX,
  isHashed,
  parsePath,
  parseSegment,
  segmentContainerOf,
  startOf,
} from './segments.ts'
import type {SegmentName} from './segments.ts'

/**
 * Lists the uploads of ours whose segments no manifest names. A finished upload costs a look at its object; the other
 * manifests are read once, and only when some segments are not their own object's: those of the container, and those of
 * the whole account where the mark of an upload is gone, which is how a finished one leaves it.
 */
export async function* listUploads(
  connection: SwiftConnection,
  prefix: Target,
  call: Call,
): AsyncGenerator<PendingUpload> {
  const container = segmentContainerOf(prefix, connection.settings)
  const manifests = createManifests(connection, container, call)
  for (const stems of HASHED_PREFIX.startsWith(prefix.key) ? [prefix.key] : [prefix.key, HASHED_PREFIX]) {
    for await (const {segment, entry} of listGroups(connection, {container, prefix: stems}, call)) {
      const isLong = isHashed(segment.stem)
      if (stems === HASHED_PREFIX && stems !== prefix.key && !isLong) continue
      if (!isLong && (await manifests.ofObject({...prefix, key: segment.stem})).has(segment.prefix)) continue
      const marker = await readMarker(connection, {container, prefix: segment.prefix}, call)
      // Several containers may have their segments here.
      if (marker !== undefined && marker.container !== prefix.container) continue
      const key = isLong ? marker?.key : segment.stem
      if (key === undefined || !key.startsWith(prefix.key)) continue
      if ((await manifests.ofContainer(prefix.container)).has(segment.prefix)) continue
      if (marker === undefined && (await manifests.mayName(segment.prefix))) continue
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

/** Which uploads the manifests of an account name; each is read once, and no sooner than it is asked for. */
function createManifests(connection: SwiftConnection, segments: string, call: Call) {
  const known = new Map<string, Promise<ReadonlySet<string>>>()
  let last: {readonly key: string; readonly prefixes: ReadonlySet<string>} | undefined
  let everywhere: Promise<ReadonlySet<string> | undefined> | undefined

  function readPrefixes(manifest: readonly ManifestSegment[] | undefined): Set<string> {
    const names = (manifest ?? []).flatMap(({name}) => {
      const {container, key} = parsePath(name ?? '')
      const segment = container === segments ? parseSegment(key) : undefined
      return segment === undefined ? [] : [segment.prefix]
    })
    return new Set(names)
  }

  /** Where a store does not show its manifests, the mark of an upload tells that it is unfinished. */
  async function prefixesOf(reading: Promise<readonly ManifestSegment[] | undefined>): Promise<Set<string>> {
    return reading.then(readPrefixes, (error: unknown) => {
      if (isFailure(error, 'unsupported')) return new Set<string>()
      throw error
    })
  }

  async function readContainer(container: string): Promise<ReadonlySet<string>> {
    const {listsLargeObjects, hasVersions, showsManifests} = await connection.quirks(call.signal)
    const prefixes = new Set<string>()
    if (!showsManifests) return prefixes
    // An old version is made of its segments as the present one is.
    const wish = {container, withVersions: listsLargeObjects && hasVersions}
    for await (const {name: key, slo_etag: mark, version_id: version} of listEntries(connection, wish, call)) {
      if (listsLargeObjects && mark === undefined) continue
      const read = mark === undefined ? readManifest : getManifest
      for (const prefix of await prefixesOf(read(connection, {container, key, version}, call))) prefixes.add(prefix)
    }
    return prefixes
  }

  function ofContainer(container: string): Promise<ReadonlySet<string>> {
    const found = known.get(container) ?? readContainer(container)
    known.set(container, found)
    return found
  }

  /** Undefined where these credentials may not see all of it, or an old cluster would have to be asked object by object. */
  async function readEverywhere(): Promise<ReadonlySet<string> | undefined> {
    if (!(await connection.quirks(call.signal)).listsLargeObjects) return undefined
    const prefixes = new Set<string>()
    try {
      for await (const {name} of listEntries(connection, {container: ''}, call)) {
        for (const prefix of await ofContainer(name)) prefixes.add(prefix)
      }
      return prefixes
    } catch (error) {
      if (isFailure(error, 'forbidden')) return undefined
      throw error
    }
  }

  return {
    ofContainer,

    /** Asked object after object, in the order of their keys. */
    async ofObject({container, key}: Target): Promise<ReadonlySet<string>> {
      if (last?.key !== key) {
        last = {key, prefixes: await prefixesOf(readManifest(connection, {container, key}, call))}
      }
      return last.prefixes
    },

    /** True where a manifest of the account names it, or where nobody can tell: to delete it would break an object. */
    async mayName(prefix: string): Promise<boolean> {
      const all = await (everywhere ??= readEverywhere())
      return all === undefined || all.has(prefix)
    },
  }
}
