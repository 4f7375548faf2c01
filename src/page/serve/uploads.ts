import {randomUUID} from 'node:crypto'
import {Failure} from '../../core/failure.ts'
import {orAbort} from '../../core/signals.ts'
import {formatSize} from '../../core/sizes.ts'
import type {Call, LinkStore, PartPlan, Target} from '../../stores/store.ts'
import type {Assemble, SignedParts, TicketStore} from '../../stores/ticket/ticket-store.ts'
import type {SwiftPartsTicket, Ticket} from '../../stores/ticket/ticket.ts'
import {BATCH} from '../data.ts'
import type {Seals} from './seal.ts'

export type ServingStore = Pick<TicketStore, 'mintTicket' | 'renewTicket' | 'signTicketParts' | 'finishTicket'> &
  Pick<LinkStore, 'link'>

export interface ServeSettings {
  readonly store: ServingStore
  /** Where the random keys go: a container, or a folder in it. */
  readonly folder: Target
  /** Largest file. */
  readonly max: number
  readonly expiresIn: number
  readonly assemble?: Assemble
  /** Cuts a file as the store wants it. */
  readonly plan: (size: number) => PartPlan
  /** Ends what goes on after its question. */
  readonly signal: AbortSignal
}

/** What the page is told of one upload. */
export interface ServedUpload {
  readonly ticket: Ticket
  readonly session: string
}

/** Answers the page's questions; every upload is sealed into what the page keeps, none is kept here. */
export interface Uploads {
  begin(question: Record<string, unknown>, call: Call): Promise<ServedUpload>
  /** Fails `not-found` when the upload is over. */
  resume(question: Record<string, unknown>, call: Call): Promise<ServedUpload>
  sign(question: Record<string, unknown>, call: Call): Promise<SignedParts>
  finish(question: Record<string, unknown>, call: Call): Promise<{readonly link: string}>
}

export function createUploads(
  {store, folder, max, expiresIn, assemble, plan, signal}: ServeSettings,
  seals: Seals,
): Uploads {
  const life = {expiresIn, allowShorter: true}
  const served = (ticket: Ticket): ServedUpload => ({ticket, session: seals.seal(withoutUrls(ticket))})
  const open = ({session}: Record<string, unknown>): Ticket =>
    seals.open(typeof session === 'string' ? session : '') as Ticket

  /** A store may put parts together for longer than one question lasts: whoever asks again waits for the same. */
  const finishing = new Map<string, Promise<unknown>>()

  async function finishParts(ticket: SwiftPartsTicket, call: Call): Promise<void> {
    const {uploadId} = ticket
    const work = finishing.get(uploadId) ?? store.finishTicket(ticket, {signal})
    finishing.set(uploadId, work)
    // What failed is tried again, and what is done is found at the store.
    const forget = (): boolean => finishing.delete(uploadId)
    work.then(forget, forget)
    await orAbort(work, call.signal)
  }

  return {
    async begin({size, type}, call) {
      if (!Number.isSafeInteger(size) || Number(size) < 0) throw new Failure('usage', 'A file has a size.')
      const exact = Number(size)
      if (exact > max) {
        throw new Failure('too-large', `${formatSize(exact)} is more than the ${formatSize(max)} that are allowed.`)
      }
      const target = {...folder, key: folderOf(folder) + randomUUID()}
      const wish = {
        ...life,
        size: {exact},
        plan: plan(exact),
        contentType: readType(type),
        signed: BATCH,
        ...(assemble === undefined ? {} : {assemble}),
      }
      return served((await store.mintTicket(target, wish, call)).ticket)
    },

    async resume(question, call) {
      return served((await store.renewTicket(open(question), {...life, signed: BATCH}, call)).ticket)
    },

    async sign(question, call) {
      const {first} = question
      if (typeof first !== 'number' || !Number.isSafeInteger(first) || first < 1)
        throw new Failure('usage', 'Parts have numbers.')
      return store.signTicketParts(open(question), {first, count: BATCH}, life, call)
    },

    async finish({name, session}, call) {
      const ticket = open({session})
      if (ticket.kind === 'swift' && ticket.assemble === 'owner') await finishParts(ticket, call)
      const {url} = await store.link(ticket.target, {...life, filename: readName(name)}, call)
      return {link: url}
    },
  }
}

function folderOf({key}: Target): string {
  return key === '' || key.endsWith('/') ? key : `${key}/`
}

/** What a browser takes a file for; it may be wrong, and must not become a header of another kind. */
function readType(type: unknown): string {
  return typeof type === 'string' && /^[\w.+-]+\/[\w.+-]+$/u.test(type) && type.length < 100
    ? type
    : 'application/octet-stream'
}

/** A visitor's file may have any name: what a header or URL cannot carry becomes `_`. */
function readName(name: unknown): string {
  const text = typeof name === 'string' ? name.replaceAll(/[\p{Cc}\p{Cs}]/gu, '_') : ''
  return Array.from(text).slice(0, 200).join('') || 'download'
}

/** The page has the URLs; to sign more takes none of them. */
function withoutUrls(ticket: Ticket): unknown {
  const {list: _, complete: __, abort: ___, head: ____, ...rest} = {list: 0, complete: 0, abort: 0, head: 0, ...ticket}
  return 'parts' in rest ? {...rest, parts: {...rest.parts, url: '', signatures: []}} : rest
}
