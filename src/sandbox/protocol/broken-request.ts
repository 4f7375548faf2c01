import type {Duplex} from 'node:stream'
import {errorAnswer} from './answer.ts'
import {S3Error} from './errors.ts'

/** Answers what is no HTTP request, and ends its connection. */
export function refuseConnection(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const refusal = explain(error)
  const body = errorAnswer(refusal, '', '').body as string
  socket.end(
    `HTTP/1.1 ${refusal.status} Refused\r\nConnection: close\r\nContent-Type: application/xml\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  )
}

function explain(error: NodeJS.ErrnoException): S3Error {
  if (error.code === 'HPE_INVALID_EOF_STATE') return new S3Error('IncompleteBody')
  if (error.code === 'HPE_HEADER_OVERFLOW')
    return new S3Error('MaxMessageLengthExceeded', 'Your request headers are too big.')
  return new S3Error('BadRequest', 'An error occurred when parsing the HTTP request.')
}
