/** Percent-encodes all but the unreserved characters of RFC 3986. */
export function encodeWord(text: string): string {
  return encodeURIComponent(text).replaceAll(/[!'()*]/gu, char => `%${char.codePointAt(0)?.toString(16).toUpperCase()}`)
}

/** Encodes a path; slashes and dot segments stay as they are, since they are part of names. */
export function encodePath(path: string): string {
  return path.split('/').map(encodeWord).join('/')
}

/** Writes a query in the order given; a name without a value stands alone. */
export function encodeQuery(query: Readonly<Record<string, string>>): string {
  return Object.entries(query)
    .map(([name, value]) => (value === '' ? encodeWord(name) : `${encodeWord(name)}=${encodeWord(value)}`))
    .join('&')
}

/** Swift takes and gives headers in UTF-8; Node writes and reads each byte as one character. */
export function encodeHeader(value: string): string {
  return Buffer.from(value, 'utf8').toString('latin1')
}

export function decodeHeader(value: string): string {
  return Buffer.from(value, 'latin1').toString('utf8')
}
