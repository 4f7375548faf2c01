import {createHash} from 'node:crypto'
import http, {type IncomingHttpHeaders} from 'node:http'
import type {AddressInfo} from 'node:net'
import {once} from 'node:events'

/** A request that came in whole. */
export interface PlainRequest {
  readonly method: string
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly rawHeaders: readonly string[]
  readonly size: number
  readonly md5: string
}

export interface PlainStore {
  readonly endpoint: string
  readonly port: number
  readonly requests: readonly PlainRequest[]
  /** URLs of requests that broke off. */
  readonly broken: readonly string[]
  until(condition: () => boolean): Promise<void>
  close(): Promise<void>
}

const completed =
  '<?xml version="1.0"?><CompleteMultipartUploadResult><ETag>"0123456789abcdef-2"</ETag>' +
  '<ChecksumCRC32>AAAAAA==</ChecksumCRC32></CompleteMultipartUploadResult>'

/** The least that a proxy can be tested with: it keeps nothing, remembers what it was sent, and answers like a store. */
export async function startPlainStore(): Promise<PlainStore> {
  const requests: PlainRequest[] = []
  const broken: string[] = []
  const waiting = new Set<() => void>()
  const server = http.createServer((request, response) => {
    const {method = '', url = '', headers, rawHeaders} = request
    const hash = createHash('md5')
    let size = 0
    request.on('data', (chunk: Buffer) => {
      hash.update(chunk)
      size += chunk.length
    })
    request.on('error', () => {
      broken.push(url)
      waiting.forEach(ask => ask())
    })
    request.on('end', () => {
      const md5 = hash.digest('hex')
      requests.push({method, url, headers, rawHeaders, size, md5})
      response.setHeader('ETag', `"${md5}"`).setHeader('x-amz-checksum-crc32', 'AAAAAA==')
      if (method === 'HEAD') response.setHeader('content-length', 12_345)
      response.end(method === 'GET' ? Buffer.alloc(100_000, 1) : method === 'POST' ? completed : undefined)
      waiting.forEach(ask => ask())
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const {port} = server.address() as AddressInfo
  return {
    endpoint: `http://127.0.0.1:${port}`,
    port,
    requests,
    broken,
    until: condition =>
      new Promise(resolve => {
        const ask = () => {
          if (!condition()) return
          waiting.delete(ask)
          resolve()
        }
        waiting.add(ask)
        ask()
      }),
    async close() {
      if (!server.listening) return
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}
