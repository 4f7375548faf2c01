import {expect} from 'chai'
import {createAnswerReader} from '../../src/http/answer-reader.ts'
import type {WholeAnswer} from '../../src/http/answer-reader.ts'

/** Reads an answer that comes in pieces; `undefined` while it is not whole. */
function read(...pieces: readonly string[]): WholeAnswer | undefined {
  const reader = createAnswerReader()
  let answer: WholeAnswer | undefined
  for (const piece of pieces) {
    const bytes = Buffer.from(piece, 'latin1')
    answer = reader.add(bytes)
    // Their place is that of the next ones.
    bytes.fill('x')
  }
  return answer
}

function codeOf(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    return (error as {code?: string}).code ?? (error as Error).message
  }
  return 'nothing failed'
}

const OK = 'HTTP/1.1 200 OK\r\n'

describe('reading an answer', () => {
  const answers: readonly (readonly [string, string, Partial<WholeAnswer>])[] = [
    ['with a length', `${OK}Content-Length: 3\r\n\r\nabc`, {status: 200, text: 'abc', isReusable: true}],
    ['without a body', 'HTTP/1.1 204 No Content\r\nETag: "x"\r\n\r\n', {status: 204, text: '', isReusable: true}],
    ['that is not modified', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n', {status: 304, text: ''}],
    ['without a reason', 'HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n', {status: 200, text: ''}],
    [
      'in chunks',
      `${OK}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n`,
      {text: 'abc0123456789'},
    ],
    [
      'with trailers',
      `${OK}Transfer-Encoding: Chunked\r\n\r\n1\r\na\r\n0\r\nX-A: b\r\n\r\n`,
      {text: 'a', isReusable: true},
    ],
    ['behind a Continue', `HTTP/1.1 100 Continue\r\n\r\n${OK}Content-Length: 1\r\n\r\na`, {status: 200, text: 'a'}],
    [
      'of a connection that ends',
      `${OK}Connection: close\r\nContent-Length: 1\r\n\r\na`,
      {text: 'a', isReusable: false},
    ],
    ['of HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na', {text: 'a', isReusable: false}],
    ['with more behind it', `${OK}Content-Length: 1\r\n\r\nab`, {text: 'a', isReusable: false}],
    ['in UTF-8', Buffer.from(`${OK}Content-Length: 4\r\n\r\n🚀`).toString('latin1'), {text: '🚀'}],
  ]
  for (const [what, bytes, expected] of answers) {
    it(`${what}, whole and byte by byte`, () => {
      expect(read(bytes)).to.deep.include(expected)
      // What comes behind an answer comes after it here.
      const size = what === 'with more behind it' ? bytes.length - 1 : bytes.length
      const all = bytes.slice(0, size).split('')
      expect(read(...all)).to.deep.include({...expected, ...(size < bytes.length ? {isReusable: true} : {})})
      for (let cut = 1; cut < size; cut++) expect(read(bytes.slice(0, cut)), `cut at ${cut}`).to.equal(undefined)
    })
  }

  it('keeps the headers as Node does: names in small letters, lists joined, of single ones the first', () => {
    const head = 'ETag: "a"\r\nEtag: "b"\r\nVary:  x \r\nvary: y\r\nX-Empty:\r\n__proto__: z\r\n'
    const {headers} = read(`${OK}Content-Length: 0\r\nContent-Length: 0\r\n${head}\r\n`) ?? {headers: {}}
    expect(headers).to.include({etag: '"a"', vary: 'x, y', 'x-empty': '', 'content-length': '0'})
    expect(Object.getPrototypeOf(headers)).to.equal(Object.prototype)
  })

  it('takes all to the end of the connection where no length is given', () => {
    const reader = createAnswerReader()
    expect(reader.add(Buffer.from(`${OK}\r\nab`))).to.equal(undefined)
    expect(reader.add(Buffer.from('c'))).to.equal(undefined)
    expect(reader.end()).to.include({text: 'abc', isReusable: false})
    const cut = createAnswerReader()
    cut.add(Buffer.from(`${OK}Content-Length: 4\r\n\r\nabc`))
    expect(cut.end()).to.equal(undefined)
  })

  const refused: readonly (readonly [string, string, string])[] = [
    ['what is no HTTP', 'SSH-2.0-OpenSSH_9.2\r\n\r\n', 'HPE_INVALID_CONSTANT'],
    ['it before it says more', 'SSH-2.0', 'HPE_INVALID_CONSTANT'],
    ['HTTP/2', 'HTTP/2.0 200 OK\r\n\r\n', 'HPE_INVALID_CONSTANT'],
    ['a change of protocols', 'HTTP/1.1 101 Switching Protocols\r\n\r\n', 'HPE_INVALID_STATUS'],
    ['two lengths', `${OK}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab`, 'HPE_UNEXPECTED_CONTENT_LENGTH'],
    [
      'a length and chunks',
      `${OK}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n`,
      'HPE_UNEXPECTED_CONTENT_LENGTH',
    ],
    ['a length below zero', `${OK}Content-Length: -1\r\n\r\n`, 'HPE_INVALID_CONTENT_LENGTH'],
    ['a length in hex', `${OK}Content-Length: 0x10\r\n\r\n`, 'HPE_INVALID_CONTENT_LENGTH'],
    ['another coding', `${OK}Transfer-Encoding: gzip, chunked\r\n\r\n`, 'HPE_INVALID_TRANSFER_ENCODING'],
    ['a chunk without a size', `${OK}Transfer-Encoding: chunked\r\n\r\nxyz\r\n`, 'HPE_INVALID_CHUNK_SIZE'],
    [
      'a size of a chunk without an end',
      `${OK}Transfer-Encoding: chunked\r\n\r\n1;${'x'.repeat(17_000)}`,
      'HPE_CHUNK_EXTENSIONS_OVERFLOW',
    ],
    [
      'trailers without an end',
      `${OK}Transfer-Encoding: chunked\r\n\r\n0\r\n${'X-A: b\r\n'.repeat(2200)}`,
      'HPE_HEADER_OVERFLOW',
    ],
    ['a chunk that is longer than it says', `${OK}Transfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n`, 'HPE_STRICT'],
    ['a folded header', `${OK}X-A: b\r\n c\r\n\r\n`, 'HPE_INVALID_HEADER_TOKEN'],
    ['a space before the colon', `${OK}Content-Length : 0\r\n\r\n`, 'HPE_INVALID_HEADER_TOKEN'],
    ['a line feed in a value', `${OK}X-A: b\nX-C: d\r\n\r\n`, 'HPE_INVALID_HEADER_TOKEN'],
    ['a head without an end', `${OK}X-A: ${'b'.repeat(17_000)}`, 'HPE_HEADER_OVERFLOW'],
  ]
  for (const [what, bytes, code] of refused) {
    it(`refuses ${what}`, () => expect(codeOf(() => read(bytes))).to.equal(code))
  }

  it('looks at each chunk once, however many there are', () => {
    const chunks = Buffer.from('1\r\na\r\n'.repeat(20_000))
    const {indexOf} = Buffer.prototype
    let looks = 0
    const reader = createAnswerReader()
    reader.add(Buffer.from(`${OK}Transfer-Encoding: chunked\r\n\r\n`))
    try {
      Buffer.prototype.indexOf = function (...words: Parameters<typeof indexOf>) {
        looks++
        return indexOf.apply(this, words)
      }
      for (let at = 0; at < chunks.length; at += 1000) reader.add(chunks.subarray(at, at + 1000))
    } finally {
      Buffer.prototype.indexOf = indexOf
    }
    expect(reader.add(Buffer.from('0\r\n\r\n'))?.text).to.equal('a'.repeat(20_000))
    expect(looks).to.be.within(20_000, 21_000)
  })

  it('refuses more than 16 MiB', () => {
    const reader = createAnswerReader()
    reader.add(Buffer.from(`${OK}Content-Length: 99999999\r\n\r\n`))
    expect(codeOf(() => reader.add(Buffer.alloc(17 * 1024 * 1024)))).to.contain('larger than 16 MiB')
    const chunked = createAnswerReader()
    chunked.add(Buffer.from(`${OK}Transfer-Encoding: chunked\r\n\r\n`))
    const chunk = Buffer.concat([Buffer.from('100000\r\n'), Buffer.alloc(1024 * 1024), Buffer.from('\r\n')])
    for (let count = 1; count < 16; count++) chunked.add(chunk)
    expect(codeOf(() => chunked.add(chunk))).to.contain('larger than 16 MiB')
  })
})
