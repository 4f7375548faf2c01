import {Failure, isFailure} from '../../core/failure.ts'
import type {Call, LinkStore, Target} from '../store.ts'
import type {MintedTicket, TicketLife, TicketStore} from '../ticket/ticket-store.ts'
import type {S3Ticket, Ticket} from '../ticket/ticket.ts'
import type {Identity, S3Connection} from './client.ts'
import {createRegions} from './find-region.ts'
import {decideLifetime} from './lifetime.ts'
import type {Lifetime} from './lifetime.ts'
import {createMultipart} from './multipart.ts'
import {objectHeaders} from './object-headers.ts'
import {UNKNOWN} from './quirks.ts'
import {createPresign, encodeKey} from './sign.ts'
import type {Presign, Presigned} from './sign.ts'
import {keyNotes} from './temp-url-options.ts'

/** Seen at Swift's S3 API. */
const OPEN_END =
  'This store is not known here. Some take parts of a finished upload until the ticket ends, which would break the object: let it end soon.'

/** A wish has more than that. */
function lifeOf({expiresIn, allowShorter = false}: TicketLife): TicketLife {
  return {expiresIn, allowShorter}
}

/** What stays the same when a ticket is renewed. */
type Kept = Pick<S3Ticket, 'target' | 'size' | 'contentType' | 'uploadId'> & {
  readonly parts: Omit<S3Ticket['parts'], 'url' | 'signatures'>
  readonly filename?: string | undefined
}

/**
 * Makes tickets of S3: an upload is begun, and each of its parts gets a signature of its own. No URL for a whole PUT is in
 * it: that could replace the object later, while an upload that is finished cannot be used again.
 */
export function createTickets(connection: S3Connection, links: Pick<LinkStore, 'link'>): TicketStore {
  const {quirks} = connection.settings
  const {limits} = quirks
  const multipart = createMultipart(connection)
  const regions = createRegions(connection)

  async function decide(
    target: Target,
    life: TicketLife,
    call: Call,
  ): Promise<{identity: Identity; lifetime: Lifetime}> {
    const identity = await regions.identity(target.container, call)
    return {identity, lifetime: decideLifetime(life, identity)}
  }

  async function findPresign(
    target: Target,
    life: TicketLife,
    call: Call,
  ): Promise<{presign: Presign; lifetime: Lifetime}> {
    const {identity, lifetime} = await decide(target, life, call)
    const {origin, prefix} = connection.origin(target.container, identity.region)
    const path = `${prefix}/${encodeKey(target.key)}`
    const presign = createPresign({origin, path}, {...identity, date: lifetime.start}, lifetime.seconds)
    return {presign, lifetime}
  }

  async function sign(kept: Kept, life: TicketLife, call: Call): Promise<MintedTicket> {
    const {target, uploadId, size, contentType, filename} = kept
    const {presign, lifetime} = await findPresign(target, life, call)
    const link = filename === undefined ? undefined : await links.link(target, {...lifeOf(life), filename}, call)
    const ticket: S3Ticket = {
      skyliftTicket: 1,
      kind: 's3',
      target,
      created: lifetime.start.toISOString(),
      expires: lifetime.end.toISOString(),
      size,
      contentType,
      uploadId,
      parts: {...kept.parts, ...signParts(kept, presign, {first: 1, count: life.signed ?? kept.parts.count})},
      list: signLists(kept, presign),
      complete: presign({method: 'POST', query: {uploadId}, headers: {}}).url,
      abort: presign({method: 'DELETE', query: {uploadId}, headers: {}}).url,
      head: presign({method: 'HEAD', query: {}, headers: {}}).url,
      ...(link === undefined
        ? {}
        : {link: {url: link.url, filename: filename ?? '', expires: link.expires.toISOString()}}),
    }
    return {ticket, notes: [...lifetime.notes, ...keyNotes(target.key), ...(quirks === UNKNOWN ? [OPEN_END] : [])]}
  }

  return {
    assembles: [],

    async prepareContainers({container}) {
      return [container]
    },

    async mintTicket(target, wish, call) {
      const {size, plan, contentType, filename} = wish
      const {part} = limits
      if (part === undefined) throw new Failure('unsupported', 'This store takes no uploads in parts, so no tickets.')
      // What cannot be signed is told before anything is begun.
      await decide(target, wish, call)
      if (filename !== undefined) await links.link(target, {...lifeOf(wish), filename}, call)
      const uploadId = await multipart.create(target, objectHeaders({contentType}), call)
      const fixed = 'exact' in size ? {partSize: Math.max(1, plan.partSize)} : {}
      const parts = {min: part.min, max: part.max, count: Math.max(1, plan.count), equal: part.equal, ...fixed}
      return sign({target, size, contentType, uploadId, parts, filename}, wish, call)
    },

    async renewTicket(ticket, life, call) {
      const {target, uploadId, size, contentType, parts: all, link} = ours(ticket)
      await multipart.listParts(target, uploadId, call).catch((error: unknown) => {
        throw isFailure(error, 'not-found') ? ended() : error
      })
      const {url: _, signatures: __, ...parts} = all
      return sign({target, uploadId, size, contentType, parts, filename: link?.filename}, life, call)
    },

    async signTicketParts(ticket, range, life, call) {
      const {target, uploadId, size, parts} = ours(ticket)
      const {presign} = await findPresign(target, life, call)
      return {first: range.first, ...signParts({uploadId, parts, size}, presign, range)}
    },

    async revokeTicket(ticket, call) {
      const {target, uploadId} = ours(ticket)
      try {
        await multipart.abort(target, uploadId, call)
        return []
      } catch (error) {
        if (!isFailure(error, 'not-found')) throw error
        return ['Its upload was finished or revoked before.']
      }
    },

    finishTicket() {
      throw new Failure('usage', 'A ticket for S3 needs no finishing: whoever uploads the last part completes it.')
    },
  }
}

/** The text that all URLs share is kept once: ten thousand of them would be 5 MB. */
function signParts(
  {uploadId, parts, size}: Pick<Kept, 'uploadId' | 'parts' | 'size'>,
  presign: Presign,
  {first, count}: {readonly first: number; readonly count: number},
): {url: string; signatures: string[]} {
  const {partSize = 0} = parts
  const signPart = (number: number): Presigned => {
    const length = 'exact' in size ? Math.min(partSize, size.exact - (number - 1) * partSize) : undefined
    const headers: Record<string, string> = length === undefined ? {} : {'content-length': String(length)}
    return presign({method: 'PUT', query: {partNumber: String(number), uploadId}, headers})
  }
  const numbers = Array.from(
    {length: Math.max(0, Math.min(count, parts.count - first + 1))},
    (_, index) => first + index,
  )
  const signed = numbers.map(signPart)
  const [{url, signature} = {url: '', signature: ''}] = signed
  return {
    url: url.replace(`=${signature}&`, '={signature}&').replace(`&partNumber=${first}&`, '&partNumber={number}&'),
    signatures: signed.map(each => each.signature),
  }
}

/** The place where a listing goes on is signed too, so there is a URL for each page. */
function signLists({uploadId, parts: {count}}: Kept, presign: Presign): string[] {
  const lists: string[] = []
  for (let marker = 0; marker < count; marker += 1000) {
    const query = {uploadId, 'max-parts': '1000', 'part-number-marker': String(marker)}
    lists.push(presign({method: 'GET', query, headers: {}}).url)
  }
  return lists
}

function ours(ticket: Ticket): S3Ticket {
  if (ticket.kind === 's3') return ticket
  throw new Failure('usage', `The ticket is not for an S3 store, and ${ticket.target.remote}:// is one.`)
}

function ended(): Failure {
  return new Failure('not-found', 'The upload of this ticket was finished or revoked.', {
    suggestion: 'Make a new one with: skylift ticket create TARGET',
  })
}
