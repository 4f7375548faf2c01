import {once} from 'node:events'
import http from 'node:http'
import type {IncomingMessage, ServerResponse} from 'node:http'
import https from 'node:https'
import net from 'node:net'
import type {AddressInfo, Socket} from 'node:net'
import type {Body} from '../../src/core/body.ts'
import {createAgents} from '../../src/http/agents.ts'
import type {AgentOptions} from '../../src/http/agents.ts'
import type {Answer, Request, SendOptions, Wire} from '../../src/http/send.ts'
import {send} from '../../src/http/send.ts'

export const MIB = 1024 * 1024

const open: (() => Promise<void> | void)[] = []

/** Ends every server and agent that a test started; for `afterEach`. */
export async function closeAll(): Promise<void> {
  for (const close of open.splice(0).toReversed()) await close()
}

export interface TestServer {
  readonly origin: string
  readonly port: number
  /** Connections accepted since the start, in order. */
  readonly sockets: readonly Socket[]
  readonly server: net.Server
}

interface ServerOptions {
  readonly tls?: {readonly key: string; readonly cert: string} | undefined
  readonly host?: string
}

type Listener = (request: IncomingMessage, response: ServerResponse) => unknown

export async function startServer(listener: Listener, options: ServerOptions = {}): Promise<TestServer> {
  const server = options.tls ? https.createServer(options.tls) : http.createServer()
  server.on('request', (request, response) => void listener(request, response))
  return listen(server, `http${options.tls ? 's' : ''}`, options.host)
}

/** A server that speaks whatever `serve` writes. */
export async function startTcpServer(serve: (socket: Socket) => void): Promise<TestServer> {
  return listen(net.createServer(serve), 'http')
}

async function listen(server: net.Server, protocol: string, host = '127.0.0.1'): Promise<TestServer> {
  const sockets: Socket[] = []
  server.on('connection', (socket: Socket) => {
    sockets.push(socket)
    socket.on('error', () => {})
  })
  server.listen(0, host)
  await once(server, 'listening')
  const {port} = server.address() as AddressInfo
  open.push(async () => {
    const closed = once(server, 'close')
    server.close()
    for (const socket of sockets) socket.destroy()
    await closed
  })
  return {port, sockets, server, origin: `${protocol}://${host.includes(':') ? `[${host}]` : host}:${port}`}
}

/** A wire whose agents end with the test. */
export function openWire(options: AgentOptions & Omit<Wire, 'agents'> = {}): Wire {
  const agents = createAgents(options)
  open.push(() => agents.close())
  return {agents, ...options}
}

/** Sends one GET, or PUT where there is a body. */
export function sendTo(
  wire: Wire,
  origin: string,
  request: Partial<Request> = {},
  options: Partial<SendOptions> = {},
): Promise<Answer> {
  const method = request.body === undefined ? 'GET' : 'PUT'
  return send(
    wire,
    {method, origin, path: '/', headers: {}, ...request},
    {signal: new AbortController().signal, ...options},
  )
}

/** Bytes that tell their position, without holding them. */
export function patternBody(size: number): Body {
  return {
    size,
    read(into, position) {
      const count = Math.min(into.length, size - position)
      for (let at = 0; at < count; at++) into[at] = patternAt(position + at)
      return Promise.resolve(count)
    },
  }
}

export function patternAt(position: number): number {
  return (position * 31 + (position >>> 8) * 17 + (position >>> 16)) & 255
}

/** One byte again and again. */
export function filledBody(size: number, byte: number): Body {
  return {
    size,
    read(into, position) {
      into.fill(byte)
      return Promise.resolve(Math.min(into.length, size - position))
    },
  }
}

export function zeroBody(size: number): Body {
  return filledBody(size, 0)
}

export async function readAll(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of request as AsyncIterable<Buffer>) pieces.push(piece)
  return Buffer.concat(pieces)
}

/** Returns what a promise fails with. */
export async function failureOf(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise
  } catch (error) {
    return error as Error
  }
  throw new Error('It did not fail.')
}
