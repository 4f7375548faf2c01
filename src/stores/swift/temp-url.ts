import {createHmac} from 'node:crypto'
import type {TempUrlDigest, TempUrlMethod} from '../store.ts'
import {encodePath, encodeWord} from './encode.ts'

export interface Unsigned {
  readonly method: TempUrlMethod
  /** Scheme, host and port. */
  readonly origin: string
  /** Raw, never percent-encoded: `/v1/AUTH_test/container/key`. */
  readonly path: string
  /** Seconds since 1970. */
  readonly expires: number
  /** Raw; for every object whose key starts so. */
  readonly prefix?: string
  readonly ipRange?: string
  /** Beside the signature, and not covered by it. */
  readonly filename?: string
  readonly isInline?: boolean
}

// https://docs.openstack.org/swift/latest/api/temporary_url_middleware.html
/** Returns a temp URL, as the `swift tempurl` of python-swiftclient signs it. */
export function signTempUrl(unsigned: Unsigned, key: string, digest: TempUrlDigest): string {
  const {origin, path, expires, prefix, ipRange, filename, isInline} = unsigned
  const query: (readonly [name: string, value: string | undefined])[] = [
    ['temp_url_sig', signature(unsigned, key, digest)],
    ['temp_url_expires', String(expires)],
    ['temp_url_ip_range', ipRange],
    ['temp_url_prefix', prefix],
    ['filename', filename],
  ]
  const words = query.flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${encodeWord(value)}`]))
  return `${origin}${encodePath(path)}?${[...words, ...(isInline === true ? ['inline'] : [])].join('&')}`
}

function signature({method, path, expires, prefix, ipRange}: Unsigned, key: string, digest: TempUrlDigest): string {
  const lines = [
    ...(ipRange === undefined ? [] : [`ip=${ipRange}`]),
    method,
    String(expires),
    `${prefix === undefined ? '' : 'prefix:'}${path}`,
  ]
  const mac = createHmac(digest, key).update(lines.join('\n'), 'utf8')
  // 128 digits are long for a URL.
  return digest === 'sha512' ? `sha512:${mac.digest('base64url')}` : mac.digest('hex')
}
