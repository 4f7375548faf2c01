import {Failure} from '../../core/failure.ts'
import type {Wire} from '../../http/send.ts'
import type {SwiftConnection} from '../swift/client.ts'
import {OPEN} from '../swift/conditions.ts'
import {readInfo} from '../swift/object-headers.ts'
import {createPutWhole} from '../swift/whole.ts'
import type {Call, ObjectInfo} from '../store.ts'
import {checkedSession} from './session.ts'
import type {TicketUpload} from './session.ts'
import {createAsk} from './swift-ask.ts'
import {ticketEndpoint, ticketLimits} from './ticket.ts'
import type {SwiftWholeTicket} from './ticket.ts'

/** Makes the upload verbs of a ticket for one PUT: nothing in parts, nothing to resume. */
export function createSwiftWholeUpload(ticket: SwiftWholeTicket, wire: Wire): TicketUpload {
  const ask = createAsk(ticket, wire)
  const request: SwiftConnection['request'] = ({method, headers = {}, body}, options) =>
    ask(method, ticket.put, {headers: {...headers, ...ticket.headers}, body}, options)
  const head = async ({signal}: Call): Promise<ObjectInfo> =>
    readInfo(ticket.target, await ask('HEAD', ticket.put, {}, {signal}))
  const putWhole = createPutWhole(
    {request},
    {
      // What is replaced can neither be seen nor cleared with a ticket.
      replaced: {
        look: () => Promise.resolve(),
        clear: () => Promise.resolve([]),
      },
      largeObjects: {mayHold: () => Promise.resolve(false), expect() {}},
      head: (_, call) => head(call),
      guardWrite: () => OPEN,
    },
  )
  return {
    endpoint: ticketEndpoint(ticket),
    limits: () => Promise.resolve(ticketLimits(ticket)),
    head,
    putWhole(target, body, options, call) {
      checkedSession(ticket, target, options, {size: body.size, partSize: body.size, count: 0})
      return putWhole(target, body, {contentType: ticket.contentType}, call)
    },
    begin: noParts,
    putPart: noParts,
    listParts: noParts,
    complete: noParts,
    abort: () => Promise.resolve(),
  }
}

function noParts(): never {
  throw new Failure('unsupported', 'This ticket is for one PUT, not for parts.')
}
