import type {FailureCode} from '../../core/failure.ts'
import {Failure, isFailure} from '../../core/failure.ts'
import {formatDuration} from '../../core/durations.ts'
import type {Answer, Wire} from '../../http/send.ts'
import type {Call, Target} from '../store.ts'
import {checkTempUrl} from './check.ts'
import {HOW_TO_MAKE} from './cut-url.ts'
import type {SignedUrl} from './signed-url.ts'

/** Where a refusal happened, and how more can be asked. */
export interface RefusedUse {
  readonly method?: string
  readonly target: Pick<Target, 'container' | 'key'>
  readonly wire: Wire
  readonly call: Pick<Call, 'signal'>
}

export const ASK = 'Ask whoever made it for a new one.'

/** So much may the clocks of honest machines differ. */
const SKEW = 60_000

/** Says a failure anew, for somebody who has nothing but a URL: nothing about a signature changes by asking again. */
export function retell(failure: Failure, code: FailureCode, message: string, suggestion = ASK): Failure {
  return new Failure(code, message, {context: failure.context, suggestion})
}

/** Tells what the store holds for true, whatever our clock says. */
export function tellExpired(url: SignedUrl, failure: Failure, answer: Answer): Failure {
  const theirs = Date.parse(answer.headers.date ?? '')
  const off = Date.now() - theirs
  // It was good by our clock, or it would not have been sent.
  const isOurs = url.expires !== undefined && Date.now() < url.expires.getTime() && Math.abs(off) > SKEW
  const clock = isOurs
    ? ` by the store's clock; this machine's is ${formatDuration(Math.abs(off))} ${off < 0 ? 'behind' : 'ahead'}`
    : ''
  return retell(failure, 'expired', `The URL has expired${clock}.`)
}

/** True when the store's clock has passed the end of the URL. */
export function isOver({expires}: SignedUrl, {headers}: Answer): boolean {
  const now = Date.parse(headers.date ?? '') || Date.now()
  return expires !== undefined && now >= expires.getTime()
}

/** Tries without harm whether the URL is good for reading; undefined where it is not. */
export async function tellReading(
  url: SignedUrl,
  method: 'GET' | 'HEAD',
  failure: Failure,
  {wire, call}: RefusedUse,
): Promise<Failure | undefined> {
  const use = {url: `${url.origin}${url.path}${url.query}`, method, headers: {}}
  try {
    await checkTempUrl(wire, use, call)
  } catch (error) {
    call.signal.throwIfAborted()
    // That nothing stands there, or too much, is told to somebody who may look.
    if (!isFailure(error, 'not-found', 'unsupported')) return undefined
  }
  return retell(failure, 'usage', 'The URL is for downloading, not for uploading (PUT).', HOW_TO_MAKE)
}

/** A store may repeat what it was sent. */
export function withoutSignature(text: string, {query}: SignedUrl): string {
  const secrets = [...new URLSearchParams(query)].filter(([name]) => /sig|credential|token/iu.test(name))
  return secrets.reduce((told, [, value]) => told.replaceAll(value, '…'), text)
}
