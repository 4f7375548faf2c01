import {formatDuration} from '../../core/durations.ts'
import {Failure} from '../../core/failure.ts'
import {formatSize, MIB} from '../../core/sizes.ts'
import type {Target} from '../../core/target.ts'
import type {Limits} from '../store.ts'
import {ticketOrigin} from './parse-ticket.ts'

export {formatTicket, parseTicket, ticketOrigin} from './parse-ticket.ts'

/*
 * A ticket is one JSON document: everything that somebody without credentials needs to upload one object in parts, and
 * nothing that reaches beyond that upload. No clock, no disk, no network here: the page runs this file too.
 */

/** What every ticket says, whatever store it is for. */
interface AnyTicket {
  /** The version of the format. */
  readonly skyliftTicket: 1
  /** By the name that the owner's machine has for the store: `renew`, `finish` and `revoke` go by it. */
  readonly target: Target
  /** ISO 8601. */
  readonly created: string
  /** ISO 8601; nothing in the ticket works after it. */
  readonly expires: string
  /** `max` is the client's word, which no store enforces; `exact` is signed into every part on S3. */
  readonly size: TicketSize
  /** Fixed when the upload was begun. */
  readonly contentType: string
  /** Names the upload: a renewed ticket has the same. */
  readonly uploadId: string
  /** For downloading the finished object, where the owner asked for one. */
  readonly link?: {readonly url: string; readonly filename: string; readonly expires: string}
}

export type TicketSize = {readonly max: number} | {readonly exact: number}

/** How parts may be cut; `partSize` where the owner fixed it. */
export interface TicketParts {
  readonly min: number
  readonly max: number
  readonly count: number
  readonly equal: boolean
  readonly partSize?: number
}

/** A multipart upload that was begun without a checksum algorithm: PUT each part with Content-MD5, then POST `complete`. */
export interface S3Ticket extends AnyTicket {
  readonly kind: 's3'
  readonly parts: TicketParts & {
    /** With the holes `{number}` and `{signature}`. */
    readonly url: string
    /** Of part 1, 2, … in hex; as many as `count`. */
    readonly signatures: readonly string[]
  }
  /** GET; the first one lists parts 1 to 1,000, the second those from 1,001 on, and so forth. */
  readonly list: readonly string[]
  /** POST, with the usual XML. */
  readonly complete: string
  /** DELETE. */
  readonly abort: string
  /** HEAD of the object itself. */
  readonly head: string
}

/** One PUT of the whole object, with `ETag: <md5 in hex>`; the same URL may HEAD it. */
export interface SwiftWholeTicket extends AnyTicket {
  readonly kind: 'swift'
  readonly assemble: 'whole'
  readonly put: string
  /** To be sent with the PUT. */
  readonly headers: Readonly<Record<string, string>>
}

/**
 * Segments, each by PUT with `ETag: <md5 in hex>`; the same URL may HEAD it. `owner`: their list is then PUT to `done`, and
 * the owner makes the object of them. `open`: the object is whatever segments there are.
 */
export interface SwiftPartsTicket extends AnyTicket {
  readonly kind: 'swift'
  readonly assemble: 'owner' | 'open'
  readonly parts: TicketParts & {
    /** With the hole `{number}`: eight digits. */
    readonly url: string
    /** Where the segments go. */
    readonly container: string
    readonly prefix: string
  }
  /** `owner` only. Takes the list of all segments in order, as JSON: `[{"number": 1, "size": 5, "etag": "…"}, …]`. */
  readonly done?: string
  /** HEAD of the object itself. */
  readonly head: string
}

export type Ticket = S3Ticket | SwiftWholeTicket | SwiftPartsTicket

/** The rate below which a ticket is not held to be too short. */
const MODEST_RATE = 10 * MIB

/** What one object can be by this ticket. `whole` is 0 where even the smallest file goes as a part. */
export function ticketLimits(ticket: Ticket): Limits {
  const object = largestOf(ticket)
  const common = {
    key: 1024,
    by: 'ticket' as const,
    ...(ticket.kind === 'swift' ? {keyUnit: 'characters' as const} : {}),
  }
  if (!('parts' in ticket)) return {whole: object, object, ...common}
  const {partSize, min, max, count, equal} = ticket.parts
  return {whole: 0, object, part: {min: partSize ?? min, max: partSize ?? max, count, equal}, ...common}
}

export function largestOf({size}: Ticket): number {
  return 'exact' in size ? size.exact : size.max
}

/** Returns the containers that the upload touches: a browser must be let into each of them. */
export function containersOf(ticket: Ticket): readonly string[] {
  const {container} = ticket.target
  const parts = 'assemble' in ticket && 'parts' in ticket ? ticket.parts.container : container
  return parts === container ? [container] : [container, parts]
}

/** Returns the URL that a part is PUT to, by its number from 1. */
export function partUrl(ticket: S3Ticket | SwiftPartsTicket, number: number): string {
  if (!Number.isInteger(number) || number < 1 || number > ticket.parts.count) {
    throw new Failure('usage', `The ticket has no part ${number}.`)
  }
  return ticket.kind === 's3'
    ? fill(ticket.parts.url, {number: String(number), signature: ticket.parts.signatures[number - 1] ?? ''})
    : fill(ticket.parts.url, {number: String(number).padStart(8, '0')})
}

function fill(url: string, values: Readonly<Record<string, string>>): string {
  return url.replaceAll(/\{(\w+)\}/gu, (hole, name: string) => values[name] ?? hole)
}

/** Milliseconds until the ticket ends; 0 when it has. */
export function timeLeft({expires}: Pick<Ticket, 'expires'>, now: number): number {
  return Math.max(0, Date.parse(expires) - now)
}

/** Fails `expired`, by the clock of this machine. */
export function checkTime(ticket: Ticket, now: number): void {
  if (timeLeft(ticket, now) > 0) return
  throw new Failure('expired', `The ticket ended ${ago(ticket, now)}.`, {
    suggestion: `If that is wrong, set the clock. ${RENEW}`,
  })
}

/** Fails `too-large` or `usage` where a file of this size does not fit, `expired` where the time left is too short for it. */
export function checkFit(ticket: Ticket, size: number, now: number): void {
  checkTime(ticket, now)
  // Of what comes from a pipe nobody knows the size.
  if (size < 0) return
  const {size: limit} = ticket
  if ('exact' in limit && size !== limit.exact) {
    const message = `The ticket is for a file of exactly ${limit.exact} bytes, and this one has ${size}.`
    throw new Failure(size > limit.exact ? 'too-large' : 'usage', message, {suggestion: ANOTHER})
  }
  if ('max' in limit && size > limit.max) {
    const message = `${formatSize(size)} is more than the ${formatSize(limit.max)} that the ticket allows.`
    throw new Failure('too-large', message, {suggestion: ANOTHER})
  }
  const needed = (size / MODEST_RATE) * 1000
  const left = timeLeft(ticket, now)
  if (left >= needed) return
  const rate = `${formatSize(MODEST_RATE)}/s`
  throw new Failure(
    'expired',
    `The ticket ends in ${formatDuration(left)}, and at ${rate} this file takes ${formatDuration(needed)}.`,
    {suggestion: RENEW},
  )
}

const RENEW = 'Ask its owner to renew it: skylift ticket renew FILE. Parts that were sent are kept.'
const ANOTHER = 'Ask its owner for another one: skylift ticket create TARGET --size MAX.'

function ago({expires}: Ticket, now: number): string {
  return `${formatDuration(now - Date.parse(expires))} ago by this machine's clock`
}

const ENDPOINT = 'ticket '

/** Names the upload for journals: the same for a ticket that was renewed. */
export function ticketEndpoint(ticket: Ticket): string {
  return `${ENDPOINT}${ticket.uploadId} at ${ticketOrigin(ticket)}`
}

/** True for an endpoint of a journal that a ticket wrote, whose upload is somebody else's. */
export function isTicketEndpoint(endpoint: string): boolean {
  return endpoint.startsWith(ENDPOINT)
}
