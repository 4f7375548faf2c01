import {formatDuration} from '../../core/durations.ts'
import {Failure} from '../../core/failure.ts'
import type {Identity} from './client.ts'

export interface Lifetime {
  readonly seconds: number
  /** By the store's clock. */
  readonly start: Date
  readonly end: Date
  readonly notes: readonly string[]
}

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-presigned-url.html
const LONGEST_IN_SECONDS = 7 * 24 * 3600

/**
 * Returns how long a signature made now is good for: what was asked, but at most 7 days, and never longer than the
 * credentials. Fails `usage` with the true maximum where more was asked and no less will do, `expired` where the
 * credentials have ended.
 */
export function decideLifetime(
  {expiresIn, allowShorter}: {readonly expiresIn: number; readonly allowShorter?: boolean},
  {credentials, skew}: Identity,
): Lifetime {
  const start = Date.now() + skew
  const asked = Math.floor(expiresIn / 1000)
  if (!(asked >= 1)) throw new Failure('usage', 'A temp URL must last at least one second.')
  const left =
    credentials.expiration === undefined ? Number.POSITIVE_INFINITY : credentials.expiration.getTime() - start
  if (left < 1000) throw new Failure('expired', 'The credentials have expired.', {suggestion: 'Sign in again.'})
  const most = Math.min(LONGEST_IN_SECONDS, Math.floor(left / 1000))
  const why =
    most === LONGEST_IN_SECONDS
      ? 'A temp URL of S3 lasts 7 d at most'
      : `These credentials end in ${formatDuration(most * 1000)}, and everything signed with them ends then`
  if (asked > most && allowShorter !== true) {
    throw new Failure('usage', `${why}: ${formatDuration(asked * 1000)} cannot be had.`, {
      suggestion: 'Ask for less, or take what can be had with --allow-shorter.',
    })
  }
  const seconds = Math.min(asked, most)
  const notes = asked > most ? [`${why}.`] : []
  if (credentials.sessionToken !== undefined && credentials.expiration === undefined) {
    notes.push('These credentials are temporary and do not say until when: the URL may end before its time.')
  }
  return {seconds, start: new Date(start), end: new Date(start + seconds * 1000), notes}
}
