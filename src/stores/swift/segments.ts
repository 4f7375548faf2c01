import {createHash, randomBytes} from 'node:crypto'
import {parseDate} from '../../core/dates.ts'
import type {Call, Session, Target} from '../store.ts'
import type {SwiftConnection, SwiftSettings} from './client.ts'
import {encodePath} from './encode.ts'

/*
 * A segment is `<key>/<upload id>/<8 digits>`. Number 0 is none: it marks that the upload has begun, since Swift itself
 * knows of no uploads, and goes when the manifest stands.
 */

/** Where the segments of one upload are. */
export interface SegmentPlace {
  readonly container: string
  readonly prefix: string
}

/** What the name of a segment tells. */
export interface SegmentName {
  /** Up to the number. */
  readonly prefix: string
  /** The key, or its SHA-256 where the key is too long to stand here. */
  readonly stem: string
  readonly uploadId: string
  readonly number: number
}

export const MARKER = 0
/** Between the upload's prefix and everything after its last segment. */
export const AFTER_DIGITS = ':'
const HASHED = 'sha256-'
const NAME = /^(?<stem>.*)\/(?<id>skylift-\d{8}T\d{6}Z-[\da-f]{16})\/(?<number>\d{8})$/su

/** Begins with the time, so that the uploads of one key are listed in their order. */
export function newUploadId(now: Date): string {
  const time = now.toISOString().replaceAll(/[-:]|\.\d+/gu, '')
  return `skylift-${time}-${randomBytes(8).toString('hex')}`
}

/** When an upload of ours began. */
export function startOf(uploadId: string): Date | undefined {
  const found = /^skylift-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-/u.exec(uploadId)
  if (found === null) return undefined
  const [, year, month, day, hour, minute, second] = found
  return parseDate(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
}

/** The key must leave room for the rest, in characters and in the request line. */
export function stemOf(key: string): string {
  const isLong = Array.from(key).length > 900 || encodePath(key).length > 6000
  return isLong ? `${HASHED}${createHash('sha256').update(key).digest('hex')}` : key
}

export function isHashed(stem: string): boolean {
  return /^sha256-[\da-f]{64}$/u.test(stem)
}

export const HASHED_PREFIX = HASHED

export function segmentContainerOf({container}: Target, settings: SwiftSettings): string {
  return settings.segmentContainer ?? `${container}_segments`
}

/** Reads the place from the session; one that only a listing knows has the usual place. */
export function placeOfSession({target, uploadId, options, state}: Session, settings: SwiftSettings): SegmentPlace {
  if (typeof state === 'object' && state !== null && 'container' in state && 'prefix' in state) {
    const {container, prefix} = state
    if (typeof container === 'string' && typeof prefix === 'string') return {container, prefix}
  }
  const container = options.segmentContainer ?? segmentContainerOf(target, settings)
  return {container, prefix: `${stemOf(target.key)}/${uploadId}/`}
}

export function segmentTarget({container, prefix}: SegmentPlace, number: number): {container: string; key: string} {
  return {container, key: `${prefix}${String(number).padStart(8, '0')}`}
}

/** Holds what an upload replaces. Beside the segments, not among them: whoever has a ticket may write what is there. */
export function replacedListOf({container, prefix}: SegmentPlace): {container: string; key: string} {
  return {container, key: `${prefix.replace(/\/$/u, '')}.replaces`}
}

export function parseSegment(name: string): SegmentName | undefined {
  const {stem, id, number} = NAME.exec(name)?.groups ?? {}
  if (stem === undefined || id === undefined || number === undefined) return undefined
  return {prefix: `${stem}/${id}/`, stem, uploadId: id, number: Number(number)}
}

/** A path of a manifest: `/container/object`, raw. */
export function parsePath(path: string): {container: string; key: string} {
  const raw = path.replace(/^\/+/u, '')
  const slash = raw.indexOf('/')
  return slash < 0 ? {container: raw, key: ''} : {container: raw.slice(0, slash), key: raw.slice(slash + 1)}
}

/** Deletes objects, a few at a time; gone already is success. Returns how many could not be deleted. */
export async function deleteAll(
  connection: SwiftConnection,
  targets: readonly {readonly container: string; readonly key: string}[],
  {signal}: Call,
): Promise<{readonly failed: number; readonly error?: unknown}> {
  const queue = targets.values()
  let failed = 0
  let error: unknown
  async function work(): Promise<void> {
    for (const target of queue) {
      try {
        await connection.request({method: 'DELETE', target, accepts: [404]}, {signal})
      } catch (thrown) {
        signal.throwIfAborted()
        failed++
        error ??= thrown
      }
    }
  }
  await Promise.all(Array.from({length: 8}, work))
  return {failed, ...(error === undefined ? {} : {error})}
}
