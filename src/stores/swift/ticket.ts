import {Failure} from '../../core/failure.ts'
import {bufferBody} from '../../core/buffer-body.ts'
import type {Call, LinkStore, Session, Target, UploadStore} from '../store.ts'
import type {MintedTicket, TicketLife, TicketStore, TicketWish} from '../ticket/ticket-store.ts'
import type {SwiftPartsTicket, SwiftWholeTicket, Ticket} from '../ticket/ticket.ts'
import type {SwiftConnection} from './client.ts'
import type {Conditions} from './conditions.ts'
import {encodePath} from './encode.ts'
import {listEntries} from './listing.ts'
import {objectHeaders} from './object-headers.ts'
import {createSegmentContainer, findPolicy} from './segment-containers.ts'
import type {SegmentPlace} from './segments.ts'
import {deleteAll, MARKER, newUploadId, segmentContainerOf, segmentTarget} from './segments.ts'
import {createFinish, doneTarget} from './ticket-finish.ts'

type SwiftTicket = SwiftWholeTicket | SwiftPartsTicket
/** A wish has more than that. */
function lifeOf({expiresIn, allowShorter = false}: TicketLife): TicketLife {
  return {expiresIn, allowShorter}
}

/** What stays the same when a ticket is renewed. */
type Kept = Pick<SwiftTicket, 'target' | 'size' | 'contentType' | 'uploadId'> & {readonly filename?: string | undefined}
type KeptParts = Kept & Pick<SwiftPartsTicket, 'assemble'> & {readonly parts: Omit<SwiftPartsTicket['parts'], 'url'>}

/**
 * Makes tickets of Swift. No temp URL can PUT a manifest (its JSON would be stored as the object), so an object in parts
 * needs its owner: afterwards (`owner`), or before, by a manifest that takes whatever will be there (`open`).
 */
export function createTickets(
  connection: SwiftConnection,
  {
    links,
    upload,
    guardWrite,
  }: {readonly links: LinkStore; readonly upload: UploadStore; readonly guardWrite: Conditions['guardWrite']},
): TicketStore {
  const finish = createFinish(connection, upload)

  async function signWhole(kept: Kept, life: TicketLife, call: Call): Promise<MintedTicket> {
    const {url, expires} = await links.tempUrl(kept.target, {...lifeOf(life), method: 'PUT'}, call)
    const headers = {'content-type': kept.contentType}
    const common = await signCommon(kept, expires, life, call)
    return {ticket: {...common, kind: 'swift', assemble: 'whole', put: url, headers}, notes: []}
  }

  async function signParts(kept: KeptParts, life: TicketLife, call: Call): Promise<MintedTicket> {
    const {target, assemble, parts} = kept
    const under = {...target, container: parts.container, key: parts.prefix}
    const segments = await links.tempUrl(under, {...lifeOf(life), method: 'PUT', isPrefix: true}, call)
    const head = await links.tempUrl(target, {...lifeOf(life), method: 'HEAD'}, call)
    const expires = new Date(Math.min(segments.expires.getTime(), head.expires.getTime()))
    const ticket: SwiftPartsTicket = {
      ...(await signCommon(kept, expires, life, call)),
      kind: 'swift',
      assemble,
      parts: {...parts, url: addName(segments.url, '{number}')},
      ...(assemble === 'owner' ? {done: addName(segments.url, 'done')} : {}),
      head: head.url,
    }
    return {ticket, notes: []}
  }

  async function signCommon(
    {target, size, contentType, uploadId, filename}: Kept,
    expires: Date,
    life: TicketLife,
    call: Call,
  ) {
    const link = filename === undefined ? undefined : await links.link(target, {...lifeOf(life), filename}, call)
    return {
      skyliftTicket: 1 as const,
      target,
      created: new Date().toISOString(),
      expires: expires.toISOString(),
      size,
      contentType,
      uploadId,
      ...(link === undefined
        ? {}
        : {link: {url: link.url, filename: filename ?? '', expires: link.expires.toISOString()}}),
    }
  }

  /** Begins what the owner will finish, or what finishes itself. */
  async function beginParts(target: Target, wish: TicketWish, call: Call): Promise<Omit<KeptParts, 'target'>> {
    const {size, plan, contentType, filename} = wish
    const {part} = (await connection.quirks(call.signal)).limits
    if (part === undefined) throw new Failure('unsupported', 'This cluster takes no large objects, so no parts.')
    const isOpen = wish.assemble === 'open'
    const {uploadId, place} = isOpen ? await beginOpen(target, wish, call) : await beginOwner(target, wish, call)
    // Of what other sizes leave behind, an open object would consist too.
    const fixed = isOpen || 'exact' in size ? {partSize: Math.max(1, plan.partSize)} : {}
    const {min, max, equal} = part
    const parts = {min, max, count: Math.max(1, plan.count), equal, ...fixed, ...place}
    return {size, contentType, uploadId, filename, assemble: isOpen ? 'open' : 'owner', parts}
  }

  async function beginOwner(target: Target, {plan, contentType}: TicketWish, call: Call) {
    const session = await upload.begin(target, {contentType}, plan, call)
    return {uploadId: session.uploadId, place: session.state as unknown as SegmentPlace}
  }

  /** Named so that nobody takes the segments for those of an unfinished upload. */
  async function beginOpen(target: Target, {contentType}: TicketWish, call: Call) {
    const policy = await findPolicy(connection, target, call)
    const uploadId = `open-${newUploadId(new Date())}`
    const container = segmentContainerOf(target, connection.settings)
    // Without the key: a manifest takes no prefix that begins with a slash.
    const place = {container, prefix: `${uploadId}/`}
    await createSegmentContainer(connection, container, policy, call)
    const manifest = `${encodePath(container)}/${encodePath(place.prefix)}`
    // Never in the place of an object: it would be gone before the first byte has come.
    const guard = await guardWrite(target, {noClobber: true}, call)
    const headers = {...objectHeaders({contentType}), 'x-object-manifest': manifest, ...guard.headers}
    await connection.request({method: 'PUT', target, headers, body: bufferBody(Buffer.alloc(0))}, {signal: call.signal})
    return {uploadId, place}
  }

  async function isAlive(ticket: SwiftPartsTicket, {signal}: Call): Promise<boolean> {
    const {assemble, parts, target} = ticket
    const mark = assemble === 'owner' ? segmentTarget(parts, MARKER) : target
    const answer = await connection.request({method: 'HEAD', target: mark, accepts: [404]}, {signal})
    return answer.status < 300 && (assemble === 'owner' || answer.headers['x-object-manifest'] !== undefined)
  }

  async function dropOpen({target, parts}: SwiftPartsTicket, call: Call): Promise<void> {
    const names = [target as {container: string; key: string}]
    for await (const {name} of listEntries(connection, parts, call)) names.push({container: parts.container, key: name})
    const {error} = await deleteAll(connection, names, call)
    if (error !== undefined) throw error
  }

  return {
    assembles: ['whole', 'owner', 'open'],

    async prepareContainers(target, assemble = 'whole', call) {
      const policy = await findPolicy(connection, target, call)
      if (assemble === 'whole') return [target.container]
      const segments = segmentContainerOf(target, connection.settings)
      await createSegmentContainer(connection, segments, policy, call)
      return [...new Set([target.container, segments])]
    },

    async mintTicket(target, wish, call) {
      if (/^\/+$/u.test(target.key)) {
        throw new Failure('unsupported', 'No temp URL of Swift is for a key that is made of slashes alone.')
      }
      if (wish.assemble === 'owner' || wish.assemble === 'open') {
        // What cannot be signed is told before anything is begun.
        await links.tempUrl(
          {...target, container: segmentContainerOf(target, connection.settings)},
          {...lifeOf(wish), method: 'PUT'},
          call,
        )
        if (wish.filename !== undefined) await links.link(target, {...lifeOf(wish), filename: wish.filename}, call)
        const kept = await beginParts(target, wish, call)
        return signParts({...kept, target}, wish, call)
      }
      // A temp URL for a container that is not there can be signed, too.
      await findPolicy(connection, target, call)
      const {size, contentType, filename} = wish
      return signWhole({target, size, contentType, uploadId: newUploadId(new Date()), filename}, wish, call)
    },

    async renewTicket(ticket, life, call) {
      const own = ours(ticket)
      const {target, size, contentType, uploadId, link} = own
      const kept = {target, size, contentType, uploadId, filename: link?.filename}
      if (own.assemble === 'whole') return signWhole(kept, life, call)
      if (!(await isAlive(own, call))) {
        throw new Failure('not-found', 'The upload of this ticket was finished or revoked.', {
          suggestion: 'Make a new one with: skylift ticket create TARGET',
        })
      }
      const {url: _, ...parts} = own.parts
      return signParts({...kept, assemble: own.assemble, parts}, life, call)
    },

    signTicketParts() {
      throw new Failure('unsupported', 'One signature of Swift is for all parts of an upload.')
    },

    async revokeTicket(ticket, call) {
      const own = ours(ticket)
      if (own.assemble === 'open') await dropOpen(own, call)
      if (own.assemble === 'owner') {
        await upload.abort(sessionOf(own), call)
        await deleteAll(connection, [doneTarget(own)], call)
      }
      return [
        `The URL in it goes on working until ${own.expires}; only another Temp-URL key ends it before: skylift temp-url-key set TARGET.`,
      ]
    },

    async finishTicket(ticket, call) {
      const own = ours(ticket)
      if (own.assemble === 'owner') return finish(own, sessionOf(own), call)
      throw new Failure('usage', `A ticket with --assemble ${own.assemble} needs no finishing.`)
    },
  }
}

/** Puts a name behind the prefix that a URL is signed for. */
function addName(url: string, name: string): string {
  return url.replace('?', () => `${name}?`)
}

function sessionOf({target, uploadId, contentType, parts: {container, prefix}}: SwiftPartsTicket): Session {
  const state = {container, prefix}
  return {target, uploadId, options: {contentType}, size: 0, partSize: 1, checksum: 'md5', state}
}

function ours(ticket: Ticket): SwiftTicket {
  if (ticket.kind === 'swift') return ticket
  throw new Failure('usage', `The ticket is not for Swift, and ${ticket.target.remote}:// is.`)
}
