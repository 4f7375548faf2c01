import type {SwiftUrl} from './signed-url.ts'
import type {UrlPieces} from './cut-url.ts'
import {decodePath, refuse} from './cut-url.ts'

// https://docs.openstack.org/swift/latest/api/temporary_url_middleware.html
/** Reads a temp URL of Swift. One for a prefix takes the file's own name where it names no object of its own. */
export function readSwift({origin, scheme, host, path, query, parameters, headers}: UrlPieces): SwiftUrl {
  const prefix = parameters.get('temp_url_prefix') ?? undefined
  const ipRange = parameters.get('temp_url_ip_range') ?? undefined
  const key = decodePath(path.slice(1))
  if (prefix !== undefined && !`/${key}`.includes(`/${prefix}`)) {
    refuse(
      'The URL was changed: its path does not begin with its prefix.',
      'Ask for it again, and change nothing of it but what comes after the prefix.',
    )
  }
  const takesName = prefix !== undefined && (key.endsWith('/') || `/${key}`.endsWith(`/${prefix}`))
  // /v1/ACCOUNT/CONTAINER/KEY
  if (!(takesName ? /^\/[^/]+\/[^/]+\/./u : /^\/[^/]+\/[^/]+\/[^/]+\/./u).test(path)) {
    refuse('The URL names no object.', 'Make one with: skylift temp-url swift://CONTAINER/KEY -X PUT')
  }
  const expires = readEnd(parameters.get('temp_url_expires') ?? '')
  return {
    kind: 'swift',
    origin,
    path,
    query,
    target: {remote: scheme, container: host, key, takesName},
    isPrefix: prefix !== undefined,
    headers,
    ...(expires === undefined ? {} : {expires}),
    ...(ipRange === undefined ? {} : {ipRange}),
  }
}

/** Seconds since 1970, or ISO 8601. */
function readEnd(text: string): Date | undefined {
  const end = new Date(/^\d+$/u.test(text) ? Number(text) * 1000 : text)
  // No date reaches beyond the year 275760.
  return Number.isNaN(end.getTime()) ? undefined : end
}
