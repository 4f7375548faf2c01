import {formatDuration} from '../../core/durations.ts'
import {Failure} from '../../core/failure.ts'
import {formatSize} from '../../core/sizes.ts'
import {objectHeaders as swiftHeaders} from '../swift/object-headers.ts'
import type {ObjectOptions, Target} from '../store.ts'
import {formFields} from './form-fields.ts'
import {refuse} from './cut-url.ts'
import {s3Headers} from './s3-headers.ts'
import type {SignedUrl} from './signed-url.ts'

/** Fails `expired` for a URL that has ended by the clock given. */
export function checkTime({expires}: SignedUrl, now: number): void {
  if (expires === undefined || now < expires.getTime()) return
  const ago = formatDuration(Math.max(1000, now - expires.getTime()))
  throw new Failure('expired', `The URL has expired: it ended ${ago} ago, at ${expires.toISOString()}.`, {
    suggestion: "Ask whoever made it for a new one. If it should be good still, set this machine's clock.",
  })
}

/** Fails `usage` or `unsupported` for what the URL cannot carry, before anything is read or sent. */
export function checkOptions(url: SignedUrl, options: ObjectOptions): void {
  if (url.kind === 's3') s3Headers(url, options)
  else if (url.kind === 'form') formFields(url, options)
  else swiftHeaders(options)
}

/** Fails `usage` for another place than the URL's own. */
export function checkTarget({target: own}: SignedUrl, {container, key}: Target): void {
  const isOwn = own.takesName ? key.startsWith(own.key) && key.length > own.key.length : key === own.key
  if (container !== own.container || !isOwn) refuse('The URL is for another object, and for nothing else.')
}

/** Fails for a body that the URL was not signed for. */
export function checkSize(url: SignedUrl, size: number): void {
  if (url.kind === 'form') {
    const {min, max} = url
    if (size > max) {
      throw new Failure('too-large', `The form takes at most ${formatSize(max)}, and this is ${formatSize(size)}.`, {
        suggestion: 'Ask for one with a larger --max-size.',
      })
    }
    if (size < min) refuse(`The form takes at least ${formatSize(min)} (${min} B), and this is ${size} B.`)
    return
  }
  const signed = url.headers['content-length']
  if (signed === undefined || Number(signed) === size) return
  refuse(`The URL is for exactly ${signed} B, and this is ${size} B.`, 'Ask for one for this file.')
}

/** Fails `usage` where the URL was made for other bytes. `md5` is in hex. */
export function checkMd5({headers}: SignedUrl, md5: string): void {
  const {'content-md5': base64, etag = base64 && Buffer.from(base64, 'base64').toString('hex')} = headers
  if (etag !== undefined && etag !== md5) refuse('The URL was made for other bytes: their MD5 differs.')
}
