import {isFailure} from '../../core/failure.ts'
import {bufferBody} from '../../core/buffer-body.ts'
import type {Call, ObjectOptions, Target} from '../store.ts'
import type {SwiftConnection} from './client.ts'
import {isMarkedElsewhere} from './elsewhere.ts'
import {readManifest} from './manifest.ts'
import {BINARY} from './put-part.ts'
import {rememberWork} from './shared-work.ts'
import type {SegmentPlace} from './segments.ts'
import {deleteAll, MARKER, parsePath, parseSegment, replacedListOf, segmentContainerOf} from './segments.ts'
import type {VersionCheck} from './versions.ts'

interface Place {
  readonly container: string
  readonly key: string
}

/** What becomes superfluous when an object is replaced: the segments of a large one that stood there. */
export interface Replaced {
  /**
   * Looks, before the new object stands. What these credentials may not see is left alone, and so is everything where the
   * old object lives on as a version.
   */
  look(target: Target, options: ObjectOptions, call: Call): Promise<void>
  /**
   * Writes down what was seen, before the manifest stands: after it nothing else tells. Where it stands already, what an
   * earlier process wrote is read. Returns the object that holds it, if any.
   */
  note(target: Target, place: SegmentPlace, call: Call): Promise<Place | undefined>
  /** Deletes what was seen, except for what the new object names; returns what the person should know. */
  clear(target: Target, place: SegmentPlace | undefined, call: Call): Promise<readonly string[]>
}

export function createReplaced(connection: SwiftConnection, keepsVersions: VersionCheck): Replaced {
  /** Kept over retries: once the new object stands, the old manifest cannot be read any more. */
  const seen = new Map<string, Map<string, Place>>()
  /** Large objects that were replaced, whose segments the store does not show. */
  const hidden = new Set<string>()
  const nameOf = ({container, key}: Target): string => `${container}/${key}`
  const findOld = (target: Target, place: SegmentPlace | undefined): Place[] =>
    [...(seen.get(nameOf(target))?.values() ?? [])].filter(each => !isWithin(place, each))

  /** What a manifest joins may also be an object of its own: elsewhere than segments are, only our names tell. */
  function isSegment(target: Target, name: string): boolean {
    const {container, key} = parsePath(name)
    if (usualContainers(target, connection).has(container)) return true
    return (parseSegment(key)?.number ?? MARKER) !== MARKER
  }

  return {
    async look(target, options, call) {
      if (options.keepOldSegments === true || options.noClobber === true) return
      const segments = await readManifest(connection, target, call).catch((error: unknown) => {
        if (isFailure(error, 'unsupported')) hidden.add(nameOf(target))
        if (isFailure(error, 'forbidden', 'not-found', 'unsupported')) return undefined
        throw error
      })
      if (segments === undefined || (await keepsVersions(target, call))) return
      const known = seen.get(nameOf(target)) ?? new Map<string, Place>()
      for (const {name, sub_slo: isManifest} of segments) {
        // A manifest within a manifest was made by somebody on purpose; its object may serve elsewhere too.
        if (name !== undefined && isManifest !== true && isSegment(target, name)) known.set(name, parsePath(name))
      }
      if (known.size > 0) seen.set(nameOf(target), known)
    },

    async note(target, place, call) {
      const known = seen.get(nameOf(target))
      if (known === undefined) return undefined
      const list = replacedListOf(place)
      const old = [...known].filter(([, each]) => !isWithin(place, each)).map(([path]) => path)
      if (old.length > 0) {
        const body = bufferBody(Buffer.from(JSON.stringify(old)))
        await connection.request({method: 'PUT', target: list, headers: BINARY, body}, {signal: call.signal})
        return list
      }
      const answer = await connection.request({method: 'GET', target: list, accepts: [404]}, {signal: call.signal})
      if (answer.status >= 300) return undefined
      for (const path of readPaths(answer.text)) known.set(path, parsePath(path))
      return list
    },

    async clear(target, place, call) {
      const old = findOld(target, place)
      seen.delete(nameOf(target))
      const {failed} = await deleteAll(connection, old, call)
      if (hidden.delete(nameOf(target))) {
        return ['The segments of the object that was replaced stay: the store does not show which they are.']
      }
      if (failed === 0) return []
      return [`${failed} segments of the replaced object could not be deleted.`]
    },
  }
}

function isWithin(place: SegmentPlace | undefined, {container, key}: Place): boolean {
  return place !== undefined && container === place.container && key.startsWith(place.prefix)
}

function readPaths(text: string): string[] {
  try {
    const paths: unknown = JSON.parse(text)
    return Array.isArray(paths) ? paths.filter(each => typeof each === 'string') : []
  } catch {
    return []
  }
}

function usualContainers(target: Target, {settings}: SwiftConnection): ReadonlySet<string> {
  const {container} = target
  // The last is where uploads through Swift's S3 API have theirs.
  return new Set([segmentContainerOf(target, settings), `${container}_segments`, `${container}+segments`])
}

/** Whether a container can hold large objects at all. */
export interface LargeObjectCheck {
  /**
   * False where none of the usual containers for segments exists, nor a mark that names another one: a small upload then needs no look at what it replaces.
   * Asked once a container.
   */
  mayHold(target: Target, call: Call): Promise<boolean>
  /** A large object is on its way there. */
  expect(target: Target): void
}

export function createLargeObjectCheck(connection: SwiftConnection): LargeObjectCheck {
  const known = new Map<string, (signal: AbortSignal) => Promise<boolean>>()

  async function exists(container: string, signal: AbortSignal): Promise<boolean> {
    const request = {method: 'HEAD', target: {container, key: ''}, accepts: [404, 403]}
    return (await connection.request(request, {signal})).status < 300
  }

  return {
    mayHold(target, {signal}) {
      const {container} = target
      const usual = usualContainers(target, connection)
      const find =
        known.get(container) ??
        rememberWork(async one => {
          const looks = [...usual].map(each => exists(each, one))
          return (await Promise.all([...looks, isMarkedElsewhere(connection, container, one)])).includes(true)
        })
      known.set(container, find)
      return find(signal)
    },
    expect({container}) {
      known.set(container, () => Promise.resolve(true))
    },
  }
}
