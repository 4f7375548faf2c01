import {formatDuration} from '../core/durations.ts'
import {printable} from '../core/printable.ts'
import {formatSize} from '../core/sizes.ts'
import {formatTarget} from '../core/target.ts'
import type {SignedUrl} from '../stores/open.ts'
import {describeEnd} from './expiry.ts'

/** What a URL was signed for, on one line and without the signature. */
export function describeUrl(url: SignedUrl, now = Date.now()): string {
  const {target, expires} = url
  const end =
    expires === undefined ? 'it does not say how long it is good' : `until ${describeEnd(expires, formatDuration, now)}`
  const words = [
    `Upload ${target.takesName ? 'under' : 'to'} ${formatTarget(target)} by ${nameKind(url)}, ${end}`,
    ...describeDetails(url),
  ]
  return printable(`${words.join('; ')}. In one request: an upload that is cut starts over.`)
}

function nameKind(url: SignedUrl): string {
  if (url.kind === 's3') return `a presigned URL (S3${url.version === 2 ? ', signature version 2' : ''})`
  if (url.kind === 'form') return 'a form (S3 POST policy)'
  return url.isPrefix ? 'a temp URL (Swift) for all keys that start so' : 'a temp URL (Swift)'
}

function describeDetails(url: SignedUrl): string[] {
  if (url.kind === 's3') {
    const signed = url.signed.length > 0 ? [`signed with ${url.signed.join(', ')}`] : []
    return [...signed, ...(isGuessed(url) ? ['the content type is guessed (--content-type says it)'] : [])]
  }
  if (url.kind === 'swift') return url.ipRange === undefined ? [] : [`only from ${url.ipRange}`]
  const {min, max} = url
  const least = min > 0 ? `${formatSize(min)} to ` : 'at most '
  return max === Number.MAX_SAFE_INTEGER ? [] : [`${least}${formatSize(max)}`]
}

function isGuessed(url: SignedUrl & {kind: 's3'}): boolean {
  return url.signed.includes('content-type') && url.headers['content-type'] === undefined
}
