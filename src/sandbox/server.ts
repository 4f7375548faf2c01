import {createServer} from 'node:http'
import type {Server} from 'node:http'
import {join} from 'node:path'
import {Failure} from '../core/failure.ts'
import {openIdentity} from './identity.ts'
import {IdleWatch} from './idle.ts'
import {listenForFolder} from './listen.ts'
import {takeLock} from '../state/lock.ts'
import {refuseConnection} from './protocol/broken-request.ts'
import type {House} from './protocol/handler.ts'
import {sha256} from './protocol/signing.ts'
import {serve} from './serve.ts'
import type {Arrival} from './serve.ts'
import {loadStorage, makeFolder} from './storage/load.ts'

export interface SandboxOptions {
  readonly folder: string
  /** Absent or 0: the folder's own, or any. */
  readonly port?: number
  /** How long without a request until it closes by itself. */
  readonly idleTimeout?: number
  /** Called when it has closed by itself. */
  readonly onIdle?: () => void
  /** The path comes without its query, where a signature may be. */
  readonly requestLog?: (line: {method: string; path: string; status: number}) => void
}

export interface Sandbox {
  readonly endpoint: string
  readonly port: number
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly region: string
  /** Lets requests under way end for a moment, then cuts them; what was answered stays. May be called twice. */
  close(): Promise<void>
}

const KEEP_ALIVE = 65_000
/** Nobody on this machine needs so long for the head of a request. */
const HEADERS_TIMEOUT = 15_000
const CHECK_INTERVAL = 5000
/** A connection that neither sends nor takes anything for so long is cut. */
const SOCKET_TIMEOUT = 10 * 60_000
const GRACE = 1500

/** Starts the embedded S3 store over a data folder, on this machine's loopback only. Fails `busy` while another one has the folder. */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const {folder} = options
  makeFolder(folder)
  const lock = await takeLock(join(folder, 'lock'), ({pid}) => {
    return new Failure('busy', `Another sandbox uses this folder already (process ${pid}).`)
  })
  try {
    const identity = await openIdentity(folder)
    const house: House = {
      storage: loadStorage(folder),
      region: identity.region,
      identity,
      owner: {id: sha256(identity.accessKeyId), name: 'sandbox'},
    }
    const server = makeServer()
    let closing: Promise<void> | undefined
    const close = async () => {
      closing ??= closeServer(server, idle)
        .then(async () => house.storage.segments.settled())
        .then(async () => lock.release())
      return closing
    }
    const idle = new IdleWatch(options.idleTimeout, () => {
      void close().then(() => options.onIdle?.())
    })
    const answer = (arrival: Arrival) => {
      if (options.requestLog) logAnswer(arrival, options.requestLog)
      void idle.during(serve(arrival, house))
    }
    server.on('request', (request, response) => {
      answer({request, response, expectsContinue: false})
    })
    server.on('checkContinue', (request, response) => {
      answer({request, response, expectsContinue: true})
    })
    const port = await listenForFolder(server, folder, options.port).catch((error: unknown) => {
      idle.stop()
      throw error
    })
    // Not before: on a slow disk it may take longer to listen than a sandbox is to idle.
    idle.start()
    return {...identity, port, endpoint: `http://127.0.0.1:${port}`, close}
  } catch (error) {
    await lock.release()
    throw error
  }
}

function makeServer(): Server {
  const server = createServer({
    keepAliveTimeout: KEEP_ALIVE,
    headersTimeout: HEADERS_TIMEOUT,
    connectionsCheckingInterval: CHECK_INTERVAL,
    // An upload may take as long as it takes.
    requestTimeout: 0,
    maxHeaderSize: 32 * 1024,
    highWaterMark: 256 * 1024,
  })
  server.setTimeout(SOCKET_TIMEOUT)
  server.on('clientError', refuseConnection)
  return server
}

async function closeServer(server: Server, idle: IdleWatch): Promise<void> {
  idle.stop()
  const closed = new Promise<void>(resolve => {
    server.close(() => {
      resolve()
    })
  })
  server.closeIdleConnections()
  const timer = setTimeout(() => {
    server.closeAllConnections()
  }, GRACE)
  await closed
  clearTimeout(timer)
  // A connection that is gone may have left a commit under way; the folder is ours until it has ended.
  await idle.settled()
}

function logAnswer({request, response}: Arrival, log: NonNullable<SandboxOptions['requestLog']>): void {
  const [path = ''] = (request.url ?? '').split('?', 1)
  response.once('close', () => {
    log({method: request.method ?? '', path, status: response.statusCode})
  })
}
