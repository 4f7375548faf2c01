import http, {type IncomingMessage, type ServerResponse} from 'node:http'
import type {Socket} from 'node:net'
import type {Writable} from 'node:stream'
import {setTimeout as sleep} from 'node:timers/promises'
import {once} from 'node:events'
import {
  type Answer,
  type Edit,
  type Fault,
  type FaultyRequest,
  type Moment,
  nameFault,
  type OwnAnswer,
} from './faults.ts'
import type {Operation} from './operations.ts'
import {reset} from './reset.ts'

/** What became of one request; it changes while the request lives. */
export interface LogEntry {
  readonly operation: Operation
  readonly method: string
  readonly path: string
  readonly partNumber?: number
  /** Bytes of the body: those that came in, and those that were handed to the store. */
  bytesReceived: number
  bytesForwarded: number
  /** What the client was told; 0 when it was told nothing. */
  status: number
  /** What the store said. */
  storeStatus?: number
  /** The fault that struck. */
  fault?: string
  /** The exchange is over, well or badly. */
  over: boolean
}

/** One request on its way through the proxy. */
export interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** The TCP socket, below TLS. */
  readonly socket: Socket
  readonly upstream: {readonly host: string; readonly port: number}
  readonly seen: FaultyRequest
  readonly fault: Fault | undefined
  readonly entry: LogEntry
  /** Aborted when the client has gone or its answer is finished. */
  readonly gone: AbortSignal
  /** Called whenever the entry changes. */
  readonly changed: () => void
}

/** Carries a request to the store and its answer back, and lets the fault strike at its moment. */
export async function carryOut(exchange: Exchange): Promise<void> {
  const {request, response, gone, entry} = exchange
  if (await isOver(exchange, 'headers')) return
  if (request.headers.expect) response.writeContinue()
  const store = hasMoment(exchange.fault, 'unstored') ? undefined : openUpstream(exchange)
  const reply = store && once(store, 'response').then(([message]) => message as IncomingMessage)
  reply?.catch(() => {})
  gone.addEventListener('abort', () => store?.destroy())
  const sent = sendBody(exchange, store)
  sent.catch(() => {})
  if (!reply) {
    await sent
    if (!(await isOver(exchange, 'unstored'))) reset(exchange.socket)
    return
  }
  const first = await Promise.race([sent, reply])
  if (first === 'struck') {
    store?.destroy()
    return
  }
  const message = await reply
  entry.storeStatus = message.statusCode ?? 0
  exchange.changed()
  // A store may answer before it is done, and tell in the body what came of it.
  const body = hasMoment(exchange.fault, 'stored') ? await readPieces(message) : message
  if (!(await isOver(exchange, 'stored'))) await sendReply(exchange, message, body)
  await sent
}

async function readPieces(message: AsyncIterable<Buffer>): Promise<Buffer[]> {
  const pieces: Buffer[] = []
  for await (const piece of message) pieces.push(piece)
  return pieces
}

function hasMoment(fault: Fault | undefined, moment: Moment): boolean {
  return fault !== undefined && 'when' in fault && fault.when === moment
}

/** Lets the fault strike if this is its moment; false when the exchange goes on. */
async function isOver(exchange: Exchange, moment: Moment): Promise<boolean> {
  const {fault, socket, entry, gone} = exchange
  if (!fault || !hasMoment(fault, moment)) return false
  entry.fault = nameFault(fault)
  exchange.changed()
  if (fault.kind === 'reset') reset(socket)
  else if (fault.kind === 'cut') socket.end()
  else if (fault.kind === 'answer') await sendOwnAnswer(exchange, fault)
  else if (fault.kind === 'silence') {
    await waitFor(fault.ms, gone)
    return false
  }
  return true
}

/** Waits `ms`, or until the client has gone, which it throws. */
async function waitFor(ms: number | undefined, gone: AbortSignal): Promise<void> {
  if (ms !== undefined) await sleep(ms, undefined, {signal: gone})
  else if (!gone.aborted) await once(gone, 'abort')
  gone.throwIfAborted()
}

function openUpstream({request, upstream}: Exchange): http.ClientRequest {
  const headers = withoutHopHeaders(request.rawHeaders, ['expect'])
  const {method, url: path} = request
  const store = http.request({...upstream, method, path, headers, agent: false} as http.RequestOptions)
  store.on('error', () => {})
  store.setNoDelay(true)
  store.flushHeaders()
  return store
}

/** Raw headers without those that belong to one connection: order, case and Host stay, so signatures stay valid. */
function withoutHopHeaders(raw: readonly string[], others: readonly string[] = []): string[] {
  const hop = new Set(['connection', 'keep-alive', ...others])
  return raw.filter((_, index) => !hop.has(raw[index - (index % 2)]!.toLowerCase()))
}

/** Hands the body to the store, or drops it where there is none; `struck` when the fault ended it on the way. */
async function sendBody(exchange: Exchange, store: http.ClientRequest | undefined): Promise<'whole' | 'struck'> {
  const {request, entry, fault, gone} = exchange
  const rate = fault?.kind === 'slow' ? fault.up : undefined
  if (rate) entry.fault = 'slow'
  let limit = hasMoment(fault, 'body') ? ((fault as {byte?: number}).byte ?? 0) : Infinity
  const start = performance.now()
  for await (const chunk of request.iterator({destroyOnReturn: false}) as AsyncIterable<Buffer>) {
    entry.bytesReceived += chunk.length
    exchange.changed()
    let rest = chunk
    const room = limit - entry.bytesForwarded
    if (chunk.length >= room) {
      await writeBody(exchange, store, chunk.subarray(0, room))
      if (await isOver(exchange, 'body')) return 'struck'
      limit = Infinity
      rest = chunk.subarray(room)
    }
    await writeBody(exchange, store, rest)
    if (rate) await pace(entry.bytesReceived, rate, start, gone)
  }
  store?.end()
  return 'whole'
}

async function writeBody({entry}: Exchange, store: http.ClientRequest | undefined, piece: Buffer): Promise<void> {
  if (!store || store.destroyed || piece.length === 0) return
  entry.bytesForwarded += piece.length
  if (!store.write(piece)) await waitForDrain(store)
}

/** Resolves when there is room again, or nobody to make any. */
async function waitForDrain(stream: Writable): Promise<void> {
  if (stream.destroyed) return
  await new Promise<void>(resolve => {
    const done = () => {
      stream.off('drain', done).off('close', done)
      resolve()
    }
    stream.on('drain', done).on('close', done)
  })
}

async function pace(bytes: number, rate: number, start: number, gone: AbortSignal): Promise<void> {
  // A timer may fire early by as long as the event loop was busy before it was set.
  for (;;) {
    const ms = start + (bytes / rate) * 1000 - performance.now()
    if (ms <= 0) return
    await sleep(Math.ceil(ms), undefined, {signal: gone})
  }
}

async function sendOwnAnswer(exchange: Exchange, fault: OwnAnswer): Promise<void> {
  const {request, response, seen, entry} = exchange
  const {status, body, then = 'read'} = fault
  const headers = typeof fault.headers === 'function' ? fault.headers(seen) : fault.headers
  const size = Buffer.byteLength(body)
  entry.status = status
  // Node drops the rest of a body that nobody has begun to read.
  if (then === 'hold') request.read(0)
  response.writeHead(status, {...headers, 'content-length': size, ...(then === 'close' ? {connection: 'close'} : {})})
  response.end(request.method === 'HEAD' ? undefined : body)
  if (then !== 'read' || request.complete) return
  for await (const chunk of request.iterator({destroyOnReturn: false}) as AsyncIterable<Buffer>) {
    entry.bytesReceived += chunk.length
    exchange.changed()
  }
}

async function sendReply(
  exchange: Exchange,
  message: IncomingMessage,
  body: AsyncIterable<Buffer> | Iterable<Buffer>,
): Promise<void> {
  const {response, entry, fault, gone} = exchange
  const status = message.statusCode ?? 502
  if (fault?.kind === 'edit') return sendEdited(exchange, message, fault)
  const limit = hasMoment(fault, 'answer') ? ((fault as {byte?: number}).byte ?? 0) : Infinity
  const rate = fault?.kind === 'slow' ? fault.down : undefined
  const start = performance.now()
  let sent = 0
  entry.status = status
  response.writeHead(status, message.statusMessage, withoutHopHeaders(message.rawHeaders, ['transfer-encoding']))
  if (limit !== Infinity) response.flushHeaders()
  for await (const chunk of body) {
    const room = limit - sent
    if (chunk.length >= room) {
      await new Promise<void>(resolve => void response.write(chunk.subarray(0, room), () => resolve()))
      if (await isOver(exchange, 'answer')) return
    }
    const rest = chunk.length >= room ? chunk.subarray(room) : chunk
    if (!response.write(rest)) await waitForDrain(response)
    sent += chunk.length
    if (rate) await pace(sent, rate, start, gone)
  }
  response.end()
}

/** Changes the headers, and the body where it is one of the small ones: not that of an object. */
async function sendEdited(exchange: Exchange, message: IncomingMessage, fault: Edit): Promise<void> {
  const {response, request, entry} = exchange
  const streams = exchange.seen.operation === 'get' || request.method === 'HEAD'
  const pieces = streams ? [] : await readPieces(message)
  const old = Buffer.concat(pieces).toString()
  const {connection: _c, 'keep-alive': _k, 'transfer-encoding': _t, ...rest} = message.headers
  const headers = rest as Answer['headers']
  const edited = fault.edit({status: message.statusCode ?? 502, headers, body: old})
  entry.fault = nameFault(fault)
  entry.status = edited.status
  if (!streams) edited.headers['content-length'] = String(Buffer.byteLength(fault.cut ? old : edited.body))
  response.writeHead(edited.status, edited.headers)
  if (streams) {
    for await (const chunk of message) if (!response.write(chunk)) await waitForDrain(response)
    response.end()
  } else if (fault.cut) {
    response.write(edited.body, () => exchange.socket.end())
  } else response.end(edited.body)
}
