import type {IncomingHttpHeaders} from 'node:http'

/** A whole answer to one request. */
export interface WholeAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  /** The connection may be used for another request. */
  readonly isReusable: boolean
}

/** Takes the bytes of a connection until one answer is there. */
export interface AnswerReader {
  /**
   * Returns the answer once it is whole; nothing of the bytes is held. Fails with an `HPE_` code, as Node's own parser, for
   * what is not HTTP/1.1.
   */
  add(bytes: Buffer): WholeAnswer | undefined
  /** True once its head is there. */
  hasBegun(): boolean
  /** The connection ended: returns an answer whose end is that of the connection, undefined where it was cut. */
  end(): WholeAnswer | undefined
}

/** As much as Node takes. */
const LARGEST_HEAD = 16 * 1024
/** An error answer or the end of a PUT; nothing larger is collected. */
const LARGEST_TEXT = 16 * 1024 * 1024

const BEGINNING = 'HTTP/1.'
const STATUS = /^HTTP\/1\.(?<minor>[01]) (?<status>[1-9]\d\d)(?: [\t -~\u0080-\u00FF]*)?$/u
const NAME = /^[\w!#$%&'*+.^`|~-]+$/u
const VALUE = /^[\t -~\u0080-\u00FF]*$/u
const LENGTH = /^\d{1,15}$/u
const CHUNK = /^(?<size>[\da-f]{1,8})[\t ]*(?:;[\t -~\u0080-\u00FF]*)?$/iu
/** Of these the first counts, where others are joined by commas; so it is with Node. */
const SINGLE = new Set(
  'age authorization content-length content-type etag expires from host if-modified-since if-unmodified-since last-modified location max-forwards proxy-authorization referer retry-after server user-agent'.split(
    ' ',
  ),
)

interface Head {
  readonly status: number
  readonly headers: Record<string, string>
  readonly keepsAlive: boolean
  /** How the end of the body is found; a number is its length. */
  readonly framing: number | 'chunked' | 'close'
}

/**
 * Reads one answer to a request that is no HEAD, strictly: what could be understood in two ways is refused.
 * https://www.rfc-editor.org/rfc/rfc9112#section-6.3
 */
export function createAnswerReader(): AnswerReader {
  let rest: Buffer | undefined
  let head: Head | undefined
  let chunks: Chunks | undefined
  /** Bytes of the body that are not kept any more. */
  let taken = 0

  function tryRead(bytes: Buffer): WholeAnswer | undefined {
    let at = 0
    while (head === undefined) {
      const end = bytes.indexOf('\r\n\r\n', at, 'latin1')
      if ((end < 0 ? bytes.length : end) - at > LARGEST_HEAD) throw malformed('HPE_HEADER_OVERFLOW')
      if (end < 0) {
        rest = bytes.subarray(at)
        // A server of another kind may never say more.
        if (!BEGINNING.startsWith(rest.toString('latin1', 0, BEGINNING.length))) throw malformed('HPE_INVALID_CONSTANT')
        return undefined
      }
      const found = readHead(bytes.toString('latin1', at, end))
      at = end + 4
      // 100 Continue and the like say nothing yet.
      if (found.status >= 200) head = found
      else if (found.status === 101) throw malformed('HPE_INVALID_STATUS')
    }
    const body = at === 0 ? bytes : bytes.subarray(at)
    if (taken + body.length > LARGEST_TEXT) throw new Error('the answer is larger than 16 MiB')
    if (head.framing === 'chunked') return readChunks(head, body)
    const whole = readBody(head, body)
    if (whole === undefined) rest = body
    return whole
  }

  function readChunks({status, headers, keepsAlive}: Head, body: Buffer): WholeAnswer | undefined {
    chunks ??= createChunks()
    const end = chunks.take(body)
    taken += end
    rest = body.subarray(end)
    if (!chunks.isWhole()) return undefined
    return {status, headers, text: chunks.text(), isReusable: keepsAlive && rest.length === 0}
  }

  return {
    add(bytes) {
      const joined = rest === undefined || rest.length === 0 ? undefined : Buffer.concat([rest, bytes])
      const answer = tryRead(joined ?? bytes)
      if (answer === undefined && joined === undefined && rest !== undefined) rest = Buffer.from(rest)
      return answer
    },
    hasBegun: () => head !== undefined,
    end() {
      if (head?.framing !== 'close') return undefined
      return {...head, text: rest?.toString('utf8') ?? '', isReusable: false}
    },
  }
}

function readBody(head: Head, body: Buffer): WholeAnswer | undefined {
  const {status, headers, keepsAlive, framing} = head
  if (typeof framing !== 'number' || body.length < framing) return undefined
  const text = framing === 0 ? '' : body.toString('utf8', 0, framing)
  // Bytes that nobody asked for would be taken for the next answer.
  return {status, headers, text, isReusable: keepsAlive && body.length === framing}
}

function readHead(text: string): Head {
  const lines = text.split('\r\n')
  const {minor, status: digits} = STATUS.exec(lines[0] ?? '')?.groups ?? {}
  if (digits === undefined) throw malformed('HPE_INVALID_CONSTANT')
  const headers: Record<string, string> = {}
  for (let index = 1; index < lines.length; index++) addHeader(headers, lines[index] ?? '')
  const status = Number(digits)
  const connection = headers['connection']?.toLowerCase() ?? ''
  const keepsAlive = minor === '1' ? !connection.includes('close') : connection.includes('keep-alive')
  return {status, headers, keepsAlive, framing: findFraming(status, headers)}
}

function addHeader(headers: Record<string, string>, line: string): void {
  const colon = line.indexOf(':')
  const name = line.slice(0, Math.max(0, colon)).toLowerCase()
  const value = cutBlanks(line.slice(colon + (line[colon + 1] === ' ' ? 2 : 1)))
  if (!NAME.test(name) || !VALUE.test(value)) throw malformed('HPE_INVALID_HEADER_TOKEN')
  const known = Object.hasOwn(headers, name) ? headers[name] : undefined
  if (known === undefined) headers[name] = value
  else if (name === 'content-length' && known !== value) throw malformed('HPE_UNEXPECTED_CONTENT_LENGTH')
  else if (!SINGLE.has(name)) headers[name] = `${known}, ${value}`
}

/** Not `trim`, which takes more than HTTP's white space. Most values have no more of it than the one blank before them. */
function cutBlanks(value: string): string {
  return /^[\t ]|[\t ]$/u.test(value) ? value.replaceAll(/^[\t ]+|[\t ]+$/gu, '') : value
}

function findFraming(status: number, headers: Record<string, string>): Head['framing'] {
  const {'content-length': length, 'transfer-encoding': coding} = headers
  if (coding !== undefined && length !== undefined) throw malformed('HPE_UNEXPECTED_CONTENT_LENGTH')
  if (status < 200 || status === 204 || status === 304) return 0
  if (coding !== undefined) {
    if (coding.toLowerCase() !== 'chunked') throw malformed('HPE_INVALID_TRANSFER_ENCODING')
    return 'chunked'
  }
  if (length === undefined) return 'close'
  if (!LENGTH.test(length)) throw malformed('HPE_INVALID_CONTENT_LENGTH')
  return Number(length)
}

/** Puts a body of chunks together; each is looked at once, since a hostile store may send millions. */
interface Chunks {
  /** Returns how far it got: up to a chunk that is not whole yet, or behind the last and its trailers. */
  take(body: Buffer): number
  isWhole(): boolean
  text(): string
}

function createChunks(): Chunks {
  const pieces: Buffer[] = []
  let isWhole = false
  return {
    take(body) {
      const found: Buffer[] = []
      let at = 0
      while (!isWhole) {
        const chunk = readChunk(body, at)
        if (chunk === undefined) break
        found.push(chunk.data)
        isWhole = chunk.isLast
        at = chunk.end
      }
      pieces.push(Buffer.concat(found))
      return at
    },
    isWhole: () => isWhole,
    text: () => Buffer.concat(pieces).toString('utf8'),
  }
}

interface Chunk {
  readonly data: Buffer
  readonly end: number
  readonly isLast: boolean
}

/** Undefined until it is whole. */
function readChunk(body: Buffer, start: number): Chunk | undefined {
  const end = body.indexOf('\r\n', start, 'latin1')
  if ((end < 0 ? body.length : end) - start > LARGEST_HEAD) throw malformed('HPE_CHUNK_EXTENSIONS_OVERFLOW')
  if (end < 0) return undefined
  const digits = CHUNK.exec(body.toString('latin1', start, end))?.groups?.['size']
  if (digits === undefined) throw malformed('HPE_INVALID_CHUNK_SIZE')
  const size = Number.parseInt(digits, 16)
  const at = end + 2
  const data = body.subarray(at, at + size)
  if (size === 0) {
    const last = findTrailersEnd(body, at)
    return last === undefined ? undefined : {data, end: last, isLast: true}
  }
  const after = at + size + 2
  if (body.length < after) return undefined
  if (body.toString('latin1', at + size, after) !== '\r\n') throw malformed('HPE_STRICT')
  return {data, end: after, isLast: false}
}

/** Trailers are read over; undefined until they are whole. */
function findTrailersEnd(body: Buffer, start: number): number | undefined {
  for (let at = start; ;) {
    const end = body.indexOf('\r\n', at, 'latin1')
    if ((end < 0 ? body.length : end) - start > LARGEST_HEAD) throw malformed('HPE_HEADER_OVERFLOW')
    if (end < 0) return undefined
    if (end === at) return at + 2
    addHeader({}, body.toString('latin1', at, end))
    at = end + 2
  }
}

function malformed(code: string): Error {
  return Object.assign(new Error('no answer in HTTP/1.1'), {code})
}
