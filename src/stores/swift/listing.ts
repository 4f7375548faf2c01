import {parseDate} from '../../core/dates.ts'
import {Failure} from '../../core/failure.ts'
import type {Call} from '../store.ts'
import {tryPage} from '../try-page.ts'
import type {SwiftConnection} from './client.ts'
import {hasTypes} from './json-values.ts'

/** One object or container of a listing, in Swift's own words. */
export interface Entry {
  readonly name: string
  readonly bytes?: number
  readonly count?: number
  /** Of a large object it is the MD5 of its manifest. */
  readonly hash?: string
  readonly content_type?: string
  readonly last_modified?: string
  /** Of a large object only. */
  readonly slo_etag?: string
  /** Where old versions are listed too. */
  readonly version_id?: string
}

export interface PageWish {
  readonly container: string
  readonly prefix?: string
  /** Only names after it. */
  readonly marker?: string
  /** Old versions too, each as an entry of its own; for clusters that keep them. */
  readonly withVersions?: boolean
  /** Of the name in `marker`, only versions after this one. */
  readonly versionMarker?: string
}

// https://docs.openstack.org/api-ref/object-store/#show-container-details-and-list-objects
/** Reads one page of a listing, of a container or of the account; an empty one is the end. */
export async function readPage(connection: SwiftConnection, wish: PageWish, call: Call): Promise<Entry[]> {
  const {container, prefix = '', marker = '', withVersions = false, versionMarker} = wish
  const {pageSize} = connection.settings
  const query = {
    format: 'json',
    ...(prefix === '' ? {} : {prefix}),
    ...(marker === '' ? {} : {marker}),
    ...(withVersions ? {versions: 'true'} : {}),
    ...(versionMarker === undefined ? {} : {version_marker: versionMarker}),
    ...(pageSize === undefined ? {} : {limit: String(pageSize)}),
  }
  return tryPage(call, async () => {
    const answer = await connection.request({method: 'GET', target: {container, key: ''}, query}, {signal: call.signal})
    return parsePage(answer.text)
  })
}

function parsePage(text: string): Entry[] {
  if (text.trim() === '') return []
  let entries: unknown
  try {
    entries = JSON.parse(text)
  } catch (error) {
    throw damaged(error)
  }
  if (!Array.isArray(entries) || !entries.every(each => hasTypes(each, TYPES))) throw damaged()
  // The others are `subdir`.
  return (entries as Partial<Entry>[]).filter((each): each is Entry => typeof each.name === 'string')
}

const TYPES = {
  name: 'string',
  bytes: 'number',
  count: 'number',
  hash: 'string',
  content_type: 'string',
  last_modified: 'string',
  slo_etag: 'string',
  version_id: 'string',
} as const

function damaged(cause?: unknown): Failure {
  return new Failure('network', 'The listing of the store is damaged.', {cause, retryable: true})
}

/** Lists to the end, page by page. */
export async function* listEntries(connection: SwiftConnection, wish: PageWish, call: Call): AsyncGenerator<Entry> {
  let at: PageWish = wish
  for (;;) {
    const page = await readPage(connection, at, call)
    yield* page
    const last = page.at(-1)
    if (last === undefined || (last.name === at.marker && last.version_id === at.versionMarker)) return
    at = {...wish, marker: last.name, ...(last.version_id === undefined ? {} : {versionMarker: last.version_id})}
  }
}

/** `2026-11-21T03:00:00.123450`, in UTC without saying so. */
export function readTime(text: string | undefined): Date | undefined {
  if (text === undefined) return undefined
  return parseDate(/Z|[+-]\d\d:?\d\d$/u.test(text) ? text : `${text}Z`)
}
