import type {Call, PartPlan, StoredObject, Target} from '../store.ts'
import type {Ticket, TicketSize} from './ticket.ts'

/** How long a ticket shall last. */
export interface TicketLife {
  readonly expiresIn: number
  /** Take what the store or the credentials allow where it is shorter. */
  readonly allowShorter?: boolean
  /** How many parts are signed at once, where each takes a signature; all unless given. */
  readonly signed?: number
}

/** Some parts of an upload, signed. */
export interface SignedParts {
  readonly first: number
  /** With the holes `{number}` and `{signature}`. */
  readonly url: string
  readonly signatures: readonly string[]
}

/** What makes one object of what was sent: the store at once, the owner afterwards, or nobody, since it is one already. */
export type Assemble = 'whole' | 'owner' | 'open'

export interface TicketWish extends TicketLife {
  readonly size: TicketSize
  /** How the largest file would be cut. */
  readonly plan: PartPlan
  readonly contentType: string
  /** Swift; `whole` where nothing is said. */
  readonly assemble?: Assemble
  /** A link for downloading the object under this name goes into the ticket. */
  readonly filename?: string
}

export interface MintedTicket {
  readonly ticket: Ticket
  /** What the person should know beside what the ticket itself tells, each one sentence. */
  readonly notes: readonly string[]
}

/** What only the owner can do: it takes credentials. */
export interface TicketStore {
  /** The choices there are, the default first; none where the store assembles the parts itself. */
  readonly assembles: readonly Assemble[]
  /** Returns the containers that uploads to the target touch, and makes those that are for parts alone. Fails `not-found`. */
  prepareContainers(target: Target, assemble: Assemble | undefined, call: Call): Promise<readonly string[]>
  /** Begins the upload and signs all that it needs. Fails `usage` where the lifetime cannot be had. */
  mintTicket(target: Target, wish: TicketWish, call: Call): Promise<MintedTicket>
  /** Signs anew for the same upload. Fails `not-found` when that was finished or revoked. */
  renewTicket(ticket: Ticket, life: TicketLife, call: Call): Promise<MintedTicket>
  /** Signs parts that were left out when the ticket was made. Fails `unsupported` where no part takes a signature. */
  signTicketParts(
    ticket: Ticket,
    range: {readonly first: number; readonly count: number},
    life: TicketLife,
    call: Call,
  ): Promise<SignedParts>
  /** Ends the upload and drops what was sent; ended already is success. Returns what the person should know. */
  revokeTicket(ticket: Ticket, call: Call): Promise<readonly string[]>
  /** Makes the object of what was sent; made already is success. Fails `busy` while not all was sent. */
  finishTicket(ticket: Ticket, call: Call): Promise<StoredObject>
}
