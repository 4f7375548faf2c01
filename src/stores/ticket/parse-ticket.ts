import {Failure} from '../../core/failure.ts'
import type {Ticket, TicketSize} from './ticket.ts'

/** Writes a ticket as it is handed on. */
export function formatTicket(ticket: Ticket): string {
  return `${JSON.stringify(ticket, undefined, 1)}\n`
}

/** Reads a ticket; anything that is not understood in every word fails `config`. */
export function parseTicket(text: string): Ticket {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // Its words would quote the text, which may hold signatures.
    throw new Failure('config', 'This is not a ticket: it is not JSON.', {suggestion: ASK})
  }
  const version = isRecord(value) ? value['skyliftTicket'] : undefined
  if (!isRecord(value) || version === undefined) {
    throw new Failure('config', 'This is not a ticket of Skylift.', {suggestion: ASK})
  }
  if (version !== 1) {
    const isNewer = typeof version === 'number' && version > 1
    const told = isNewer ? `version ${version}` : 'another version'
    throw new Failure('config', `The ticket is of ${told}, and this Skylift reads version 1.`, {
      suggestion: isNewer ? 'Install a newer Skylift.' : ASK,
    })
  }
  const shape = findShape(value)
  if (shape === undefined) throw damaged('kind')
  checkShape(value, {...ANY, ...shape}, '')
  const ticket = value as unknown as Ticket
  checkParts(ticket)
  checkOrigins(ticket)
  return ticket
}

const ASK = 'Ask whoever sent it for the whole file, as "skylift ticket create" wrote it.'

function damaged(field: string): Failure {
  return new Failure('config', `The ticket is damaged, or was changed: its "${field}" is not what it should be.`, {
    suggestion: ASK,
  })
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

type Check = (value: unknown) => boolean
interface Shape {
  readonly [field: string]: Check | Shape
}

// oxlint-disable-next-line no-control-regex
const isWord: Check = value => typeof value === 'string' && value !== '' && !/[\u0000-\u001F\u007F]/u.test(value)
/** A key may hold anything. */
const isText: Check = value => typeof value === 'string' && value !== ''
const isTime: Check = value =>
  typeof value === 'string' && /^\d{4}-\d\d-\d\dT[\d:.]+Z$/u.test(value) && !Number.isNaN(Date.parse(value))
const isSize: Check = value => Number.isSafeInteger(value) && Number(value) >= 0
const isCount: Check = value => isSize(value) && Number(value) > 0
/** More than any store takes: each may cost a request. */
const isPartCount: Check = value => isCount(value) && Number(value) <= 100_000
const isTruth: Check = value => typeof value === 'boolean'
/** Neither a name and password before the host, nor a fragment, nor a line of its own. */
const isUrl: Check = value =>
  typeof value === 'string' &&
  /^https?:\/\/[^/?#@\s\\]+\/[!-~]*$/u.test(value) &&
  !value.includes('#') &&
  URL.canParse(value)
const isSignatures: Check = value =>
  Array.isArray(value) && value.every(each => typeof each === 'string' && /^[\da-f]{64}$/u.test(each))
const isUrls: Check = value => Array.isArray(value) && value.length > 0 && value.every(isUrl)
const isHeader: Check = value => typeof value === 'string' && /^[\u0020-\u007E]+$/u.test(value)
const optional =
  (check: Check): Check =>
  value =>
    value === undefined || check(value)
const is =
  (...words: readonly string[]): Check =>
  value =>
    words.some(each => each === value)

const ANY: Shape = {
  skyliftTicket: () => true,
  kind: is('s3', 'swift'),
  target: {remote: isWord, container: isText, key: isText},
  created: isTime,
  expires: isTime,
  size: value =>
    isRecord(value) && Object.keys(value).length === 1 && (isCount(value['max']) || isSize(value['exact'])),
  contentType: isWord,
  uploadId: isWord,
  link: optional(
    value =>
      isRecord(value) &&
      Object.keys(value).length === 3 &&
      isUrl(value['url']) &&
      isWord(value['filename']) &&
      isTime(value['expires']),
  ),
}
const PARTS = {url: isUrl, min: isSize, max: isCount, count: isPartCount, equal: isTruth, partSize: optional(isCount)}
const SEGMENTS: Shape = {
  assemble: is('owner', 'open'),
  parts: {...PARTS, container: isText, prefix: isText},
  head: isUrl,
}

const SHAPES: Readonly<Record<string, Shape>> = {
  s3: {parts: {...PARTS, signatures: isSignatures}, list: isUrls, complete: isUrl, abort: isUrl, head: isUrl},
  'swift whole': {assemble: is('whole'), put: isUrl, headers: {'content-type': isHeader}},
  'swift owner': {...SEGMENTS, done: isUrl},
  'swift open': SEGMENTS,
}

function findShape({kind, assemble}: Record<string, unknown>): Shape | undefined {
  const name = typeof assemble === 'string' ? `swift ${assemble}` : kind
  if (typeof name !== 'string') return undefined
  return Object.hasOwn(SHAPES, name) ? SHAPES[name] : undefined
}

function checkShape(value: Record<string, unknown>, shape: Shape, at: string): void {
  const odd = Object.keys(value).find(name => !Object.hasOwn(shape, name))
  // A word of a later version could change the meaning of all the others.
  if (odd !== undefined) throw damaged(`${at}${odd.slice(0, 40)}`)
  for (const [name, check] of Object.entries(shape)) {
    const field = value[name]
    if (typeof check === 'function') {
      if (!check(field)) throw damaged(at + name)
    } else if (isRecord(field)) checkShape(field, check, `${at}${name}.`)
    else throw damaged(at + name)
  }
}

function checkParts(ticket: Ticket): void {
  if (!('parts' in ticket)) return
  const {min, max, count, partSize = max, url} = ticket.parts
  if (min > max || partSize > max) throw damaged('parts.max')
  if (sizeOf(ticket.size) > partSize * count) throw damaged('parts.count')
  const holes = [...url.matchAll(/\{\w*\}/gu)].map(([hole]) => hole).sort()
  if (holes.join() !== (ticket.kind === 's3' ? '{number},{signature}' : '{number}')) throw damaged('parts.url')
  if (ticket.kind !== 's3') return
  if (ticket.parts.signatures.length !== count) throw damaged('parts.signatures')
  if (ticket.list.length !== Math.ceil(count / 1000)) throw damaged('list')
}

/** Returns the store's own address; that of all URLs in it. */
export function ticketOrigin(ticket: Ticket): string {
  return originOf('put' in ticket ? ticket.put : ticket.parts.url)
}

function originOf(url: string): string {
  return /^https?:\/\/[^/]+/u.exec(url)?.[0] ?? ''
}

/** A ticket whose list of parts goes to one host and whose bytes go to another was put together by somebody. */
function checkOrigins(ticket: Ticket): void {
  const {link} = ticket
  const urls =
    ticket.kind === 's3'
      ? [...ticket.list, ticket.complete, ticket.abort, ticket.head]
      : 'head' in ticket
        ? [ticket.head, ...(ticket.done === undefined ? [] : [ticket.done])]
        : []
  const origin = ticketOrigin(ticket)
  const odd = [...urls, ...(link === undefined ? [] : [link.url])].some(url => originOf(url) !== origin)
  if (odd) throw damaged('url')
}

function sizeOf(size: TicketSize): number {
  return 'exact' in size ? size.exact : size.max
}
