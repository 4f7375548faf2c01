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
}

export interface PageWish {
  readonly container: string
  readonly prefix?: string
  /** Only names after it. */
  readonly marker?: string
}

// https://docs.openstack.org/api-ref/object-store/#show-container-details-and-list-objects
/** Reads one page of a listing, of a container or of the account; an empty one is the end. */
export async function readPage(connection: SwiftConnection, wish: PageWish, call: Call): Promise<Entry[]> {
  const {container, prefix = '', marker = ''} = wish
  const {pageSize} = connection.settings
  const query = {
    format: 'json',
    ...(prefix === '' ? {} : {prefix}),
    ...(marker === '' ? {} : {marker}),
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
} as const

function damaged(cause?: unknown): Failure {
  return new Failure('network', 'The listing of the store is damaged.', {cause, retryable: true})
}

/** Lists to the end, page by page. */
export async function* listEntries(connection: SwiftConnection, wish: PageWish, call: Call): AsyncGenerator<Entry> {
  for (let marker = wish.marker ?? ''; ;) {
    const page = await readPage(connection, {...wish, marker}, call)
    yield* page
    const last = page.at(-1)?.name
    if (last === undefined || last === marker) return
    marker = last
  }
}

/** `2026-11-21T03:00:00.123450`, in UTC without saying so. */
export function readTime(text: string | undefined): Date | undefined {
  if (text === undefined) return undefined
  return parseDate(/Z|[+-]\d\d:?\d\d$/u.test(text) ? text : `${text}Z`)
}
