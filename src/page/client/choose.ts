import {Failure, isFailure} from '../../core/failure.ts'
import {checkFit, timeLeft} from '../../stores/ticket/ticket.ts'
import type {Ticket} from '../../stores/ticket/ticket.ts'
import type {Hasher} from './hasher.ts'
import {isSameFile, recall} from './memory.ts'
import type {Place} from './place.ts'
import {createS3Place} from './s3-place.ts'
import type {SignPart} from './s3-place.ts'
import {createSwiftPartsPlace, createSwiftWholePlace} from './swift-place.ts'
import {planFile} from './upload.ts'

export interface Choice {
  readonly ticket: Ticket
  readonly place: Place
  /** Tells whoever serves the page that all is there, and returns the link. */
  readonly finish?: (signal: AbortSignal) => Promise<string>
}

export function openPlace(ticket: Ticket, sign?: SignPart): Place {
  if (ticket.kind === 's3') return createS3Place(ticket, sign)
  return ticket.assemble === 'whole' ? createSwiftWholePlace(ticket) : createSwiftPartsPlace(ticket)
}

/**
 * Finds the ticket for a file: the one that it was begun with, else one that nobody has used. Fails `expired`,
 * `too-large`, `not-found` when all are used up, and `source-changed` when only uploads of other files are left.
 */
export async function chooseTicket(
  tickets: readonly Ticket[],
  file: File,
  hash: Hasher,
  signal: AbortSignal,
): Promise<Choice> {
  const open = tickets.filter(ticket => timeLeft(ticket, Date.now()) > 0)
  if (open.length === 0) throw new Failure('expired', 'This page has expired.')
  for (const ticket of open.slice(0, 1)) checkFit(ticket, file.size, Date.now())
  let isBegun = false
  let isOther = false
  for (const ticket of inOrder(open, file)) {
    const place = openPlace(ticket)
    const known = recall(place.id)
    const isOurs = known !== undefined && isSameFile(known, file)
    if (known?.isDone === true) continue
    try {
      const held = await place.held(planFile(file, place), signal)
      if (held.size === 0 || isOurs) return {ticket, place}
      if (await fits(file, place, held, hash)) return {ticket, place}
      isBegun = true
      isOther ||= known !== undefined
    } catch (error) {
      if (!isFailure(error, 'not-found')) throw error
    }
  }
  if (!isBegun) throw new Failure('not-found', 'This page is used up.')
  throw new Failure('source-changed', isOther ? 'You began with another file.' : 'Somebody began with another file.')
}

/** Makes a ticket of one that is for any number of files. Fails `expired`, `too-large`. */
export function fillTicket(template: Ticket, file: File): Choice {
  checkFit(template, file.size, Date.now())
  // `crypto.randomUUID` is not there for pages of plain http.
  const name = [...crypto.getRandomValues(new Uint8Array(16))].map(byte => byte.toString(16).padStart(2, '0')).join('')
  const ticket = JSON.parse(JSON.stringify(template).replaceAll('{name}', name)) as Ticket
  return {ticket, place: openPlace(ticket)}
}

/** Those of this file first; the others by chance, so that two people at once seldom meet. */
function inOrder(tickets: readonly Ticket[], file: File): Ticket[] {
  const rank = (ticket: Ticket): number => {
    const known = recall(ticket.uploadId)
    return known !== undefined && isSameFile(known, file) ? -1 : Math.random()
  }
  return tickets
    .map(ticket => ({ticket, rank: rank(ticket)}))
    .sort((one, other) => one.rank - other.rank)
    .map(({ticket}) => ticket)
}

/** True when one part that is there is this file's. */
async function fits(
  file: File,
  place: Place,
  held: Awaited<ReturnType<Place['held']>>,
  hash: Hasher,
): Promise<boolean> {
  const {partSize, size, count} = planFile(file, place)
  for (const [number, {etag}] of held) {
    if (number > count) return false
    const offset = (number - 1) * partSize
    return (await hash(file.slice(offset, Math.min(size, offset + partSize)))) === etag.toLowerCase()
  }
  return false
}
