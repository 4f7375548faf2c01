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

// https://docs.openstack.org/api-ref/object-store/#create-or-replace-object
/** Writes a value of metadata: percent-encoded where it is not plain ASCII, as Swift's documentation asks. */
export function encodeMetadata(value: string): string {
  return /^[\u0020-\u007E]*$/u.test(value) && !/%[\da-f]{2}/iu.test(value) ? value : encodeWord(value)
}

/** Reads a value that was encoded so, or stands there in raw UTF-8. */
export function decodeMetadata(value: string): string {
  const text = decodeHeader(value)
  try {
    return decodeURIComponent(text)
  } catch {
    // A percent sign that is one.
    return text
  }
}

/** Swift takes and gives headers in UTF-8; Node writes and reads each byte as one character. */
export function encodeHeader(value: string): string {
  return Buffer.from(value, 'utf8').toString('latin1')
}

export function decodeHeader(value: string): string {
  return Buffer.from(value, 'latin1').toString('utf8')
}
