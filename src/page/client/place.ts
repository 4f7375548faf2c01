import type {Limits, Part, PartPlan} from '../../stores/store.ts'
import {ticketLimits, ticketOrigin} from '../../stores/ticket/ticket.ts'
import type {Ticket} from '../../stores/ticket/ticket.ts'

/** A part as the place holds it. */
export interface HeldPart {
  readonly size: number
  /** Without quotes. */
  readonly etag: string
}

export interface SentPart extends HeldPart {
  readonly number: number
  readonly md5: string
}

export interface SendPart {
  readonly part: Part
  readonly blob: Blob
  /** In hex. */
  readonly md5: string
  readonly onSent: (bytes: number) => void
  readonly signal: AbortSignal
}

/** Where one file goes: what a ticket allows, one shape for all stores. */
export interface Place {
  /** The same for the same upload, in every browser. */
  readonly id: string
  readonly limits: Limits
  /** The store's address. */
  readonly origin: string
  /** ISO 8601. */
  readonly expires: string
  /** Returns the parts that are there already. Fails `not-found` when this place is used up. */
  held(plan: PartPlan, signal: AbortSignal): Promise<ReadonlyMap<number, HeldPart>>
  /** Returns what the store has. Fails `integrity` when that is not what was sent. */
  put(sent: SendPart): Promise<HeldPart>
  /** Makes the object of its parts, in order; may be called again. */
  complete(parts: readonly SentPart[], signal: AbortSignal): Promise<void>
}

/** What a place takes over from its ticket. */
export function placeOf(ticket: Ticket): Pick<Place, 'id' | 'limits' | 'origin' | 'expires'> {
  const {uploadId: id, expires} = ticket
  return {id, limits: ticketLimits(ticket), origin: ticketOrigin(ticket), expires}
}
