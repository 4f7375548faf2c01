import type {IncomingMessage} from 'node:http'
import {decodeChunks} from './aws-chunked.ts'
import {S3Error} from './errors.ts'
import type {Authentication} from './signature.ts'

/** The body of a request: nothing is read, and no `100 Continue` sent, before the first piece is asked for. */
export interface Payload {
  /** The size it says to have, decoded; absent when it says nothing. */
  readonly size: number | undefined
  /** Headers that come after the body; complete when the pieces have ended. */
  readonly trailers: ReadonlyMap<string, string>
  /** The hash that the body must have. */
  readonly sha256: string | undefined
  /** May be called once. Fails `IncompleteBody` when there is less than was said. */
  pieces(): AsyncGenerator<Buffer>
}

const STREAMING: Record<string, {signed: boolean; trailer: boolean}> = {
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD': {signed: true, trailer: false},
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER': {signed: true, trailer: true},
  'STREAMING-UNSIGNED-PAYLOAD-TRAILER': {signed: false, trailer: true},
}

export function openPayload(request: IncomingMessage, authentication: Authentication, start: () => void): Payload {
  const {headers, payloadHash, seed} = authentication
  const trailers = new Map<string, string>()
  const read = () => {
    start()
    return readBody(request)
  }
  const streaming = STREAMING[payloadHash]
  if (streaming !== undefined) {
    const size = readSize(headers.get('x-amz-decoded-content-length'))
    if (size === undefined) throw new S3Error('MissingContentLength')
    if (streaming.signed && seed === undefined) throw new S3Error('AccessDenied')
    const options = {size, trailers, withTrailer: streaming.trailer, ...(streaming.signed && seed ? {seed} : {})}
    return {size, trailers, sha256: undefined, pieces: () => decodeChunks(read(), options)}
  }
  const isHex = /^[\da-f]{64}$/u.test(payloadHash)
  if (!isHex && payloadHash !== 'UNSIGNED-PAYLOAD') {
    throw payloadHash.startsWith('STREAMING-')
      ? new S3Error('NotImplemented', `The sandbox does not read ${payloadHash} bodies.`)
      : new S3Error(
          'InvalidArgument',
          'x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD or a valid sha256 value.',
        )
  }
  return {
    size: readSize(headers.get('content-length')),
    trailers,
    sha256: isHex ? payloadHash : undefined,
    pieces: read,
  }
}

function readSize(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (!/^\d{1,15}$/u.test(text)) throw new S3Error('InvalidArgument', 'A length is not a number.')
  return Number(text)
}

async function* readBody(request: IncomingMessage): AsyncGenerator<Buffer> {
  try {
    // Leaving the loop early must not cut the connection: the refusal is still to be said on it.
    for await (const piece of request.iterator({destroyOnReturn: false})) yield piece as Buffer
  } catch {
    throw new S3Error('IncompleteBody')
  }
}
