import type {Target} from '../core/target.ts'
import type {Ticket} from '../stores/ticket/ticket.ts'

/** What a page carries in itself; it stands in the HTML as JSON. */
export interface PageData {
  readonly title: string
  /** One for each upload that the page may make. */
  readonly tickets: readonly Ticket[]
  /** The one ticket has `{name}` for a hole, and is good for any number of files. */
  readonly isForAny?: boolean
  /** Present where a server of the owner signs for whoever comes. */
  readonly served?: Served
}

export interface Served {
  /** Shows the server that the question comes from this page. */
  readonly token: string
  /** Largest file. */
  readonly max: number
  readonly target: Target
  /** The store's address. */
  readonly origin: string
}

/** So many parts a served upload gets signed at once. */
export const BATCH = 20

/** Where things stand in the page. */
export const PAGE_IDS = {data: 'page-data', worker: 'page-worker'} as const
