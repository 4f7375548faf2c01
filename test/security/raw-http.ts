import {connect} from 'node:net'

/** Writes bytes as they stand to a server of this machine, and returns all that comes back until the connection ends. */
export async function speak(port: number, bytes: string, {end = false} = {}): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  let answer = ''
  socket.on('data', (piece: Buffer) => (answer += piece.toString('latin1')))
  // The server may cut what it refuses.
  socket.on('error', () => {})
  socket.write(Buffer.from(bytes, 'latin1'))
  if (end) socket.end()
  await new Promise(resolve => socket.once('close', resolve))
  return answer
}

/** Returns the statuses of all answers that came over one connection. */
export function statusesOf(answer: string): number[] {
  return [...answer.matchAll(/HTTP\/1\.1 (\d{3}) /gu)].map(([, status]) => Number(status))
}

export interface Trick {
  readonly name: string
  /** What stands between the request line with its host and the empty line. */
  readonly headers?: readonly string[]
  readonly body?: string
}

/** What makes two servers disagree on where a request ends. Behind each comes a second request that nobody sent. */
export const SMUGGLING: readonly Trick[] = [
  {name: 'two lengths', headers: ['Content-Length: 3', 'Content-Length: 30'], body: 'abc'},
  {name: 'two lengths in one', headers: ['Content-Length: 3, 30'], body: 'abc'},
  {name: 'a length and chunks', headers: ['Content-Length: 3', 'Transfer-Encoding: chunked'], body: '0\r\n\r\n'},
  {name: 'chunks and a length', headers: ['Transfer-Encoding: chunked', 'Content-Length: 3'], body: '0\r\n\r\n'},
  {name: 'chunks that are not last', headers: ['Transfer-Encoding: chunked, identity'], body: '0\r\n\r\n'},
  {name: 'an encoding that nobody knows', headers: ['Transfer-Encoding: xchunked'], body: '0\r\n\r\n'},
  {name: 'a folded header', headers: ['Transfer-Encoding:', ' chunked', 'Content-Length: 3'], body: '0\r\n\r\n'},
  {name: 'a blank before the colon', headers: ['Transfer-Encoding : chunked'], body: '0\r\n\r\n'},
  {name: 'a control in a name', headers: ['Transfer\x0B-Encoding: chunked'], body: '0\r\n\r\n'},
  {name: 'a bare line feed', headers: ['X: y\nTransfer-Encoding: chunked', 'Content-Length: 3'], body: '0\r\n\r\n'},
  {name: 'a bare carriage return', headers: ['X: y\rContent-Length: 3'], body: 'abc'},
  {name: 'a zero byte in a header', headers: ['X: a\0b'], body: ''},
  {name: 'a length below zero', headers: ['Content-Length: -1'], body: ''},
  {name: 'a length with a sign', headers: ['Content-Length: +3'], body: 'abc'},
  {name: 'a length in hex', headers: ['Content-Length: 0x3'], body: 'abc'},
  {name: 'a length beyond all numbers', headers: [`Content-Length: ${'9'.repeat(30)}`], body: ''},
  {name: 'a chunk of a size that is none', headers: ['Transfer-Encoding: chunked'], body: 'zz\r\n\r\n'},
  {
    name: 'a chunk of a size beyond all numbers',
    headers: ['Transfer-Encoding: chunked'],
    body: `${'f'.repeat(20)}\r\n`,
  },
  {name: 'a chunk with a bare line feed', headers: ['Transfer-Encoding: chunked'], body: '3\nabc\r\n0\r\n\r\n'},
]
