import {Failure} from '../../core/failure.ts'
import type {FailureCode, FailureContext} from '../../core/failure.ts'
import {printable} from '../../core/printable.ts'
import type {Answer} from '../../http/send.ts'

/** A refusal as the store gave it, or as it stands in the body of an answer that was given too early. */
export interface Refusal {
  readonly status: number
  /** The store's words, without markup. */
  readonly message: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

type Row = readonly [code: FailureCode, retryable: boolean, sentence: (at: Names) => string, suggestion?: string]
interface Names {
  readonly container: string
  readonly object: string
  readonly words: string
}

const busy = (what: string): Row => ['busy', true, () => `The store ${what}.`]
const words: Row[2] = ({words}) => `The store refused the request: ${words}.`
const cannot: Row[2] = ({words}) => `The store cannot do this: ${words}.`

const UNAVAILABLE = busy('is not available for now')
const NO_CONTAINER: Row = [
  'not-found',
  false,
  at => `There is no container "${at.container}".`,
  'Make it with: skylift container create TARGET',
]

// https://docs.openstack.org/api-ref/object-store/
const BY_STATUS: Readonly<Record<number, Row>> = {
  400: ['usage', false, words],
  401: ['auth', false, () => 'The store does not accept the sign-in.', 'Check the credentials, and sign in again.'],
  403: ['forbidden', false, at => `These credentials may not do this with ${at.object}.`],
  404: ['not-found', false, at => `There is no ${at.object}.`],
  405: ['unsupported', false, cannot],
  406: ['unsupported', false, cannot],
  408: ['network', true, () => 'The store waited too long for data.'],
  409: busy('is busy with a conflicting operation'),
  411: ['unsupported', false, words],
  412: ['exists', false, at => `There is already ${at.object}.`],
  413: ['too-large', false, at => `The store does not take so large a body for ${at.object}.`],
  414: ['usage', false, () => "The key is too long for the store's request line."],
  416: ['usage', false, at => `The range lies outside of ${at.object}.`],
  422: ['integrity', true, at => `Bytes of ${at.object} were damaged on the way: the checksum differs.`],
  429: busy('asks to slow down'),
  // Rate Limited, Swift's own.
  498: busy('asks to slow down'),
  // What the proxy says when the sending breaks off.
  499: ['network', true, () => 'The connection was cut before the store had the whole body.'],
  500: busy('had an internal error'),
  501: ['unsupported', false, cannot],
  502: UNAVAILABLE,
  503: UNAVAILABLE,
  504: UNAVAILABLE,
  507: ['busy', false, () => 'The store has no room left.', 'Free some space there, then run it again.'],
}

/** Where one status has several meanings, the store's words tell. */
const BY_WORDS: readonly (readonly [status: number, pattern: RegExp, row: Row])[] = [
  [
    413,
    /quota/iu,
    [
      'too-large',
      false,
      at => `The quota of "${at.container}" or of the account does not allow ${at.object}.`,
      'Free some space there, or have the quota raised.',
    ],
  ],
  [400, /name length of \d+ longer than/iu, ['usage', false, ({words}) => `The name is too long: ${words}.`]],
  [412, /utf-?8|null|bad url/iu, ['usage', false, ({words}) => `The store does not allow this name: ${words}.`]],
  [503, /slow ?down|rate/iu, busy('asks to slow down')],
]

const REFUSED: Row = ['usage', false, words]

function findRow({status, message}: Refusal, {key = '', method}: FailureContext): Row {
  const told = BY_WORDS.find(([of, pattern]) => of === status && pattern.test(message))
  if (told !== undefined) return told[2]
  // What is written need not be there before; only its container must.
  if (status === 404 && (key === '' || method === 'PUT')) return NO_CONTAINER
  return BY_STATUS[status] ?? (status >= 500 ? (BY_STATUS[500] ?? REFUSED) : REFUSED)
}

/** Translates a refusal: the only place where a status of Swift is compared. */
export function toFailure(refusal: Refusal, context: FailureContext = {}): Failure {
  const {container = '', key = ''} = context
  const [code, retryable, sentence, suggestion] = findRow(refusal, context)
  const message = sentence({
    container: printable(container),
    object: nameOf(container, key),
    words: printable(refusal.message || `status ${refusal.status}`).replace(/\.$/u, ''),
  })
  const requestId = refusal.headers['x-trans-id'] ?? refusal.headers['x-openstack-request-id']
  return new Failure(code, message, {
    retryable,
    ...(suggestion === undefined ? {} : {suggestion}),
    ...retryAfter(refusal),
    context: {...context, status: refusal.status, ...(typeof requestId === 'string' ? {requestId} : {})},
  })
}

export function nameOf(container: string, key: string): string {
  if (container === '') return 'the account'
  return key === '' ? `"${printable(container)}"` : `"${printable(`${container}/${key}`)}"`
}

function retryAfter({headers}: Refusal): {retryAfter: number} | undefined {
  const value = headers['retry-after']
  if (typeof value !== 'string') return undefined
  const ms = /^\d+$/u.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now()
  return ms > 0 ? {retryAfter: ms} : undefined
}

export function readRefusal({status, headers, text}: Answer): Refusal {
  return {status, headers, message: readWords(text)}
}

/** Swift's errors are small pages, `<html><h1>Not Found</h1><p>The resource …</p></html>`, or plain lines. */
function readWords(text: string): string {
  const paragraph = /<p>(?<words>[^<]*)/iu.exec(text)?.groups?.['words'] ?? text
  return paragraph
    .replaceAll(/<[^>]*>/gu, ' ')
    .replaceAll(/\s+/gu, ' ')
    .trim()
    .slice(0, 300)
}

/** Reads `400 Bad Request`, as it stands in the body of an answer that was given before the verdict. */
export function readVerdict(line: string, message: string, headers: Refusal['headers']): Refusal {
  return {status: Number.parseInt(line, 10) || 500, message: message || line, headers}
}
