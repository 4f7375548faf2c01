import type http from 'node:http'
import type {Socket} from 'node:net'
import type {DetailedPeerCertificate, TLSSocket} from 'node:tls'
import type {Origin} from './origin.ts'
import {createAnswerReader} from './answer-reader.ts'
import type {AnswerReader, WholeAnswer} from './answer-reader.ts'
import {atEndOfTurn} from './turn.ts'

/** A connection that one small request after the other goes over. */
export interface Connection {
  readonly socket: Socket
  /** Returns so many bytes that the next exchange may send; the same ones each time. */
  scratch(size: number): Buffer
  /** Whether the process waits for it, as it does from the beginning. */
  hold(isHeld: boolean): void
  /** True until it stands, TLS included. */
  isConnecting(): boolean
  /**
   * Sends bytes and calls back once: with a whole answer, or with what the connection ended with. `onMove` hears of every
   * step on the way: that it stands, and bytes that came; and whether the answer has begun by then.
   */
  exchange(bytes: Buffer, listener: ExchangeListener): void
}

export interface ExchangeListener {
  onMove(hasBegun: boolean): void
  onAnswer(answer: WholeAnswer): void
  onFailure(error: Error): void
}

/** Connections to one origin, kept for the next request. */
export interface FreeConnections {
  take(): Connection
  /** Keeps a connection whose answer is read to its end; others are destroyed by who used them. */
  give(connection: Connection): void
  close(): void
}

const MOST_FREE = 256
/** After so much silence, in ms, the system asks whether the other end is there; Node's agents take the same. */
const PROBE = 1000
/** Heads differ by the length of a key. */
const SPARE = 1024
/** What is read at once. */
const WINDOW = 64 * 1024

/**
 * Made as the agent makes its own, with its trust. Not with its TLS sessions: in TLS 1.3 to take one up costs this side more
 * than a handshake, 1.0 ms and 0.7, and saves no way.
 */
export function createFreeConnections(agent: http.Agent, {isTls, hostname, port}: Origin): FreeConnections {
  const free: Connection[] = []
  const all = new Set<Socket>()
  const isName = !/^[\d.]+$|:/u.test(hostname)
  const connecting = agent as ConnectingAgent
  const options = {...connecting.options, host: hostname, port, ...(isTls && isName ? {servername: hostname} : {})}
  // All answers are read into it: by itself, Node takes such a one from the system for each.
  const buffer = Buffer.allocUnsafeSlow(WINDOW)

  function connect(): Connection {
    const connection = watchConnection(
      onBytes =>
        connecting.createConnection({
          ...options,
          onread: {
            buffer,
            callback(size: number) {
              onBytes(buffer.subarray(0, size))
              return true
            },
          },
        }),
      isTls,
    )
    const {socket} = connection
    if (isTls) readNamesOnly(socket as TLSSocket)
    // An agent probes what it keeps, and its options are not heard over TLS.
    socket.setNoDelay(true).setKeepAlive(true, PROBE)
    all.add(socket)
    socket.once('close', () => {
      all.delete(socket)
      const index = free.indexOf(connection)
      if (index >= 0) free.splice(index, 1)
      letGo()
    })
    return connection
  }

  /** What idles does not keep the process; that something is on its way does. */
  function letGo(): void {
    if (free.length === all.size) for (const connection of free) connection.hold(false)
  }

  return {
    take() {
      for (;;) {
        const connection = free.pop()
        if (connection === undefined) return connect()
        if (connection.socket.destroyed || !connection.socket.writable) continue
        connection.hold(true)
        return connection
      }
    },
    give(connection) {
      if (free.length >= MOST_FREE || connection.socket.destroyed) connection.socket.destroy()
      else {
        free.push(connection)
        letGo()
      }
    },
    close() {
      for (const socket of all) socket.destroy()
    },
  }
}

/**
 * Node compares the name of the server with that in its certificate, and reads for it all that stands above it, too: OpenSSL
 * decodes every key anew, 0.2 ms of a handshake with one certificate. Whether they vouch for each other has been verified by
 * then. What is left out is the issuer's certificate. `getPeerX509Certificate`, which would be quicker where no other
 * certificate stands above it, takes the chain out of the connection, and copies what stands above by decoding it again.
 */
function readNamesOnly(socket: TLSSocket): void {
  const read = socket.getPeerCertificate.bind(socket) as (isDetailed: boolean) => DetailedPeerCertificate
  socket.getPeerCertificate = () => read(false)
}

/** What the types of Node do not say of its own agents. */
type ConnectingAgent = http.Agent & {readonly options: object; createConnection(options: object): Socket}

/** The bytes are good for as long as the callback runs. */
type OpenSocket = (onBytes: (bytes: Buffer) => void) => Socket

function watchConnection(open: OpenSocket, isTls: boolean): Connection {
  const socket = open(takeBytes)
  let connecting = socket.connecting
  let listener: ExchangeListener | undefined
  let reader: AnswerReader | undefined
  let last: Error | undefined

  function end(run: (to: ExchangeListener) => void): void {
    const to = listener
    listener = undefined
    if (to !== undefined) run(to)
  }

  function takeBytes(bytes: Buffer): void {
    // What comes unasked would be taken for the next answer.
    if (listener === undefined || reader === undefined) {
      socket.destroy()
      return
    }
    try {
      const answer = reader.add(bytes)
      if (answer === undefined) listener.onMove(reader.hasBegun())
      else end(to => to.onAnswer(answer))
    } catch (error) {
      socket.destroy(error as Error)
    }
  }

  socket.once(isTls ? 'secureConnect' : 'connect', () => {
    connecting = false
    listener?.onMove(false)
  })
  socket.once('end', () => {
    const answer = reader?.end()
    if (answer !== undefined) end(to => to.onAnswer(answer))
  })
  socket.on('error', error => (last = error))
  socket.once('close', () => {
    end(to => to.onFailure(last ?? Object.assign(new Error('socket hang up'), {code: 'ECONNRESET'})))
  })

  let room: Buffer | undefined
  let held = true
  return {
    socket,
    hold(isHeld) {
      if (isHeld === held) return
      held = isHeld
      if (isHeld) socket.ref()
      else socket.unref()
    },
    scratch(size) {
      if (room === undefined || room.length < size) room = Buffer.allocUnsafeSlow(size + SPARE)
      return room.subarray(0, size)
    },
    isConnecting: () => connecting,
    exchange(bytes, to) {
      listener = to
      reader = createAnswerReader()
      // Together with others: each write alone finds the other end asleep, and to wake it up costs 11 µs of CPU.
      atEndOfTurn(() => socket.write(bytes))
    },
  }
}
