import net, {type AddressInfo, type Socket} from 'node:net'
import {once} from 'node:events'
import {carry, createLink} from './shaped-link.ts'
import {reset} from './reset.ts'

/** Bytes a second. */
export type Rates = number | {readonly up?: number; readonly down?: number}

export interface ShapingProxyOptions {
  /** The port on this machine. */
  readonly upstream: number
  /** Milliseconds each way, so half the round trip. The TCP handshake itself is not delayed. */
  readonly delay?: number
  /** Of all connections together, in each direction or as given. */
  readonly rate?: Rates
  readonly ratePerConnection?: Rates
  /** After `bytes` ± `jitter` bytes up (all connections together), the connection that carries the next is reset. */
  readonly cutEvery?: {readonly bytes: number; readonly jitter?: number}
}

export interface ShapingProxy {
  readonly endpoint: string
  readonly port: number
  /** Bytes delivered. */
  readonly bytes: {readonly up: number; readonly down: number}
  /** Bytes read here and not yet delivered, now. */
  readonly held: number
  readonly maxConnections: number
  readonly totalConnections: number
  readonly cuts: number
  close(): Promise<void>
}

/**
 * A slow, distant or torn network in user space; what is inside (TLS, HTTP) does not matter. It holds back what the
 * link could not hold: the bandwidth-delay product and 256 KiB a connection at most, then the sender has to wait.
 */
export async function startShapingProxy(options: ShapingProxyOptions): Promise<ShapingProxy> {
  const {delay = 0, cutEvery} = options
  const sockets = new Set<Socket>()
  const clients = new Set<Socket>()
  const bytes = {up: 0, down: 0}
  const counts = {held: 0, maxConnections: 0, totalConnections: 0, cuts: 0}
  const shared = {up: createLink(rateOf(options.rate, 'up')), down: createLink(rateOf(options.rate, 'down'))}
  let untilCut = nextCut()

  function nextCut(): number {
    return cutEvery ? cutEvery.bytes + (Math.random() * 2 - 1) * (cutEvery.jitter ?? 0) : Infinity
  }

  const server = net.createServer({noDelay: true, allowHalfOpen: true}, client => {
    const store = net.connect({port: options.upstream, host: '127.0.0.1', noDelay: true, allowHalfOpen: true})
    const both = [client, store]
    counts.totalConnections++
    clients.add(client)
    counts.maxConnections = Math.max(counts.maxConnections, clients.size)
    client.on('close', () => clients.delete(client))
    for (const socket of both) {
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket))
      // One side's reset is the other's.
      socket.on('error', cut)
    }

    function cut(): void {
      // Not at its `close`: Node tells that so late that the connection which replaces this one may be here before.
      clients.delete(client)
      both.forEach(each => reset(each))
    }

    for (const way of ['up', 'down'] as const) {
      const links = [createLink(rateOf(options.ratePerConnection, way)), shared[way]]
      const [from, to] = way === 'up' ? [client, store] : [store, client]
      carry(
        from,
        to,
        {links, delay},
        {
          read: size => {
            counts.held += size
          },
          dropped: size => {
            counts.held -= size
          },
          delivered: size => {
            counts.held -= size
            bytes[way] += size
            if (way === 'down' || (untilCut -= size) > 0) return
            untilCut = nextCut()
            counts.cuts++
            cut()
          },
        },
      )
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const {port} = server.address() as AddressInfo

  return Object.defineProperties(
    {
      port,
      endpoint: `http://127.0.0.1:${port}`,
      bytes,
      async close() {
        const closed = once(server, 'close')
        server.close()
        sockets.forEach(socket => reset(socket))
        await closed
      },
    },
    Object.fromEntries(Object.keys(counts).map(name => [name, {get: () => counts[name as keyof typeof counts]}])),
  ) as ShapingProxy
}

function rateOf(rates: Rates | undefined, way: 'up' | 'down'): number {
  return (typeof rates === 'number' ? rates : rates?.[way]) ?? Infinity
}
