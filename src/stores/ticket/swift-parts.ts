import {createHash} from 'node:crypto'
import {formatCrc32} from '../../core/crc32.ts'
import {Failure} from '../../core/failure.ts'
import {bufferBody} from '../../core/buffer-body.ts'
import {digestBody} from '../../http/digest.ts'
import type {Wire} from '../../http/send.ts'
import type {SwiftConnection} from '../swift/client.ts'
import {wholeCrc32} from '../s3/checksum.ts'
import {manifestEtag} from '../swift/manifest.ts'
import {readInfo, unquote} from '../swift/object-headers.ts'
import {createPutPart} from '../swift/put-part.ts'
import type {Call, ObjectInfo, PartReceipt, Session, StoredObject} from '../store.ts'
import {damaged, gone} from './refusals.ts'
import {checkedSession, checkReceipts} from './session.ts'
import type {TicketUpload} from './session.ts'
import {createAsk} from './swift-ask.ts'
import {partUrl, ticketEndpoint, ticketLimits} from './ticket.ts'
import type {SwiftPartsTicket} from './ticket.ts'

/** How many requests that ask for one segment each are under way at once. */
const LOOKING = 8

/** Makes the upload verbs of a ticket for segments. */
export function createSwiftPartsUpload(ticket: SwiftPartsTicket, wire: Wire): TicketUpload {
  const ask = createAsk(ticket, wire)
  const {parts, assemble} = ticket
  const request: SwiftConnection['request'] = ({method, target, headers = {}, body}, options) =>
    ask(method, partUrl(ticket, Number(target.key.slice(parts.prefix.length))), {headers, body}, options)
  const putPart = createPutPart({request}, () => parts)

  async function head({signal}: Call): Promise<ObjectInfo> {
    return readInfo(ticket.target, await ask('HEAD', ticket.head, {}, {signal}))
  }

  async function look(url: string, {signal}: Call): Promise<{size: number; etag: string} | undefined> {
    const {status, headers} = await ask('HEAD', url, {accepts: [404]}, {signal})
    return status < 300 ? {size: Number(headers['content-length'] ?? 0), etag: unquote(headers.etag)} : undefined
  }

  /** No temp URL can list, so every number is asked for. */
  async function lookAt(from: number, to: number, call: Call): Promise<PartReceipt[]> {
    const found: PartReceipt[] = []
    let next = from
    const work = async (): Promise<void> => {
      for (let number = next++; number <= to; number = next++) {
        const there = await look(partUrl(ticket, number), call)
        if (there !== undefined) found.push({number, ...there, crc32: ''})
      }
    }
    await Promise.all(Array.from({length: LOOKING}, work))
    return found.sort((a, b) => a.number - b.number)
  }

  /** Fails `not-found` where the owner has ended the upload. */
  async function checkAlive(call: Call): Promise<void> {
    if (assemble === 'owner') {
      const marker = parts.url.replace('{number}', '00000000')
      if ((await look(marker, call)) === undefined) throw gone(ticket)
    } else if ((await look(ticket.head, call)) === undefined) throw gone(ticket)
  }

  /** Leaves the list of segments for the owner. */
  async function leaveForOwner(receipts: readonly PartReceipt[], {signal}: Call): Promise<string[]> {
    const list = receipts.map(({number, size, etag}) => ({number, size, etag}))
    const body = bufferBody(Buffer.from(JSON.stringify(list)))
    const md5 = createHash('md5').update(JSON.stringify(list)).digest('hex')
    await ask('PUT', ticket.done ?? '', {headers: {'content-type': 'application/json', etag: md5}, body}, {signal})
    return ['All parts are there. The object appears when the owner of the ticket runs: skylift ticket finish FILE']
  }

  async function isFinished({size, etag}: StoredObject, call: Call): Promise<boolean> {
    const found = await look(ticket.head, call)
    return found?.size === size && found.etag === etag
  }

  async function checkSegments(receipts: readonly PartReceipt[], call: Call): Promise<void> {
    const held = new Map((await lookAt(1, receipts.length, call)).map(each => [each.number, each]))
    const odd = receipts.find(each => held.get(each.number)?.etag !== each.etag)
    if (odd === undefined) return
    const {container, key} = ticket.target
    throw new Failure('integrity', `The store misses part ${odd.number} of "${container}/${key}".`, {
      context: {container, key, part: odd.number},
    })
  }

  /** Compares what the store makes of the segments. Fails `integrity`, and `busy` while its listing lags behind. */
  async function checkOpen(session: Session, receipts: readonly PartReceipt[], call: Call): Promise<void> {
    const found = await head(call)
    if (found.size === session.size && found.etag === manifestEtag(receipts)) return
    await checkSegments(receipts, call)
    // Of an earlier try with a larger file; nothing here can delete.
    for (const {number, size} of await lookAt(receipts.length + 1, parts.count, call)) {
      if (size === 0) continue
      const empty = bufferBody(Buffer.alloc(0))
      await ask('PUT', partUrl(ticket, number), {body: empty}, {signal: call.signal})
    }
    const settled = await head(call)
    if (settled.size === session.size) return
    const {container, key} = ticket.target
    throw new Failure('busy', `The store does not show all parts of "${container}/${key}" yet.`, {
      context: {container, key},
      retryable: true,
    })
  }

  const store: TicketUpload = {
    endpoint: ticketEndpoint(ticket),
    limits: () => Promise.resolve(ticketLimits(ticket)),
    head,

    /** One part, however small: only parts can be sent. */
    async putWhole(target, body, options, call) {
      const {size} = body
      const {md5} = await digestBody(body, call.signal)
      const session = await store.begin(target, options, {size, partSize: Math.max(1, size), count: 1}, call)
      const receipt = await store.putPart(session, {number: 1, offset: 0, size}, body, call)
      if (receipt.etag !== md5.toString('hex')) throw damaged(ticket)
      return store.complete(session, [receipt], call)
    },

    async begin(target, options, plan, call) {
      const session = checkedSession(ticket, target, options, plan)
      await checkAlive(call)
      // What the owner makes an object of shall not change any more.
      if (ticket.done !== undefined && (await look(ticket.done, call)) !== undefined) throw gone(ticket)
      return session
    },

    putPart,

    async listParts(session, call) {
      await checkAlive(call)
      return lookAt(1, Math.min(parts.count, Math.ceil(session.size / session.partSize)), call)
    },

    async complete(session, receipts, call): Promise<StoredObject> {
      checkReceipts(ticket, session, receipts)
      const {target, size} = session
      const etag = manifestEtag(receipts)
      const crc = wholeCrc32(receipts)
      const crc32 = crc === undefined ? {} : {crc32: formatCrc32(crc)}
      const stored: StoredObject = {target, size, etag, ...crc32, verified: {by: 'md5'}}
      // The owner may have made the object of it by now.
      if (assemble === 'owner' && (await isFinished(stored, call))) return stored
      await checkAlive(call)
      const notes = assemble === 'owner' ? await leaveForOwner(receipts, call) : []
      if (assemble === 'open') await checkOpen(session, receipts, call)
      return notes.length > 0 ? {...stored, notes} : stored
    },

    /** Nothing here can delete: that is for the owner. */
    abort: () => Promise.resolve(),
  }
  return store
}
