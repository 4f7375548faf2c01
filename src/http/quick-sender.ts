import http from 'node:http'
import type {Body} from '../core/body.ts'
import {Failure} from '../core/failure.ts'
import {onAbort} from '../core/signals.ts'
import {formatDuration} from '../core/durations.ts'
import {createFreeConnections} from './free-connections.ts'
import type {Connection} from './free-connections.ts'
import type {WholeAnswer} from './answer-reader.ts'
import type {Origin} from './origin.ts'
import type {Request} from './send.ts'
import {readSendQueue} from './send-queue.ts'
import {atEndOfTurn} from './turn.ts'
import {DEFAULT_WAITS} from './waits.ts'
import type {Waits} from './waits.ts'

export interface QuickOptions {
  readonly signal: AbortSignal
  readonly waits: Waits
}

/** What is sent, and how many bytes are free right before it. */
export type SmallBody = Required<Pick<Body, 'bytes' | 'headroom'>>

/** Sends small requests straight to one origin, over connections of its own. */
export interface QuickSender {
  /** Fails as the connection does, with a Failure of the waits, or `signal.reason`. */
  send(request: Request, body: SmallBody, options: QuickOptions): Promise<WholeAnswer>
  close(): void
}

/**
 * Makes a sender that writes head and body in one piece and reads the answer by itself: of a small file Node's own client
 * takes most of the time.
 */
export function createQuickSender(agent: http.Agent, origin: Origin): QuickSender {
  const connections = createFreeConnections(agent, origin)
  const {host} = origin
  const watches = new WeakMap<Connection, SmallWatch>()

  function watchOf(connection: Connection): SmallWatch {
    const known = watches.get(connection)
    if (known !== undefined) return known
    const watch = watchSmall(connection, host)
    watches.set(connection, watch)
    return watch
  }

  return {
    close: () => connections.close(),
    send: (request, body, {signal, waits}) =>
      new Promise((resolve, reject) => {
        const head = formatHead(request, host, body.bytes.length)
        const connection = connections.take()
        const {socket} = connection
        const watch = watchOf(connection)
        watch.begin(waits)
        const letGo = onAbort(signal, () => socket.destroy())
        const end = (): void => {
          watch.stop()
          letGo()
        }
        const finish = (answer: WholeAnswer): void => {
          end()
          // What was answered before it was sent ends its connection.
          if (answer.isReusable && socket.writableLength === 0) connections.give(connection)
          else socket.destroy()
          resolve(answer)
        }
        connection.exchange(joinBytes(head, body, connection), {
          onMove: watch.move,
          onAnswer(answer) {
            // That it was sent, Node may say of TLS only at the end of a turn.
            atEndOfTurn(() => finish(answer))
          },
          onFailure(error) {
            end()
            reject(watch.failure() ?? error)
          },
        })
      }),
  }
}

/** Head and body in one piece: where the body is, if the head fits in before it. */
function joinBytes(head: string, {bytes, headroom}: SmallBody, connection: Connection): Buffer {
  const size = head.length + bytes.length
  const isRoom = head.length <= headroom
  const all = isRoom ? Buffer.from(bytes.buffer, bytes.byteOffset - head.length, size) : connection.scratch(size)
  all.write(head, 0, 'latin1')
  if (!isRoom) all.set(bytes, head.length)
  return all
}

/** Names that Node takes, in lower case: a run has few. */
const names = new Map<string, string>()

/** Fails as Node does for what is no name. */
function foldName(name: string): string {
  const known = names.get(name)
  if (known !== undefined) return known
  http.validateHeaderName(name)
  const lower = name.toLowerCase()
  names.set(name, lower)
  return lower
}

/** What Node may refuse in a value. */
const ODD = /[^ -~]/u

/** Written as Node writes it, refusing what Node refuses. */
function formatHead({method, path, headers}: Request, host: string, size: number): string {
  if (/[^\u0021-\u00FF]/u.test(path)) throw new TypeError('The path of a request holds what has to be escaped.')
  let head = `${method} ${path} HTTP/1.1\r\n`
  let hasHost = false
  for (const name in headers) {
    const value = headers[name] ?? ''
    const lower = foldName(name)
    // Two lengths, even of one value, are two requests to some.
    if (lower === 'content-length') continue
    if (ODD.test(value)) http.validateHeaderValue(name, value)
    if (lower === 'host') hasHost = true
    head += `${name}: ${value}\r\n`
  }
  if (!hasHost) head += `host: ${host}\r\n`
  return `${head}content-length: ${size}\r\nconnection: keep-alive\r\n\r\n`
}

/** The waits of requests that leave in one write: for the connection, for the answer, and in the middle of it. */
interface SmallWatch {
  begin(waits: Waits): void
  /** Begins the wait that is due now anew. */
  move(hasBegun: boolean): void
  stop(): void
  failure(): Failure | undefined
}

/** One timer serves all requests of a connection: to set one and clear it costs as much as to read the answer. */
function watchSmall(connection: Connection, host: string): SmallWatch {
  const {socket} = connection
  let waits = DEFAULT_WAITS
  let failure: Failure | undefined
  let isOver = true
  let isAnswering = false
  let queued: number | undefined
  /** Which wait it is, of all. */
  let turn = 0
  let timer: NodeJS.Timeout | undefined
  let length = 0
  socket.once('close', () => clearTimeout(timer))

  function fail(message: string): void {
    failure = new Failure('network', message, {retryable: true})
    socket.destroy(failure)
  }

  /** What the kernel swallowed at once can take long to leave: no answer can come before that. */
  async function checkAnswer(): Promise<void> {
    const [before, asked] = [queued, turn]
    queued = await readSendQueue(socket)
    // What moved meanwhile has begun another wait.
    if (isOver || turn !== asked) return
    if (queued !== undefined && queued > 0 && queued !== before) wait()
    else fail(`${host} did not answer within ${formatDuration(waits.answer)}.`)
  }

  function runOut(): void {
    if (isOver) return
    if (connection.isConnecting()) {
      fail(`${host} did not take the connection within ${formatDuration(waits.connect)}.`)
    } else if (isAnswering) {
      fail(`${host} stopped in the middle of its answer for ${formatDuration(waits.stall)}.`)
    } else void checkAnswer()
  }

  function wait(): void {
    turn++
    const due = connection.isConnecting() ? waits.connect : isAnswering ? waits.stall : waits.answer
    if (timer !== undefined && due === length) {
      timer.refresh()
      return
    }
    clearTimeout(timer)
    // It is the connection that keeps the process.
    timer = setTimeout(runOut, due).unref()
    length = due
  }

  return {
    begin(given) {
      waits = given
      isOver = false
      isAnswering = false
      queued = undefined
      wait()
    },
    move(hasBegun) {
      isAnswering = hasBegun
      wait()
    },
    stop() {
      isOver = true
    },
    failure: () => failure,
  }
}
