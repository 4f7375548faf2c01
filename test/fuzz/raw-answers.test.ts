import {once} from 'node:events'
import http from 'node:http'
import net from 'node:net'
import type {AddressInfo} from 'node:net'
import {expect} from 'chai'
import * as fc from 'fast-check'
import {createAnswerReader} from '../../src/http/answer-reader.ts'
import {fuzz, fuzzAsync} from './fuzz.ts'
import {mutated} from './inputs.ts'

const HEAD = 'HTTP/1.1 200 OK\r\n'
const SAMPLES = [
  `${HEAD}ETag: "e"\r\nContent-Length: 3\r\n\r\nabc`,
  `${HEAD}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`,
  `${HEAD}Transfer-Encoding: chunked\r\nTrailer: X\r\n\r\nA;x="y"\r\n0123456789\r\n0\r\nX: y\r\n\r\n`,
  `${HEAD}Connection: close\r\n\r\nabc`,
  `HTTP/1.1 100 Continue\r\n\r\n${HEAD}Content-Length: 0\r\n\r\n`,
  'HTTP/1.1 204 No Content\r\nx-amz-id: 1\r\n\r\n',
  'HTTP/1.0 503 Slow Down\r\nRetry-After: 1\r\nVary: a\r\nVary: b\r\n\r\n<Error/>',
]
const WORDS = [
  '\r\n',
  '\n',
  '\r',
  ':',
  ' ',
  '\t',
  '0',
  '1',
  'Content-Length: 3\r\n',
  'Transfer-Encoding: chunked\r\n',
  ';',
  ',',
  '\u00FF',
]

interface Read {
  readonly status: number
  readonly text: string
  readonly etag: string | undefined
}

/** Reads it in pieces, to the end of the connection; undefined where it is not whole. */
function read(bytes: Buffer, cuts: readonly number[]): Read | string | undefined {
  const reader = createAnswerReader()
  const places = [0, ...cuts.map(cut => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  try {
    for (const [index, place] of places.slice(0, -1).entries()) {
      const piece = Buffer.from(bytes.subarray(place, places[index + 1]))
      const answer = piece.length === 0 ? undefined : reader.add(piece)
      // Their place is that of the next ones.
      piece.fill('x')
      if (answer !== undefined) return {status: answer.status, text: answer.text, etag: answer.headers.etag}
    }
    const answer = reader.end()
    return answer && {status: answer.status, text: answer.text, etag: answer.headers.etag}
  } catch (error) {
    const {code = ''} = error as {code?: string}
    if (code.startsWith('HPE_')) return code
    throw error
  }
}

/** Whole without its last byte, and not only because the connection ends there. */
function isWholeBefore(bytes: Buffer): boolean {
  return createAnswerReader().add(bytes.subarray(0, -1)) !== undefined
}

describe('fuzz: answers, byte by byte', function () {
  this.timeout(0)
  const anyAnswer = mutated(SAMPLES, WORDS).map(text => Buffer.from(text, 'latin1'))

  it('are the same however they are cut, or refused with a name', () => {
    fuzz(fc.tuple(anyAnswer, fc.array(fc.nat(), {maxLength: 6})), ([bytes, cuts]) => {
      const whole = read(bytes, [])
      const cut = read(bytes, cuts)
      // What is refused may be refused for what came first.
      if (typeof whole === 'string') expect(cut).to.be.a('string')
      else expect(cut).to.deep.equal(whole)
    })
  })

  it("that are taken mean the same to Node's own client", async () => {
    let next = Buffer.alloc(0)
    const server = net.createServer(socket => {
      socket.on('error', () => {})
      socket.once('data', () => socket.end(next))
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const {port} = server.address() as AddressInfo
    const ask = (): Promise<Read | undefined> =>
      new Promise(resolve => {
        const request = http.request({port, host: '127.0.0.1', method: 'PUT', agent: false}, async response => {
          const pieces: Buffer[] = []
          try {
            for await (const piece of response as AsyncIterable<Buffer>) pieces.push(piece)
            const text = Buffer.concat(pieces).toString('utf8')
            resolve({status: response.statusCode ?? 0, text, etag: response.headers.etag})
          } catch {
            resolve(undefined)
          }
        })
        request.on('error', () => resolve(undefined))
        request.end()
      })
    try {
      await fuzzAsync(anyAnswer, async bytes => {
        const ours = read(bytes, [])
        if (ours === undefined || typeof ours === 'string') return
        // What comes behind an answer ends its connection here, and is taken for the next one there.
        if (isWholeBefore(bytes)) return
        next = bytes
        expect(await ask()).to.deep.equal(ours)
      })
    } finally {
      server.close()
    }
  })
})
