import {validateHeaderName, validateHeaderValue} from 'node:http'
import {Failure} from '../core/failure.ts'
import {formatDuration} from '../core/durations.ts'
import type {QuickConnection, QuickConnections} from './quick-connections.ts'
import type {WholeAnswer} from './answer-reader.ts'
import type {Request} from './send.ts'
import {readSendQueue} from './send-queue.ts'
import type {Waits} from './waits.ts'

export interface SmallOptions {
  readonly signal: AbortSignal
  readonly waits: Waits
  /** Names the store in failures. */
  readonly host: string
}

/**
 * Sends a request whose body is in memory, head and body in one write, and reads its answer without Node's own HTTP
 * client: of a small file that takes most of the time. Fails as the connection does, or with a Failure of the waits.
 */
export function sendSmall(
  connections: QuickConnections,
  request: Request,
  body: Buffer,
  {signal, waits, host}: SmallOptions,
): Promise<WholeAnswer> {
  const bytes = joinRequest(request, host, body)
  return new Promise((resolve, reject) => {
    const connection = connections.take()
    const {socket} = connection
    const watch = watchSmall(connection, waits, host)
    const stop = (): void => void socket.destroy()
    const end = (): void => {
      watch.stop()
      signal.removeEventListener('abort', stop)
    }
    signal.addEventListener('abort', stop)
    connection.exchange(bytes, {
      onMove: watch.move,
      onAnswer(answer) {
        end()
        // What was answered before it was sent ends its connection.
        if (answer.isReusable && socket.writableLength === 0) connections.give(connection)
        else socket.destroy()
        resolve(answer)
      },
      onFailure(error) {
        end()
        reject(watch.failure() ?? error)
      },
    })
  })
}

/** Written as Node writes it, refusing what Node refuses. */
function joinRequest({method, path, headers}: Request, host: string, body: Buffer): Buffer {
  if (/[^\u0021-\u00FF]/u.test(path)) throw new TypeError('Request path contains unescaped characters')
  let head = `${method} ${path} HTTP/1.1\r\n`
  let hasHost = false
  for (const name in headers) {
    const value = headers[name] ?? ''
    validateHeaderName(name)
    validateHeaderValue(name, value)
    if (name.toLowerCase() === 'host') hasHost = true
    head += `${name}: ${value}\r\n`
  }
  if (!hasHost) head += `host: ${host}\r\n`
  head += `content-length: ${body.length}\r\nconnection: keep-alive\r\n\r\n`
  const bytes = Buffer.allocUnsafe(head.length + body.length)
  bytes.write(head, 0, 'latin1')
  body.copy(bytes, head.length)
  return bytes
}

/** The waits of a request that leaves in one write: for the connection, for the answer, and in the middle of it. */
function watchSmall(connection: QuickConnection, waits: Waits, host: string) {
  const {socket} = connection
  let failure: Failure | undefined
  let isOver = false
  let isAnswering = false
  let queued: number | undefined
  let timer: NodeJS.Timeout

  function fail(message: string): void {
    failure = new Failure('network', message, {retryable: true})
    socket.destroy(failure)
  }

  /** What the kernel swallowed at once can take long to leave: no answer can come before that. */
  async function checkAnswer(): Promise<void> {
    const before = queued
    queued = await readSendQueue(socket)
    if (isOver) return
    if (queued !== undefined && queued > 0 && queued !== before) wait()
    else fail(`${host} did not answer within ${formatDuration(waits.answer)}.`)
  }

  function wait(): void {
    timer = connection.isConnecting()
      ? setTimeout(
          () => fail(`${host} did not take the connection within ${formatDuration(waits.connect)}.`),
          waits.connect,
        )
      : isAnswering
        ? setTimeout(
            () => fail(`${host} stopped in the middle of its answer for ${formatDuration(waits.stall)}.`),
            waits.stall,
          )
        : setTimeout(() => void checkAnswer(), waits.answer)
  }
  let wasConnecting = connection.isConnecting()
  wait()

  return {
    move(): void {
      clearTimeout(timer)
      if (!wasConnecting) isAnswering = true
      wasConnecting = false
      wait()
    },
    stop(): void {
      isOver = true
      clearTimeout(timer)
    },
    failure: () => failure,
  }
}
