import {createServer} from 'node:net'

const HOST = '127.0.0.1'

/** Whether nothing listens on this port of the loopback now; somebody may take it the next moment. */
export async function isFreePort(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, HOST, () => server.close(() => resolve(true)))
  })
}

/** Below those of sandboxes, and of the range from which systems give out ports themselves. */
const OF_SERVERS = {from: 10_000, to: 20_000}
/** Above all these, so that whoever takes ports one by one never takes one of a row that was found free. */
export const OF_PROXIES = {from: 61_000, to: 65_500}

/** The first of `count` ports in a row that are free. */
export async function findFreePorts(count: number, {from, to} = OF_SERVERS): Promise<number> {
  for (;;) {
    const first = from + Math.floor(Math.random() * (to - from - count))
    const free = await Promise.all(Array.from({length: count}, (_, index) => isFreePort(first + index)))
    if (!free.includes(false)) return first
  }
}
