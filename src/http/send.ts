import type http from 'node:http'
import type {Body} from '../core/body.ts'
import {onAbort} from '../core/signals.ts'
import type {Agents} from './agents.ts'
import {loadSmall, SMALL_BODY} from '../core/buffer-body.ts'
import {createWatch} from './watch.ts'
import {isUnreached, isUntrusted, networkFailure} from './network-failure.ts'
import {readOrigin} from './origin.ts'
import {pumpBody} from './pump.ts'
import type {QuickSender} from './quick-sender.ts'
import {answerWait, DEFAULT_WAITS} from './waits.ts'
import type {Waits} from './waits.ts'

export interface Request {
  readonly method: string
  /** Scheme, host and port: `https://s3.eu-central-1.amazonaws.com`. */
  readonly origin: string
  /** Path and query as they go over the wire; sent raw, since `URL` folds dot segments into another object. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Body
}

export interface Answer {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  /** Empty where `onBytes` took it. */
  readonly text: string
}

/** One line about one request, for `--debug`; nothing secret in it. */
export interface RequestRecord {
  readonly method: string
  readonly origin: string
  /** Without the query: it may hold a signature. */
  readonly path: string
  readonly status?: number
  readonly elapsed: number
  readonly requestId?: string
  readonly problem?: string
}

/** How requests of one run are sent. */
export interface Wire {
  readonly agents: Agents
  readonly waits?: Waits
  readonly onRequest?: (record: RequestRecord) => void
}

export interface SendOptions {
  readonly signal: AbortSignal
  /** Instead of the usual wait for an answer; any byte starts it anew. */
  readonly answer?: number
  readonly onSent?: ((bytes: number) => void) | undefined
  readonly pace?: ((bytes: number, signal: AbortSignal) => Promise<void>) | undefined
  /** Sees every window before it leaves, for hashing while sending; position 0 again when the body is sent anew. */
  readonly onWindow?: ((bytes: Buffer, position: number) => void) | undefined
  /** Takes the body of a 2xx answer instead of `text`. */
  readonly onBytes?: ((bytes: Buffer, answer: Pick<Answer, 'status' | 'headers'>) => void | Promise<void>) | undefined
}

/** An error answer or a listing; nothing that is collected is larger. */
const MAX_TEXT = 16 * 1024 * 1024

const NOTHING = Buffer.alloc(0)

/**
 * Sends one request and returns the answer, whatever its status. An answer that comes early stops the sending. Fails
 * `network` (retryable), `config` for what is wrong here, what the body fails, or `signal.reason`.
 */
export async function send(wire: Wire, request: Request, options: SendOptions): Promise<Answer> {
  const started = performance.now()
  const hadRoots = wire.agents.hasRoots()
  const record = (end: {status?: number; requestId?: string; problem?: string}): void =>
    wire.onRequest?.({
      method: request.method,
      origin: request.origin,
      path: request.path.split('?', 1)[0] ?? '',
      elapsed: performance.now() - started,
      ...end,
    })
  try {
    const quick = isQuick(request, options) ? wire.agents.quickFor(request.origin) : undefined
    const sender = quick instanceof Promise ? await quick : quick
    const answer = await (sender === undefined
      ? exchange(wire, request, options)
      : exchangeSmall(sender, wire, request, options))
    const id = answer.headers['x-amz-request-id'] ?? answer.headers['x-trans-id']
    record({status: answer.status, ...(typeof id === 'string' ? {requestId: id} : {})})
    return answer
  } catch (error) {
    options.signal.throwIfAborted()
    if (!hadRoots && isUntrusted(error)) {
      wire.agents.addRoots()
      return send(wire, request, options)
    }
    const failure = networkFailure(error, readOrigin(request.origin).host)
    record({problem: isUnreached(failure) ? 'not reached' : failure.message})
    throw failure
  }
}

async function exchange(wire: Wire, request: Request, options: SendOptions): Promise<Answer> {
  const {signal} = options
  const {isTls, host, hostname, port} = readOrigin(request.origin)
  const waits = wire.waits ?? DEFAULT_WAITS
  const body = request.body
  const agent = await wire.agents.agentFor(request.origin)
  const library = libraries.get(isTls) ?? (await loadLibrary(isTls))
  // Only now: what was told while the agent was made is not told again.
  signal.throwIfAborted()
  const hasLength = body !== undefined || ['PUT', 'POST'].includes(request.method)
  const outgoing = library.request({
    agent,
    method: request.method,
    protocol: isTls ? 'https:' : 'http:',
    hostname,
    port,
    path: request.path,
    headers: {...request.headers, ...(hasLength ? {'content-length': String(body?.size ?? 0)} : {})},
  })
  const watch = createWatch(outgoing, waits, host)
  const letGo = onAbort(signal, () => outgoing.destroy())
  try {
    const response = watch.response()
    // An answer can come while the body is still on its way; its failure is told below, once.
    response.catch(() => {})
    if (body === undefined || body.size === 0) {
      outgoing.end()
      watch.expectAnswer(options.answer ?? waits.answer)
    } else if (isSmall(body) && options.pace === undefined) {
      const {bytes = NOTHING} = await loadSmall(body)
      options.onWindow?.(bytes, 0)
      // Header and body leave in one write.
      outgoing.end(bytes, () => watch.isOver() || options.onSent?.(bytes.length))
      watch.expectAnswer(options.answer ?? waits.answer)
    } else {
      const rate = await pumpBody(outgoing, body, {...options, watch})
      watch.expectAnswer(options.answer ?? answerWait(waits, body.size, rate))
    }
    const incoming = await response
    const text = await readAnswer(incoming, options, {
      ...watch,
      touch: () => watch.touch(options.answer ?? waits.stall),
    })
    return {status: incoming.statusCode ?? 0, headers: incoming.headers, text}
  } catch (error) {
    throw watch.failure() ?? error
  } finally {
    letGo()
    watch.stop()
    // What was answered early has a body that never ended: such a connection cannot be used again.
    if (!outgoing.writableEnded) outgoing.destroy()
  }
}

function isSmall(body: Body | undefined): body is Body {
  return body !== undefined && body.size <= SMALL_BODY
}

/** A request that may leave in one write. */
function isQuick({body}: Request, {pace, onBytes}: SendOptions): boolean {
  return isSmall(body) && pace === undefined && onBytes === undefined
}

async function exchangeSmall(
  quick: QuickSender,
  {waits = DEFAULT_WAITS}: Wire,
  request: Request,
  {signal, answer, onWindow, onSent}: SendOptions,
): Promise<Answer> {
  const {body} = request
  const loading = body === undefined ? undefined : loadSmall(body)
  const loaded = loading instanceof Promise ? await loading : loading
  const {bytes = NOTHING, headroom = 0} = loaded ?? {}
  signal.throwIfAborted()
  if (bytes.length > 0) onWindow?.(bytes, 0)
  // Whoever may take so long to begin may take as long to go on.
  const given = answer === undefined ? waits : {...waits, answer, stall: answer}
  const {status, headers, text} = await quick.send(request, {bytes, headroom}, {signal, waits: given})
  // Of a body that leaves in one write nothing can be told before.
  if (bytes.length > 0) onSent?.(bytes.length)
  return {status, headers, text}
}

type Library = Pick<typeof http, 'request'>

const libraries = new Map<boolean, Library>()

/** Not at the top: a link is made without any connection. Once: to import what is there costs 40 µs all the same. */
async function loadLibrary(isTls: boolean): Promise<Library> {
  const {default: library} = isTls ? await import('node:https') : await import('node:http')
  libraries.set(isTls, library)
  return library
}

interface AnswerWaits {
  readonly touch: () => void
  readonly rest: () => void
}

async function readAnswer(incoming: http.IncomingMessage, {onBytes}: SendOptions, waits: AnswerWaits): Promise<string> {
  const {statusCode = 0, headers} = incoming
  waits.touch()
  if (onBytes === undefined || statusCode >= 300) return collectText(incoming, waits)
  for await (const piece of incoming as AsyncIterable<Buffer>) {
    waits.rest()
    await onBytes(piece, {status: statusCode, headers})
    waits.touch()
  }
  if (!incoming.complete) throw cut()
  return ''
}

/** By events: an iterator costs as much as all else about a small request. */
function collectText(incoming: http.IncomingMessage, {touch}: AnswerWaits): Promise<string> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = []
    let size = 0
    incoming.on('data', (piece: Buffer) => {
      size += piece.length
      if (size > MAX_TEXT) incoming.destroy(new Error('the answer is larger than 16 MiB'))
      pieces.push(piece)
      touch()
    })
    incoming.once('error', reject)
    incoming.once('close', () => {
      if (incoming.complete) resolve(pieces.length === 0 ? '' : Buffer.concat(pieces).toString('utf8'))
      else reject(cut())
    })
  })
}

function cut(): Error {
  return Object.assign(new Error('cut'), {code: 'ECONNRESET'})
}
