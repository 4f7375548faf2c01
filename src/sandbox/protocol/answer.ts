import type {ServerResponse} from 'node:http'
import {once} from 'node:events'
import type {S3Error} from './errors.ts'
import {writeXml} from './xml-write.ts'
import type {XmlField} from './xml-write.ts'

/** Bytes that an answer streams; `close` is called once, however it ends. */
export interface Download {
  readonly size: number
  pieces(): AsyncIterable<Buffer>
  close(): void
}

export interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Download
}

export function xmlAnswer(
  root: string,
  fields: readonly (XmlField | undefined)[],
  headers: Readonly<Record<string, string>> = {},
): Answer {
  return {status: 200, headers: {'content-type': 'application/xml', ...headers}, body: writeXml(root, fields)}
}

export function errorAnswer(error: S3Error, path: string, requestId: string): Answer {
  const fields: XmlField[] = [
    ['Code', error.code],
    ['Message', error.message],
    ...Object.entries(error.details),
    ['Resource', path],
    ['RequestId', requestId],
  ]
  return {status: error.status, headers: {'content-type': 'application/xml'}, body: writeXml('Error', fields)}
}

/** Writes the head and all bytes, and leaves the end to the caller. A HEAD gets no body. */
export async function writeAnswer(response: ServerResponse, answer: Answer, isHead: boolean): Promise<void> {
  const {status, headers = {}, body} = answer
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
  const bytes = typeof body === 'string' ? Buffer.from(body) : undefined
  const size = bytes?.length ?? (body as Download | undefined)?.size ?? 0
  const bodyless = status === 204 || status === 304
  if (!bodyless && !response.hasHeader('content-length')) response.setHeader('content-length', size)
  response.writeHead(status)
  if (isHead || bodyless) {
    if (typeof body === 'object') body.close()
    response.flushHeaders()
  } else if (typeof body === 'object') await stream(response, body)
  else if (bytes !== undefined && bytes.length > 0) response.write(bytes)
  else response.flushHeaders()
}

async function stream(response: ServerResponse, download: Download): Promise<void> {
  const gone = new AbortController()
  const leave = () => {
    gone.abort()
  }
  // The socket's close: an answer that waits for its turn behind another one never hears of its own.
  const {socket} = response.req
  socket.once('close', leave)
  try {
    for await (const piece of download.pieces()) {
      if (response.destroyed || socket.destroyed) return
      if (!response.write(piece)) await once(response, 'drain', {signal: gone.signal})
    }
  } catch {
    // The head is out: cutting the connection is the only way left to say that this is not all of it.
    response.destroy()
    socket.destroy()
  } finally {
    socket.off('close', leave)
    download.close()
  }
}
