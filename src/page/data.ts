import type {Ticket} from '../stores/ticket/ticket.ts'

/** What a page carries in itself; it stands in the HTML as JSON. */
export interface PageData {
  readonly title: string
  /** One for each upload that the page may make. */
  readonly tickets: readonly Ticket[]
}

/** Where things stand in the page. */
export const PAGE_IDS = {data: 'page-data', worker: 'page-worker'} as const
