import {Failure} from '../../core/failure.ts'
import type {GivenUrl} from './signed-url.ts'

/** A URL in pieces, none of them changed: `URL` folds dot segments into another object. */
export interface UrlPieces {
  readonly origin: string
  readonly scheme: string
  readonly host: string
  readonly path: string
  /** With its question mark; empty where there is none. */
  readonly query: string
  readonly parameters: URLSearchParams
  readonly headers: Readonly<Record<string, string>>
}

/** Fails `usage` for what was cut, copied or typed wrongly. */
export function cutUrl({url, headers = {}}: GivenUrl): UrlPieces {
  const text = url.trim()
  if (/[^\u0021-\u007E]/u.test(text)) {
    refuse('The URL has spaces or other characters that no URL has.', 'Copy it again, whole and on one line.')
  }
  const [, origin, scheme, host, path = '', query = ''] =
    /^((https?):\/\/([^/?#]+))([^?#]*)(\?[^#]*)?/iu.exec(text) ?? []
  if (origin === undefined || scheme === undefined || host === undefined || !URL.canParse(origin)) {
    return refuse('That is not a URL to upload with.', 'It begins with https:// and has a signature in it.')
  }
  if (host.includes('@')) return refuse('A URL with a password in it cannot be used.')
  if (query.includes('&amp;')) {
    return refuse('The URL was copied out of a web page: it has "&amp;" where "&" belongs.', 'Copy it as text.')
  }
  return {
    origin,
    scheme: scheme.toLowerCase(),
    host,
    path: path || '/',
    query,
    parameters: new URLSearchParams(query),
    headers: readHeaders(headers),
  }
}

// https://www.rfc-editor.org/rfc/rfc9110#name-fields
/** Fails `usage` for what cannot travel as a header. */
function readHeaders(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const isSound = ([name, value]: [string, string]): boolean =>
    /^[\w!#$%&'*+.^`|~-]+$/u.test(name) && /^[\t\u0020-\u007E]*$/u.test(value)
  const all = Object.entries(headers)
  if (!all.every(isSound)) refuse('A header that came with the URL cannot be sent.', HOW_TO_MAKE)
  return Object.fromEntries(all.map(([name, value]) => [name.toLowerCase(), value]))
}

export const HOW_TO_MAKE = 'Make one with: skylift temp-url TARGET -X PUT'

export function refuse(message: string, suggestion?: string): never {
  throw new Failure('usage', message, suggestion === undefined ? {} : {suggestion})
}

/** Decodes a path for people; what is no UTF-8 stays as it is. */
export function decodePath(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}
