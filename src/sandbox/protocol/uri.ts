import {S3Error} from './errors.ts'

/** Undoes percent-encoding; fails `InvalidURI` where the bytes are no UTF-8. */
export function decodeUri(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll(/[\u0080-\u00FF]/gu, char => encodeByte(char.charCodeAt(0))))
  } catch {
    throw new S3Error('InvalidURI')
  }
}

function encodeByte(byte: number): string {
  return `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
}

/** Percent-encodes everything but the unreserved characters of RFC 3986, as SigV4 wants it. */
export function encodeUri(text: string): string {
  return encodeURIComponent(text).replaceAll(/[!'()*]/gu, char => encodeByte(char.charCodeAt(0)))
}

/** Percent-encodes a path: slashes stand as they are. */
export function encodePath(path: string): string {
  return encodeUri(path).replaceAll('%2F', '/')
}

/** The query of a request, decoded, in its own order. */
export class Query {
  readonly pairs: readonly (readonly [name: string, value: string])[]

  constructor(raw: string) {
    this.pairs = raw
      .split('&')
      .filter(pair => pair !== '')
      .map(pair => {
        const equals = pair.indexOf('=')
        const [name, value] = equals < 0 ? [pair, ''] : [pair.slice(0, equals), pair.slice(equals + 1)]
        return [decodeUri(name.replaceAll('+', ' ')), decodeUri(value.replaceAll('+', ' '))] as const
      })
  }

  get(name: string): string | undefined {
    return this.pairs.find(([each]) => each === name)?.[1]
  }

  has(name: string): boolean {
    return this.pairs.some(([each]) => each === name)
  }
}
