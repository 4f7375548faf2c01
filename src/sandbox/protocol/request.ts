import type {IncomingMessage} from 'node:http'
import {S3Error} from './errors.ts'
import {decodeUri, Query} from './uri.ts'

const MAX_KEY = 1024

/** Header names are lower case; values are bytes as latin1, as Node reads and writes them. */
export type Headers = ReadonlyMap<string, string>

/** What a request names, before anybody knows who sent it. */
export interface Address {
  readonly method: string
  /** The path as it was sent, percent-encoded. */
  readonly rawPath: string
  readonly query: Query
  readonly bucket: string
  /** Raw: dots, double slashes and all. */
  readonly key: string
}

// Never through `URL`: it folds `..` and `%2e%2e`, which would be another object.
/** Reads method, path and query; fails `InvalidURI` and `KeyTooLongError`. */
export function readAddress(request: IncomingMessage): Address {
  const target = (request.url ?? '').replace(/^https?:\/\/[^/?]*/iu, '')
  const mark = target.indexOf('?')
  const rawPath = (mark < 0 ? target : target.slice(0, mark)) || '/'
  if (!rawPath.startsWith('/')) throw new S3Error('InvalidURI')
  const slash = rawPath.indexOf('/', 1)
  const bucket = decodeUri(slash < 0 ? rawPath.slice(1) : rawPath.slice(1, slash))
  const key = slash < 0 ? '' : decodeUri(rawPath.slice(slash + 1))
  if (bucket === '' && rawPath !== '/') throw new S3Error('InvalidBucketName')
  checkKey(key)
  return {
    method: request.method ?? 'GET',
    rawPath,
    query: new Query(mark < 0 ? '' : target.slice(mark + 1)),
    bucket,
    key,
  }
}

export function checkKey(key: string): void {
  const size = Buffer.byteLength(key)
  if (size <= MAX_KEY) return
  throw new S3Error('KeyTooLongError', undefined, {Size: String(size), MaxSizeAllowed: String(MAX_KEY)})
}

// Node joins some repeated headers and drops others; a signature covers what was sent.
/** Reads the headers as they were sent; repeated ones are joined by a comma. */
export function readHeaders(request: IncomingMessage): Map<string, string> {
  const headers = new Map<string, string>()
  for (let at = 0; at + 1 < request.rawHeaders.length; at += 2) {
    const name = (request.rawHeaders[at] ?? '').toLowerCase()
    const value = request.rawHeaders[at + 1] ?? ''
    const known = headers.get(name)
    headers.set(name, known === undefined ? value : `${known},${value}`)
  }
  return headers
}

/** Turns text into the bytes-as-latin1 form of headers. */
export function toHeaderBytes(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1')
}

export function isHeaderName(name: string): boolean {
  return /^[\w!#$%&'*+.^`|~-]+$/u.test(name)
}

export function isHeaderValue(value: string): boolean {
  // oxlint-disable-next-line no-control-regex
  return !/[\u0000-\u0008\u000A-\u001F\u007F\u0100-\uFFFF]/u.test(value)
}
