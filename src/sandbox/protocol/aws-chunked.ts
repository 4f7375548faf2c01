import {createHash} from 'node:crypto'
import {S3Error} from './errors.ts'
import type {Authentication} from './signature.ts'
import {EMPTY_SHA256, isSameSignature, sha256, sign} from './signing.ts'

export interface ChunkedOptions {
  readonly size: number
  readonly withTrailer: boolean
  /** Filled while reading. */
  readonly trailers: Map<string, string>
  /** Present when every chunk is signed. */
  readonly seed?: NonNullable<Authentication['seed']>
}

const MAX_LINE = 16 * 1024

// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
/** Undoes the aws-chunked encoding, and checks the size, the signature of every chunk, and that of the trailer. */
export async function* decodeChunks(source: AsyncGenerator<Buffer>, options: ChunkedOptions): AsyncGenerator<Buffer> {
  const reader = new Reader(source)
  const {seed} = options
  let previous = seed?.signature ?? ''
  let total = 0
  for (;;) {
    const {size, signature} = parseChunkHead(await reader.line())
    total += size
    if (total > options.size) throw new S3Error('IncompleteBody')
    const hash = seed && createHash('sha256')
    for await (const piece of reader.take(size)) {
      hash?.update(piece)
      yield piece
    }
    if (seed && hash) {
      const {date, scope} = seed
      const text = ['AWS4-HMAC-SHA256-PAYLOAD', date, scope.text, previous, EMPTY_SHA256, hash.digest('hex')].join('\n')
      previous = sign(scope, text)
      if (!isSameSignature(previous, signature)) throw new S3Error('SignatureDoesNotMatch')
    }
    if (size === 0) break
    if ((await reader.line()) !== '') throw new S3Error('IncompleteBody')
  }
  if (total !== options.size) throw new S3Error('IncompleteBody')
  await readTrailers(reader, options, previous)
}

function parseChunkHead(line: string): {size: number; signature: string} {
  const match = /^([\da-f]{1,13})(?:;chunk-signature=([\da-f]{64}))?$/iu.exec(line)
  if (match === null) throw new S3Error('IncompleteBody', 'A chunk of the aws-chunked body has no valid head.')
  return {size: Number.parseInt(match[1] ?? '', 16), signature: match[2] ?? ''}
}

async function readTrailers(reader: Reader, options: ChunkedOptions, previous: string): Promise<void> {
  const {seed, trailers} = options
  let signature: string | undefined
  let canonical = ''
  for (let line = await reader.line(true); line !== ''; line = await reader.line(true)) {
    const colon = line.indexOf(':')
    const [name, value] = [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()]
    if (colon < 0 || trailers.size > 16)
      throw new S3Error('MalformedXML', 'A trailer of the aws-chunked body is malformed.')
    if (name === 'x-amz-trailer-signature') signature = value
    else {
      trailers.set(name, value)
      canonical += `${name}:${value}\n`
    }
  }
  await reader.end()
  if (seed && options.withTrailer) {
    const text = ['AWS4-HMAC-SHA256-TRAILER', seed.date, seed.scope.text, previous, sha256(canonical)].join('\n')
    if (!isSameSignature(sign(seed.scope, text), signature ?? '')) throw new S3Error('SignatureDoesNotMatch')
  }
}

class Reader {
  readonly #source: AsyncGenerator<Buffer>
  #rest: Buffer = Buffer.alloc(0)

  constructor(source: AsyncGenerator<Buffer>) {
    this.#source = source
  }

  /** Returns the next line without its end; an empty one at the end of the body where that is allowed. */
  async line(atEnd = false): Promise<string> {
    for (;;) {
      const end = this.#rest.indexOf('\r\n')
      if (end >= 0) {
        const line = this.#rest.toString('latin1', 0, end)
        this.#rest = this.#rest.subarray(end + 2)
        return line
      }
      if (this.#rest.length > MAX_LINE)
        throw new S3Error('IncompleteBody', 'A line of the aws-chunked body is too long.')
      if (await this.#more()) continue
      if (atEnd && this.#rest.length === 0) return ''
      throw new S3Error('IncompleteBody')
    }
  }

  async *take(size: number): AsyncGenerator<Buffer> {
    for (let left = size; left > 0;) {
      if (this.#rest.length === 0 && !(await this.#more())) throw new S3Error('IncompleteBody')
      const piece = this.#rest.subarray(0, left)
      this.#rest = this.#rest.subarray(piece.length)
      left -= piece.length
      yield piece
    }
  }

  /** Fails when anything follows. */
  async end(): Promise<void> {
    while (this.#rest.length === 0) if (!(await this.#more())) return
    throw new S3Error('IncompleteBody', 'Something follows the end of the aws-chunked body.')
  }

  async #more(): Promise<boolean> {
    const next = await this.#source.next()
    if (next.done === true) return false
    this.#rest = this.#rest.length === 0 ? next.value : Buffer.concat([this.#rest, next.value])
    return true
  }
}
