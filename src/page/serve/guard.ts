import {timingSafeEqual} from 'node:crypto'
import type {IncomingMessage} from 'node:http'
import {Failure, isFailure} from '../../core/failure.ts'

/** By this name the page shows that it is the one that was served. */
export const TOKEN_HEADER = 'x-skylift-page'

export interface Guard {
  /** Names and ports under which the page may be asked for. */
  readonly hosts: ReadonlySet<string>
  /** Random, of this run. */
  readonly token: string
}

const MOST = 16 * 1024

/**
 * Fails `forbidden` for a Host of others: by DNS rebinding any page could otherwise be of our origin.
 * https://owasp.org/www-community/attacks/DNS_Rebinding
 */
export function checkHost({headers, rawHeaders}: IncomingMessage, {hosts}: Guard): void {
  // Of two, Node keeps the first; somebody on the way may have gone by the other.
  const count = rawHeaders.filter((word, index) => index % 2 === 0 && word.toLowerCase() === 'host').length
  if (count !== 1 || !hosts.has((headers.host ?? '').toLowerCase()))
    throw new Failure('forbidden', 'This page is not served under that name.')
}

/** Fails `forbidden` for a request that the page itself did not make. */
export function checkCaller({headers}: IncomingMessage, {hosts, token}: Guard): void {
  const origin = headers.origin ?? ''
  const isOurs = /^https?:\/\//u.test(origin) && hosts.has(origin.replace(/^https?:\/\//u, '').toLowerCase())
  const site = headers['sec-fetch-site']
  const given = Buffer.from(String(headers[TOKEN_HEADER] ?? ''))
  const wanted = Buffer.from(token)
  const isKnown = given.length === wanted.length && timingSafeEqual(given, wanted)
  if (!isOurs || !isKnown || (site !== undefined && site !== 'same-origin')) {
    throw new Failure('forbidden', 'Only the page itself may ask for this.')
  }
  if (headers['content-type'] !== 'application/json') throw new Failure('usage', 'A question is JSON.')
}

/** Reads the JSON of a question. Fails `usage`. */
export async function readQuestion(request: IncomingMessage): Promise<Record<string, unknown>> {
  const pieces: Buffer[] = []
  let size = 0
  try {
    for await (const piece of request as AsyncIterable<Buffer>) {
      if ((size += piece.length) > MOST) throw new Failure('too-large', 'The question is too long.')
      pieces.push(piece)
    }
  } catch (error) {
    throw isFailure(error) ? error : new Failure('network', 'The question was cut off.', {cause: error})
  }
  try {
    const value: unknown = JSON.parse(Buffer.concat(pieces).toString('utf8'))
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  } catch {
    // Told below.
  }
  throw new Failure('usage', 'The question is not JSON.')
}
