import {S3Error} from './errors.ts'

const MAX_FIELDS = 20 * 1024
const MAX_HEAD = 8 * 1024

export interface FilePart {
  readonly name: string
  readonly type: string | undefined
  /** To be read once, whole: what follows the file ends it. */
  pieces(): AsyncGenerator<Buffer>
}

/** Reads the boundary of a multipart/form-data Content-Type. */
export function readBoundary(contentType: string | undefined): string | undefined {
  const match = /^multipart\/form-data\s*;.*?\bboundary=(?:"([^"]{1,70})"|([^;\s"]{1,70}))/iu.exec(contentType ?? '')
  return match?.[1] ?? match?.[2]
}

// https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html: the file is the last field that counts.
/** Reads a browser's form up to its file; fields are named in lower case. Fails `MalformedPOSTRequest`. */
export async function readForm(
  source: AsyncGenerator<Buffer>,
  boundary: string,
): Promise<{fields: Map<string, string>; file: FilePart}> {
  const reader = new FormReader(source, boundary)
  const fields = new Map<string, string>()
  let size = 0
  await reader.skipPreamble()
  for (;;) {
    const head = await reader.readHead()
    const name = parameter(head, 'name')?.toLowerCase()
    if (name === undefined) throw new S3Error('MalformedPOSTRequest')
    if (name === 'file') {
      const filename = (parameter(head, 'filename') ?? '').replace(/^.*[/\\]/su, '')
      const type = /^content-type:\s*(.+)$/imu.exec(head)?.[1]?.trim()
      return {fields, file: {name: filename, type, pieces: () => reader.value()}}
    }
    const pieces: Buffer[] = []
    for await (const piece of reader.value()) {
      size += piece.length
      if (size > MAX_FIELDS) throw new S3Error('MaxPostPreDataLengthExceededError')
      pieces.push(piece)
    }
    fields.set(name, Buffer.concat(pieces).toString('utf8'))
  }
}

// Browsers escape a quote in a name as %22 and leave the rest as UTF-8.
function parameter(head: string, name: string): string | undefined {
  const line = /^content-disposition:\s*form-data\s*;(.*)$/imu.exec(head)?.[1] ?? ''
  const match = new RegExp(`(?:^|;)\\s*${name}=(?:"([^"]*)"|([^;\\s]+))`, 'iu').exec(line)
  return (match?.[1] ?? match?.[2])?.replaceAll('%22', '"')
}

class FormReader {
  readonly #source: AsyncGenerator<Buffer>
  readonly #delimiter: Buffer
  // The first boundary has no line before it; this gives it one.
  #rest: Buffer = Buffer.from('\r\n')

  constructor(source: AsyncGenerator<Buffer>, boundary: string) {
    this.#source = source
    this.#delimiter = Buffer.from(`\r\n--${boundary}`)
  }

  async skipPreamble(): Promise<void> {
    let size = 0
    for await (const piece of this.value()) {
      size += piece.length
      if (size > MAX_FIELDS) throw new S3Error('MalformedPOSTRequest')
    }
  }

  /** Reads the head of the next part; the last boundary means that the file is missing. */
  async readHead(): Promise<string> {
    while (this.#rest.length < 2) await this.#more()
    if (this.#rest.toString('latin1', 0, 2) === '--') {
      throw new S3Error('InvalidArgument', 'POST requires exactly one file upload per request.', {
        ArgumentName: 'file',
        ArgumentValue: '0',
      })
    }
    for (;;) {
      const end = this.#rest.indexOf('\r\n\r\n')
      if (end >= 0) {
        const head = this.#rest.toString('utf8', 0, end)
        this.#rest = this.#rest.subarray(end + 4)
        return head.trim()
      }
      if (this.#rest.length > MAX_HEAD) throw new S3Error('MalformedPOSTRequest')
      await this.#more()
    }
  }

  /** Yields what stands before the next boundary. */
  async *value(): AsyncGenerator<Buffer> {
    for (;;) {
      const found = this.#rest.indexOf(this.#delimiter)
      // The end may be the beginning of a boundary: it waits for what follows.
      const size = found >= 0 ? found : Math.max(0, this.#rest.length - this.#delimiter.length + 1)
      const piece = this.#rest.subarray(0, size)
      this.#rest = this.#rest.subarray(found >= 0 ? found + this.#delimiter.length : size)
      if (piece.length > 0) yield piece
      if (found >= 0) return
      await this.#more()
    }
  }

  async #more(): Promise<void> {
    const next = await this.#source.next()
    if (next.done === true) throw new S3Error('MalformedPOSTRequest')
    this.#rest = this.#rest.length === 0 ? next.value : Buffer.concat([this.#rest, next.value])
  }
}
