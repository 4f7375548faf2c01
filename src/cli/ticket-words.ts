import {formatDuration} from '../core/durations.ts'
import {printable} from '../core/printable.ts'
import {formatSize} from '../core/sizes.ts'
import {formatTarget} from '../core/target.ts'
import type {Json} from '../stores/store.ts'
import {largestOf, ticketOrigin, timeLeft} from '../stores/ticket/ticket.ts'
import type {Ticket} from '../stores/ticket/ticket.ts'
import {describeEnd} from './expiry.ts'

/** What a ticket is good for, and what it is not; no URL of it. */
export function describeTicket(ticket: Ticket, now = Date.now()): readonly string[] {
  const {target, expires, link} = ticket
  const isOver = timeLeft(ticket, now) === 0
  const end = new Date(expires)
  return [
    `Upload to ${formatTarget(target)} at ${ticketOrigin(ticket)}, ${
      isOver ? `ended ${formatDuration(now - end.getTime())} ago.` : `until ${describeEnd(end, formatDuration, now)}.`
    }`,
    `${describeSize(ticket)} ${describeParts(ticket)}`,
    ...describeLimits(ticket),
    ...(link === undefined
      ? []
      : [`It holds a link that downloads the object as "${link.filename}": whoever has the ticket can do that, too.`]),
  ].map(printable)
}

/** `A file of at most 50 GiB` */
function describeSize({size}: Ticket): string {
  return 'exact' in size
    ? `For a file of exactly ${formatSize(size.exact)} (${size.exact} B),`
    : `For a file of at most ${formatSize(size.max)},`
}

function describeParts(ticket: Ticket): string {
  if (!('parts' in ticket)) return 'in one PUT: an upload that is cut starts over.'
  const {partSize, count} = ticket.parts
  const size = partSize === undefined ? '' : ` of ${formatSize(partSize)}`
  return `in up to ${count.toLocaleString('en')} ${count === 1 ? 'part' : 'parts'}${size}; an upload that is cut goes on.`
}

/** What the person should know who hands it on. */
function describeLimits(ticket: Ticket): string[] {
  const isExact = 'exact' in ticket.size
  if (ticket.kind === 's3') {
    const {count, max} = ticket.parts
    return [
      isExact
        ? 'The store enforces the size: the length of every part is signed.'
        : `The store does not enforce the size: whoever has the ticket can store up to ${formatSize(count * max)}. --file-size signs exact lengths.`,
      'It is used up when the upload is completed or revoked. What is sent until then is stored, and paid for.',
    ]
  }
  const open = `The store does not enforce the size: the Skylift of whoever has the ticket does.`
  switch (ticket.assemble) {
    case 'whole':
      return [open, 'Until it ends, whoever has the ticket can write the object again, and over it.']
    case 'owner':
      return [
        'The object appears when you run: skylift ticket finish FILE. That checks size and checksums of what was sent.',
        'Until the ticket ends, whoever has it can write parts, and by that spoil a finished object: let it end soon.',
      ]
    default:
      return [
        open,
        'The object is there from the start and grows with its parts: nobody can tell by it whether all are there, and no checksum covers the whole.',
        'Until it ends, whoever has the ticket can change the object.',
      ]
  }
}

export function ticketToJson(ticket: Ticket, now = Date.now()): Record<string, Json> {
  const {target, kind, uploadId, created, expires, size, contentType, link} = ticket
  return {
    target: formatTarget(target),
    container: target.container,
    key: target.key,
    origin: ticketOrigin(ticket),
    kind,
    ...('assemble' in ticket ? {assemble: ticket.assemble} : {}),
    uploadId,
    created,
    expires,
    isExpired: timeLeft(ticket, now) === 0,
    size: largestOf(ticket),
    isExact: 'exact' in size,
    contentType,
    ...('parts' in ticket ? {parts: ticket.parts.count} : {}),
    ...('parts' in ticket && ticket.parts.partSize !== undefined ? {partSize: ticket.parts.partSize} : {}),
    ...(link === undefined ? {} : {link: {filename: link.filename, expires: link.expires}}),
    notes: describeLimits(ticket),
  }
}
