import type {Operation} from './operations.ts'

/**
 * When a fault strikes: as soon as the headers are read; after `byte` bytes of the body; when the whole body was read
 * and not passed on; when the store has done its work and answered; after `byte` bytes of the body of the answer.
 */
export type Moment = 'headers' | 'body' | 'unstored' | 'stored' | 'answer'

/** What a rule or a fault may look at. */
export interface FaultyRequest {
  readonly operation: Operation
  readonly method: string
  /** Raw, with the query. */
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly partNumber?: number
}

/** An answer as small as those of `create`, `complete` and `listParts`. */
export interface Answer {
  status: number
  /** Lower-case names. */
  headers: Record<string, string | string[]>
  body: string
}

/** A RST. As a fault of `connect` it comes before anything is read. */
export interface Reset {
  readonly kind: 'reset'
  readonly when: Moment
  readonly byte?: number
}

/** A FIN, over TLS without close_notify. */
export interface Cut {
  readonly kind: 'cut'
  readonly when: Moment
  readonly byte?: number
}

/**
 * Nothing is read or written any more, the connection stays open; after `ms` it goes on (`unstored`: with a RST). Where
 * the body is not read, the proxy does not notice either that the client has gone: the exchange stays `inFlight`.
 */
export interface Silence {
  readonly kind: 'silence'
  readonly when: Moment
  readonly byte?: number
  readonly ms?: number
}

/** The proxy answers by itself. Before the end of the body, `then` says what becomes of the rest (default: read it). */
export interface OwnAnswer {
  readonly kind: 'answer'
  readonly when: Moment
  readonly byte?: number
  readonly status: number
  readonly headers: Readonly<Record<string, string>> | ((request: FaultyRequest) => Record<string, string>)
  readonly body: string
  readonly then?: 'read' | 'close' | 'hold'
}

/** The request is carried out, the answer is changed; Content-Length follows the body unless `cut` keeps the old one. */
export interface Edit {
  readonly kind: 'edit'
  readonly name: string
  readonly cut?: boolean
  readonly edit: (answer: Answer) => Answer
}

/** Bytes a second: of the body, and of the answer. */
export interface Slow {
  readonly kind: 'slow'
  readonly up?: number
  readonly down?: number
}

/** Answers as usual, then closes the kept connection unasked: at once, or when the next request arrives on it. */
export interface Close {
  readonly kind: 'close'
  readonly when: 'idle' | 'next-request'
}

export type Fault = Reset | Cut | Silence | OwnAnswer | Edit | Slow | Close

export function reset(when: Moment, byte?: number): Reset {
  return {kind: 'reset', when, ...(byte === undefined ? {} : {byte})}
}

export function cut(when: Moment, byte?: number): Cut {
  return {kind: 'cut', when, ...(byte === undefined ? {} : {byte})}
}

/** Reads `byte` bytes of the body and no more. */
export function stall(byte = 0, ms?: number): Silence {
  return {kind: 'silence', when: byte === 0 ? 'headers' : 'body', byte, ...(ms === undefined ? {} : {ms})}
}

/** The whole body is taken and no answer comes; with `ms` a `stored` one comes late. */
export function silence(when: 'unstored' | 'stored', ms?: number): Silence {
  return {kind: 'silence', when, ...(ms === undefined ? {} : {ms})}
}

export function slow(up: number, down?: number): Slow {
  return {kind: 'slow', up, ...(down === undefined ? {} : {down})}
}

export function closeIdle(): Close {
  return {kind: 'close', when: 'idle'}
}

/** The race of every keep-alive client: the request is on its way when the other side closes. */
export function closeOnNextRequest(): Close {
  return {kind: 'close', when: 'next-request'}
}

/** A name for the log. */
export function nameFault(fault: Fault): string {
  if (fault.kind === 'answer') return `${fault.status} ${fault.when}`
  if (fault.kind === 'edit') return fault.name
  return 'when' in fault ? `${fault.kind} ${fault.when}` : fault.kind
}
