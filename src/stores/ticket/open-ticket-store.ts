import type {Wire} from '../../http/send.ts'
import {createS3Upload} from './s3.ts'
import type {TicketUpload} from './session.ts'
import {createSwiftPartsUpload} from './swift-parts.ts'
import {createSwiftWholeUpload} from './swift-whole.ts'
import type {Ticket} from './ticket.ts'

export function openTicketStore(ticket: Ticket, wire: Wire): TicketUpload {
  if (ticket.kind === 's3') return createS3Upload(ticket, wire)
  return ticket.assemble === 'whole' ? createSwiftWholeUpload(ticket, wire) : createSwiftPartsUpload(ticket, wire)
}
