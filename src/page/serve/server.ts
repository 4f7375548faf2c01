import {once} from 'node:events'
import {createServer} from 'node:http'
import type {IncomingMessage, ServerResponse} from 'node:http'
import type {AddressInfo} from 'node:net'
import {asFailure, Failure} from '../../core/failure.ts'
import type {FailureCode} from '../../core/failure.ts'
import type {Call} from '../../stores/store.ts'
import {checkCaller, checkHost, readQuestion} from './guard.ts'
import type {Guard} from './guard.ts'
import type {Uploads} from './uploads.ts'

export interface PageServerOptions {
  readonly port: number
  /** Loopback unless the person says otherwise. */
  readonly host: string
  /** Under which names else, as `name:port`: behind a proxy of one's own. */
  readonly names: readonly string[]
  readonly token: string
  readonly uploads: Uploads
  readonly html: string
  /** The page's policy, which as a header can also forbid frames. */
  readonly policy: string
  readonly onFailure?: (failure: Failure) => void
  /** How long the store may take for one question; 30 s unless given. */
  readonly patience?: number
}

export interface PageServer {
  readonly url: string
  close(): Promise<void>
}

const STATUS: Partial<Record<FailureCode, number>> = {
  usage: 400,
  forbidden: 403,
  'not-found': 404,
  'too-large': 413,
  expired: 410,
  busy: 503,
  network: 502,
}

/** Questions are small: whoever sends one slowly only wants to hold a connection. */
const WAITS = {
  maxHeaderSize: 8192,
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  connectionsCheckingInterval: 5000,
} as const

/** For what the store does meanwhile. */
const ANSWER_WAIT = 30_000

/** Serves the page and signs for it; no byte of content comes here. Fails `config` where the port is taken. */
export async function startPageServer(options: PageServerOptions): Promise<PageServer> {
  const {uploads, host, port, patience = ANSWER_WAIT} = options
  const open = new Set<AbortController>()
  let bound = 0
  let home = ''
  const hosts = new Set<string>(options.names.map(name => name.toLowerCase()))
  const guard: Guard = {hosts, token: options.token}
  const questions: Readonly<Record<string, keyof Uploads>> = {
    '/begin': 'begin',
    '/resume': 'resume',
    '/sign': 'sign',
    '/finish': 'finish',
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    checkHost(request, guard)
    const {method, url, headers} = request
    if (url === '/' && (method === 'GET' || method === 'HEAD')) {
      // Of one origin only: the store lets no other in, and a browser remembers what was begun by its origin.
      if (headers.host?.toLowerCase() === `localhost:${bound}`) {
        response.writeHead(302, {location: home, 'cache-control': 'no-store'}).end()
        return
      }
      response.writeHead(200, {
        'content-type': 'text/html; charset=utf-8',
        'content-security-policy': `${options.policy}; frame-ancestors 'none'`,
        'cache-control': 'no-store',
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
        'cross-origin-opener-policy': 'same-origin',
      })
      response.end(method === 'HEAD' ? undefined : options.html)
      return
    }
    const name = questions[url ?? '']
    if (name === undefined) throw new Failure('not-found', 'There is nothing here.')
    if (method !== 'POST') throw new Failure('usage', 'This is asked by POST.')
    checkCaller(request, guard)
    const question = await readQuestion(request)
    send(response, 200, await withCall(call => uploads[name](question, call)))
  }

  /** A signal that is made of others (`AbortSignal.any`) leaves something at each of them, and one of them would last. */
  async function withCall(run: (call: Call) => Promise<unknown>): Promise<unknown> {
    const controller = new AbortController()
    const timer = setTimeout(() => controller.abort(new Failure('busy', 'The store did not answer in time.')), patience)
    open.add(controller)
    try {
      return await run({signal: controller.signal})
    } finally {
      clearTimeout(timer)
      open.delete(controller)
    }
  }

  const server = createServer(WAITS, (request, response) => {
    answer(request, response).catch((error: unknown) => {
      const failure = asFailure(error)
      options.onFailure?.(failure)
      const {code, message} = failure
      // What is left of a question that was refused is not waited for.
      if (!request.complete && !response.headersSent) response.setHeader('connection', 'close')
      // What went wrong inside is told to the owner, not to visitors.
      const isTheirs = code in STATUS
      send(response, STATUS[code] ?? 500, {code, message: isTheirs ? message : 'Something went wrong at the server.'})
      request.resume()
    })
  })
  server.listen(port, host)
  try {
    await once(server, 'listening')
  } catch (error) {
    throw new Failure('config', `Nothing can be served at ${host}:${port}.`, {
      cause: error,
      suggestion: 'Take another --port.',
    })
  }
  bound = (server.address() as AddressInfo).port
  const name = host.includes(':') ? `[${host}]` : host
  home = `http://${name}:${bound}/`
  for (const each of [name, 'localhost', '127.0.0.1']) hosts.add(`${each}:${bound}`)
  return {
    url: home,
    async close() {
      for (const controller of open) controller.abort(new Failure('interrupted', 'The server stops.'))
      server.close()
      server.closeIdleConnections()
      setTimeout(() => server.closeAllConnections(), 1000).unref()
      await once(server, 'close')
    },
  }
}

function send(response: ServerResponse, status: number, value: unknown): void {
  if (response.headersSent) return
  const text = JSON.stringify(value)
  const length = Buffer.byteLength(text)
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': length,
    'cache-control': 'no-store',
  })
  response.end(text)
}
