import http, {type IncomingMessage, type ServerResponse} from 'node:http'
import net, {type AddressInfo, type Socket} from 'node:net'
import tls from 'node:tls'
import type {Duplex} from 'node:stream'
import {setTimeout as sleep} from 'node:timers/promises'
import {once} from 'node:events'
import {findFreePorts, OF_PROXIES} from '../servers/ports.ts'
import {carryOut, type LogEntry} from './exchange.ts'
import {connectRequest, createFaultRules, describeRequest, type Injection, type Rule} from './fault-rules.ts'
import {nameFault} from './faults.ts'
import type {Operation} from './operations.ts'
import {reset} from './reset.ts'

export type {LogEntry} from './exchange.ts'
export type {Injection, Rule} from './fault-rules.ts'

export interface FaultProxy {
  readonly endpoint: string
  readonly port: number
  readonly log: readonly LogEntry[]
  /** Requests under way now, and the most there were at once. */
  readonly inFlight: number
  readonly maxInFlight: number
  /** TCP connections: accepted since the start, and open now. */
  readonly connections: {readonly total: number; readonly open: number}
  inject(injection: Injection): Rule
  /** Forgets rules and log; what is under way goes on. */
  clear(): void
  count(operation?: Operation): number
  /** Bytes of bodies that clients sent. */
  bytesReceived(operation?: Operation): number
  bytesForwarded(operation?: Operation): number
  /** Resolves once the condition holds, without polling: it is asked whenever something moves. */
  until(condition: () => boolean): Promise<void>
  /** Resets every connection and refuses new ones, until `up`. */
  down(): Promise<void>
  up(): Promise<void>
  close(): Promise<void>
}

export interface FaultProxyOptions {
  readonly upstream: string
  readonly tls?: {readonly key: string; readonly cert: string}
}

/**
 * Stands in front of a store and breaks what it is told to break, each fault at an exact byte or moment. Requests pass
 * unchanged (path, Host, order of headers), so that signatures stay valid; bodies pass as streams.
 */
export async function startFaultProxy(options: FaultProxyOptions): Promise<FaultProxy> {
  const {hostname: host, port: upstreamPort} = new URL(options.upstream)
  const upstream = {host: host.replaceAll(/[[\]]/g, ''), port: Number(upstreamPort)}
  const sockets = new Set<Socket>()
  const below = new WeakMap<Duplex, Socket>()
  const doomed = new WeakSet<Socket>()
  const rules = createFaultRules()
  const log: LogEntry[] = []
  const waiting = new Set<() => void>()
  const changed = () => waiting.forEach(ask => ask())
  let inFlight = 0
  let maxInFlight = 0
  let connections = 0
  let listener: net.Server | undefined

  const server = http.createServer({keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0})
  server.on('request', handle).on('checkContinue', handle)
  server.on('clientError', (_error, socket) => socket.destroy())

  function accept(socket: Socket): void {
    connections++
    sockets.add(socket)
    socket.on('error', () => {}).on('close', () => sockets.delete(socket) && changed())
    const fault = rules.take(connectRequest)
    if (fault?.kind === 'reset') reset(socket)
    else if (fault?.kind === 'cut') socket.end()
    else if (fault?.kind === 'silence') {
      socket.pause()
      if (fault.ms !== undefined) setTimeout(() => socket.destroyed || serve(socket), fault.ms).unref()
    } else serve(socket)
    changed()
  }

  function serve(socket: Socket): void {
    const stream = options.tls ? new tls.TLSSocket(socket, {isServer: true, ...options.tls}) : socket
    stream.on('error', () => {})
    below.set(stream, socket)
    server.emit('connection', stream)
  }

  function handle(request: IncomingMessage, response: ServerResponse): void {
    const socket = below.get(request.socket)!
    const seen = describeRequest(request)
    const fault = doomed.has(socket) ? undefined : rules.take(seen)
    const {operation, method, path, partNumber} = seen
    const part = partNumber === undefined ? {} : {partNumber}
    const entry: LogEntry = {
      operation,
      method,
      path,
      ...part,
      bytesReceived: 0,
      bytesForwarded: 0,
      status: 0,
      over: false,
    }
    log.push(entry)
    if (doomed.has(socket)) {
      Object.assign(entry, {fault: 'close next-request', over: true})
      socket.destroy()
      changed()
      return
    }
    maxInFlight = Math.max(maxInFlight, ++inFlight)
    const gone = new AbortController()
    response
      .on('error', () => {})
      .on('close', () => {
        inFlight--
        entry.over = true
        gone.abort()
        if (fault?.kind === 'close' && response.writableFinished) {
          entry.fault = nameFault(fault)
          if (fault.when === 'idle') request.socket.end()
          else doomed.add(socket)
        }
        changed()
      })
    changed()
    carryOut({request, response, socket, upstream, seen, fault, entry, gone: gone.signal, changed}).catch(() => {
      // The client has gone, or the store has: the client then sees a reset. One that was answered before it had sent all
      // goes on with its next request: what is left of this one must not stand before it.
      if (!response.writableFinished) reset(socket)
      else request.resume()
    })
  }

  async function listen(choosePort: () => number | Promise<number>): Promise<number> {
    for (let attempt = 1; ; attempt++) {
      listener = net.createServer({noDelay: true}, accept).listen(await choosePort(), '127.0.0.1')
      try {
        await once(listener, 'listening')
        return (listener.address() as AddressInfo).port
      } catch (error) {
        // Somebody may have been quicker.
        if (attempt === 100) throw error
        await sleep(50)
      }
    }
  }

  async function down(): Promise<void> {
    if (!listener) return
    const closed = once(listener, 'close')
    listener.close()
    listener = undefined
    for (const socket of sockets) reset(socket)
    await closed
  }

  const sum = (count: (entry: LogEntry) => number, operation?: Operation) =>
    log.reduce((total, entry) => (operation && entry.operation !== operation ? total : total + count(entry)), 0)
  // None that the system gives to others while this is down.
  const port = await listen(() => findFreePorts(1, OF_PROXIES))

  return {
    endpoint: `${options.tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    port,
    log,
    get inFlight() {
      return inFlight
    },
    get maxInFlight() {
      return maxInFlight
    },
    get connections() {
      return {total: connections, open: sockets.size}
    },
    inject: injection => rules.inject(injection),
    clear() {
      rules.clear()
      log.length = 0
      maxInFlight = inFlight
    },
    count: operation => sum(() => 1, operation),
    bytesReceived: operation => sum(entry => entry.bytesReceived, operation),
    bytesForwarded: operation => sum(entry => entry.bytesForwarded, operation),
    until: condition =>
      new Promise((resolve, reject) => {
        const ask = () => {
          try {
            if (!condition()) return
            resolve()
          } catch (error) {
            reject(error)
          }
          waiting.delete(ask)
        }
        waiting.add(ask)
        ask()
      }),
    down,
    up: async () => {
      if (!listener) await listen(() => port)
    },
    close: down,
  }
}
