import {createServer} from 'node:net'
import type {AddressInfo, Socket} from 'node:net'

export interface HostileReply {
  readonly status: number
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: string
}

export interface HostileStore {
  readonly origin: string
  /** Says what every request is answered from now on; a function is asked with the head of each. */
  reply(reply: HostileReply | ((head: string) => HostileReply)): void
  close(): Promise<void>
}

/** A store that answers whatever it is told, bytes that Node's own server would refuse to write among them. */
export async function startHostileStore(): Promise<HostileStore> {
  let next: HostileReply | ((head: string) => HostileReply) = {status: 200, headers: [], body: ''}
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket)
    let seen = ''
    socket.setNoDelay(true)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    socket.on('data', piece => {
      seen += piece.toString('latin1')
      for (let end = seen.indexOf('\r\n\r\n'); end >= 0; end = seen.indexOf('\r\n\r\n')) {
        const head = seen.slice(0, end)
        const size = Number(/^content-length: *(\d+)/imu.exec(head)?.[1] ?? 0)
        if (seen.length < end + 4 + size) return
        seen = seen.slice(end + 4 + size)
        const reply = typeof next === 'function' ? next(head) : next
        socket.write(write(reply, head.startsWith('HEAD ')))
      }
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    reply(reply) {
      next = reply
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

function write({status, headers, body}: HostileReply, isHead: boolean): Buffer {
  const bytes = Buffer.from(body)
  const isBodyless = status === 204 || status === 304
  const lines = headers.map(
    ([name, value]) =>
      `${name}: ${Buffer.from(value)
        .toString('latin1')
        .replaceAll(/[\0\r\n]/gu, '')}`,
  )
  const length = isBodyless ? [] : [`content-length: ${bytes.length}`]
  const head = [`HTTP/1.1 ${status} Said`, ...length, ...lines, '', ''].join('\r\n')
  const isSent = !isHead && !isBodyless
  return Buffer.concat([Buffer.from(head, 'latin1'), isSent ? bytes : Buffer.alloc(0)])
}
