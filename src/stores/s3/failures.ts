import {Failure} from '../../core/failure.ts'
import type {FailureContext} from '../../core/failure.ts'
import {childText, parseXml} from '../../core/xml.ts'
import type {Answer} from '../../http/send.ts'
import {printable} from '../../core/printable.ts'
import {isMd5, unquote} from './checksum.ts'
import {findRow} from './refusal-rows.ts'
import type {Refusal} from './refusal-rows.ts'

/** Of what a store says. */
const LONGEST_WORDS = 500

/** Translates a refusal by its row: here and there are the only places where a status of S3 is compared. */
export function toFailure(refusal: Refusal, context: FailureContext = {}, cause?: unknown): Failure {
  const {container = '', key = ''} = context
  const [code, retryable, sentence, suggestion] = findRow(refusal)
  const message = sentence({
    container: printable(container),
    object: key === '' ? `"${printable(container)}"` : `"${printable(`${container}/${key}`)}"`,
    words: shorten(printable(refusal.message || refusal.providerCode || `status ${refusal.status}`)).replace(
      /\.$/u,
      '',
    ),
    elsewhere: readOrigin(refusal.headers['location']),
  })
  const requestId = refusal.headers['x-amz-request-id']
  return new Failure(code, message, {
    retryable,
    cause,
    ...(suggestion === undefined ? {} : {suggestion}),
    ...retryAfter(refusal),
    context: {
      ...context,
      status: refusal.status,
      ...(refusal.providerCode === '' ? {} : {providerCode: refusal.providerCode}),
      ...(typeof requestId === 'string' ? {requestId} : {}),
    },
  })
}

/** A store may say megabytes. */
function shorten(text: string): string {
  return text.length > LONGEST_WORDS ? `${text.slice(0, LONGEST_WORDS)}…` : text
}

function readOrigin(location: unknown): string {
  return typeof location === 'string' && URL.canParse(location) ? printable(new URL(location).origin) : ''
}

function retryAfter(refusal: Refusal): {retryAfter: number} | undefined {
  const value = refusal.headers['retry-after']
  if (typeof value !== 'string') return undefined
  const ms = /^\d+$/u.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now()
  return ms > 0 ? {retryAfter: ms} : undefined
}

/** True for a page for people: no S3 store sends one, whatever the status. */
export function isWebPage(text: string): boolean {
  return /^\s*<(?:!doctype html|html)/iu.test(text)
}

/**
 * True for what is no success: a refusal, a page for people, or after an upload any words, where S3 has none. A store that
 * adds some to an ETag that can be compared is judged by that.
 */
export function isRefused({status, text, headers}: Answer, method: string): boolean {
  if (status >= 300 || isWebPage(text)) return true
  return method === 'PUT' && text.trim() !== '' && !isMd5(unquote(headers.etag))
}

/** Reads the refusal out of an answer of the data plane. */
export function readRefusal(answer: Answer): Refusal {
  const base = {status: answer.status, headers: answer.headers}
  const hint = answer.headers['x-amz-bucket-region']
  const region = readRegion(hint)
  if (isWebPage(answer.text)) {
    return {...base, providerCode: '', message: '', isHtml: true, ...(region === undefined ? {} : {region})}
  }
  let root
  try {
    root = answer.text.trim() === '' ? undefined : parseXml(answer.text)
  } catch {
    // A truncated or foreign body: the status alone must do.
  }
  const message = childText(root, 'Message') ?? ''
  const wanted = region ?? readRegion(childText(root, 'Region')) ?? wantedRegion(message)
  return {
    ...base,
    providerCode: childText(root, 'Code') ?? '',
    message,
    ...(wanted === undefined ? {} : {region: wanted}),
  }
}

/** Reads a hint; undefined for what is no name of a region, which would only break the next request. */
export function readRegion(value: unknown): string | undefined {
  return typeof value === 'string' && /^[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?$/iu.test(value) ? value : undefined
}

/** Some name the region only in their words: `... is wrong; expecting 'us-east-1'`. */
export function wantedRegion(message: string): string | undefined {
  return readRegion(/expecting '([\w-]+)'/u.exec(message)?.[1])
}
