import {formatCrc32} from '../../core/crc32.ts'
import {Failure, isFailure} from '../../core/failure.ts'
import {digestBody} from '../../http/digest.ts'
import {send} from '../../http/send.ts'
import type {Answer, SendOptions, Wire} from '../../http/send.ts'
import {memoryFindings} from '../findings.ts'
import {noEtag, partDamaged, saysMd5, unquote} from '../s3/checksum.ts'
import type {S3Exchange, S3Request} from '../s3/client.ts'
import {isRefused} from '../s3/failures.ts'
import {readInfo} from '../s3/objects.ts'
import {UNKNOWN} from '../s3/quirks.ts'
import {createUpload} from '../s3/upload.ts'
import {comparesEtag} from '../s3/whole.ts'
import type {Call, ObjectInfo} from '../store.ts'
import {checkedSession, checkReceipts, requestOf} from './session.ts'
import {toTicketFailure} from './refusals.ts'
import type {TicketUpload} from './session.ts'
import {partUrl, ticketEndpoint, ticketLimits} from './ticket.ts'
import type {S3Ticket} from './ticket.ts'

/** Makes the upload verbs of a ticket for S3: those of the S3 wing, by URLs that are signed already. */
export function createS3Upload(ticket: S3Ticket, wire: Wire): TicketUpload {
  const exchange: S3Exchange = {
    endpointName: ticketEndpoint(ticket),
    settings: {quirks: {...UNKNOWN, limits: ticketLimits(ticket)}, findings: memoryFindings(), wire},
    request: (request, options) => ask(request.method, findUrl(ticket, request), request, options),
  }

  let isKnown = false

  async function ask(
    method: string,
    url: string,
    {headers = {}, body}: Partial<Pick<S3Request, 'headers' | 'body'>>,
    options: SendOptions,
  ): Promise<Answer> {
    const answer = await send(
      wire,
      {...requestOf(method, url, headers), ...(body === undefined ? {} : {body})},
      options,
    )
    if (isRefused(answer, method)) throw toTicketFailure(ticket, answer, method, isKnown)
    isKnown = true
    return answer
  }

  async function head({signal}: Call): Promise<ObjectInfo> {
    return readInfo(ticket.target, await ask('HEAD', ticket.head, {}, {signal}))
  }

  const upload = createUpload(exchange, (_, call) => head(call))

  const store: TicketUpload = {
    endpoint: exchange.endpointName,
    limits: () => Promise.resolve(ticketLimits(ticket)),
    head,

    /** One part, however small: there is no URL for a whole PUT. */
    async putWhole(target, body, options, call) {
      const {size} = body
      const session = await store.begin(target, options, {size, partSize: Math.max(1, size), count: 1}, call)
      const receipt = await store.putPart(session, {number: 1, offset: 0, size}, body, call)
      const stored = await store.complete(session, [receipt], call)
      return {...stored, crc32: receipt.crc32}
    },

    async begin(target, options, plan, call) {
      const session = checkedSession(ticket, target, options, plan)
      // Asked first: an upload that is gone shall not cost the sending of a part.
      await upload.listParts(session, call).catch((error: unknown) => {
        // Whoever may only put cannot make URLs that list. What else may be wrong, the first part tells.
        if (!isFailure(error, 'forbidden', 'unsupported')) throw error
      })
      return session
    },

    /** One reading to sum, a second to send; the store compares, and so do we. */
    async putPart({target}, part, body, call) {
      const {crc, md5} = await digestBody(body, call.signal)
      const headers = {'content-md5': md5.toString('base64')}
      const sending = {signal: call.signal, onSent: call.onSent, pace: call.pace}
      const answer = await ask('PUT', partUrl(ticket, part.number), {headers, body}, sending)
      const etag = unquote(answer.headers.etag)
      if (etag === '') throw noEtag(target, part.number)
      if (comparesEtag(answer, etag) && !saysMd5(etag, md5.toString('hex'))) throw partDamaged(target, part.number)
      return {number: part.number, size: part.size, etag, crc32: formatCrc32(crc)}
    },

    async listParts(session, call) {
      const all = await upload.listParts(session, call)
      return [...new Map(all.map(each => [each.number, each])).values()]
    },

    complete(session, receipts, call) {
      checkReceipts(ticket, session, receipts)
      return upload.complete(session, receipts, call)
    },

    abort: (session, call) => upload.abort(session, call),
  }
  return store
}

function findUrl(ticket: S3Ticket, {method, query = {}}: S3Request): string {
  switch (method) {
    case 'GET': {
      // A store whose pages are shorter names a place for which there is no URL: the same page again ends the listing.
      const page = Math.floor(Number(query['part-number-marker'] ?? 0) / 1000)
      return ticket.list[page] ?? ticket.list.at(-1) ?? ''
    }
    case 'POST':
      return ticket.complete
    case 'DELETE':
      return ticket.abort
    default:
      throw new Failure('unexpected', `A ticket has no URL for ${method}.`)
  }
}
