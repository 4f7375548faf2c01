import {Failure} from '../../core/failure.ts'
import {partUrl} from '../../stores/ticket/ticket.ts'
import type {SwiftPartsTicket, SwiftWholeTicket} from '../../stores/ticket/ticket.ts'
import {partOf} from '../../upload/plan.ts'
import {placeOf} from './place.ts'
import type {HeldPart, Place, SendPart} from './place.ts'
import {readEtag, readReply} from './replies.ts'
import {sendRequest} from './send.ts'

/** One PUT of the whole file by a temp URL. */
export function createSwiftWholePlace(ticket: SwiftWholeTicket): Place {
  return {
    ...placeOf(ticket),
    async held(_plan, signal) {
      if ((await look(ticket.put, signal)) !== undefined) throw new Failure('not-found', 'This upload is finished.')
      return new Map()
    },
    put: sent => putSwift(ticket.put, sent, ticket.headers),
    async complete() {},
  }
}

/** Segments by a temp URL for their prefix; the owner makes the object of them, or has prepared that. */
export function createSwiftPartsPlace(ticket: SwiftPartsTicket): Place {
  return {
    ...placeOf(ticket),
    async held(plan, signal) {
      const {
        done,
        head,
        parts: {url},
      } = ticket
      const isSent = done !== undefined && (await look(done, signal)) !== undefined
      // The owner's mark that the upload goes on; an open object is there from the start.
      const mark = await look(done === undefined ? head : url.replace('{number}', '00000000'), signal)
      if (isSent || mark === undefined) throw new Failure('not-found', 'This upload is finished.')
      const parts = new Map<number, HeldPart>()
      // No temp URL can list. Parts are sent in order, four at a time: after eight that are missing there are no more.
      for (let number = 1, missing = 0; number <= plan.count && missing < 8; number++) {
        const there = await look(partUrl(ticket, number), signal)
        if (there === undefined) missing++
        // Content-Length is hidden unless the container exposes it: the sum decides.
        else parts.set(number, {size: partOf(plan, number).size, etag: there})
      }
      return parts
    },
    put: sent => putSwift(partUrl(ticket, sent.part.number), sent, {}),
    async complete(parts, signal) {
      if (ticket.done === undefined) return
      const body = JSON.stringify(parts.map(({number, size, etag}) => ({number, size, etag})))
      const failure = readReply(await sendRequest({method: 'PUT', url: ticket.done, body, signal}))
      if (failure !== undefined) throw failure
    },
  }
}

async function putSwift(
  url: string,
  {part, blob, md5, onSent, signal}: SendPart,
  headers: Readonly<Record<string, string>>,
): Promise<HeldPart> {
  const reply = await sendRequest({method: 'PUT', url, headers: {...headers, etag: md5}, body: blob, onSent, signal})
  const failure = readReply(reply)
  if (failure !== undefined) throw failure
  return {size: part.size, etag: readEtag(reply) ?? md5}
}

/** Returns the ETag of what stands at a URL; undefined for nothing. */
async function look(url: string, signal: AbortSignal): Promise<string | undefined> {
  const reply = await sendRequest({method: 'HEAD', url, signal})
  if (reply.status === 404) return undefined
  const failure = readReply(reply)
  if (failure !== undefined) throw failure
  return readEtag(reply) ?? ''
}
