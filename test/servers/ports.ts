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

/**
 * The first of `count` ports in a row that are free; below those of sandboxes, which begin at 20,000, and the range from
 * which systems give out ports themselves.
 */
export async function findFreePorts(count: number): Promise<number> {
  for (;;) {
    const first = 10_000 + Math.floor(Math.random() * (10_000 - count))
    const free = await Promise.all(Array.from({length: count}, (_, index) => isFreePort(first + index)))
    if (!free.includes(false)) return first
  }
}
