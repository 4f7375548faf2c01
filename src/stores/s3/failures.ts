import {Failure} from '../../core/failure.ts'
import type {FailureCode, FailureContext} from '../../core/failure.ts'
import {childText, parseXml} from '../../core/xml.ts'
import type {Answer} from '../../http/send.ts'
import {printable} from '../../core/printable.ts'
import {isMd5, unquote} from './checksum.ts'

/** A refusal as the store gave it, from either plane, before it is translated. */
export interface Refusal {
  readonly status: number
  readonly providerCode: string
  readonly message: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** The region that the store would have wanted. */
  readonly region?: string
  /** The answer was a page for people, not for programs. */
  readonly isHtml?: boolean
}

type Row = readonly [code: FailureCode, retryable: boolean, sentence: (at: Names) => string, suggestion?: string]
interface Names {
  readonly container: string
  readonly object: string
  readonly words: string
  /** Where a redirect leads to; empty for none. */
  readonly elsewhere: string
}

const busy = (what: string): Row => ['busy', true, () => `The store ${what}.`]
const words: Row[2] = ({words}) => `The store refused the request: ${words}.`

/** By the provider's code. https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
const BY_CODE: Readonly<Record<string, Row>> = {
  AccessDenied: ['forbidden', false, at => `These credentials may not do this with ${at.object}.`],
  AllAccessDisabled: ['forbidden', false, at => `All access to "${at.container}" is disabled.`],
  AccountProblem: ['forbidden', false, words],
  ExpiredToken: ['expired', false, () => 'The credentials have expired.', 'Sign in again, then run the same command.'],
  TokenRefreshRequired: ['expired', false, () => 'The credentials have expired.'],
  RequestExpired: ['expired', false, () => 'The signature of the request has expired.'],
  InvalidAccessKeyId: ['auth', false, () => 'The store does not know this access key.'],
  SignatureDoesNotMatch: [
    'auth',
    false,
    () => 'The store does not accept the signature: the key or the secret is wrong.',
  ],
  InvalidToken: ['auth', false, () => 'The session token is not valid.'],
  InvalidSecurity: ['auth', false, words],
  AuthorizationHeaderMalformed: ['auth', false, ({words}) => `The store does not accept the signature: ${words}.`],
  RequestTimeTooSkewed: [
    'auth',
    true,
    () => "This machine's clock differs too much from the store's.",
    'Set the clock.',
  ],
  NoSuchBucket: [
    'not-found',
    false,
    at => `There is no container "${at.container}".`,
    'Make it with: skylift container create TARGET',
  ],
  NoSuchKey: ['not-found', false, at => `There is no object ${at.object}.`],
  NotFound: ['not-found', false, at => `There is no ${at.object}.`],
  NoSuchUpload: ['not-found', false, at => `The store has forgotten the upload of ${at.object}.`],
  PreconditionFailed: ['exists', false, at => `There is already ${at.object}.`],
  ConditionalRequestConflict: ['exists', false, at => `Somebody else is writing ${at.object} at this moment.`],
  BucketAlreadyExists: ['exists', false, at => `The name "${at.container}" is taken by somebody else.`],
  BucketAlreadyOwnedByYou: ['exists', false, at => `The container "${at.container}" is yours already.`],
  BucketNotEmpty: ['exists', false, at => `The container "${at.container}" is not empty.`],
  EntityTooLarge: ['too-large', false, at => `The store does not take so large a body for ${at.object}.`],
  MaxMessageLengthExceeded: ['too-large', false, words],
  KeyTooLongError: ['usage', false, () => 'The key is too long: 1,024 bytes of UTF-8 are allowed.'],
  InvalidBucketName: ['usage', false, at => `"${at.container}" is not a name that this store allows for a container.`],
  InvalidStorageClass: ['usage', false, () => 'The store does not know this storage class.'],
  BadDigest: ['integrity', true, at => `Bytes of ${at.object} were damaged on the way: the checksum differs.`],
  XAmzContentSHA256Mismatch: ['integrity', true, at => `Bytes of ${at.object} were damaged on the way.`],
  InvalidDigest: ['integrity', false, words],
  InvalidPart: ['integrity', false, at => `The store misses a part of ${at.object}.`],
  InvalidPartOrder: ['integrity', false, words],
  EntityTooSmall: ['usage', false, () => 'A part is smaller than the store allows.'],
  IncompleteBody: ['network', true, () => 'The connection was cut before the store had the whole body.'],
  RequestTimeout: busy('waited too long for data'),
  SlowDown: busy('asks to slow down'),
  ServiceUnavailable: busy('is not available for now'),
  Throttling: busy('asks to slow down'),
  ThrottlingException: busy('asks to slow down'),
  TooManyRequests: busy('asks to slow down'),
  RequestLimitExceeded: busy('asks to slow down'),
  InternalError: busy('had an internal error'),
  OperationAborted: busy('is busy with a conflicting operation'),
  InsufficientStorage: [
    'busy',
    false,
    () => 'The store has no room left.',
    'Free some space there, then run it again.',
  ],
  NotImplemented: ['unsupported', false, ({words}) => `The store cannot do this: ${words}.`],
  MethodNotAllowed: ['unsupported', false, ({words}) => `The store cannot do this: ${words}.`],
}

const ENDPOINT = 'Check --endpoint-url (or AWS_ENDPOINT_URL): it must be the address of the S3 API.'
/** As from http to https. What is signed is signed for one host, and nothing goes where nobody sent it. */
const REDIRECT: Row = [
  'config',
  false,
  at => (at.elsewhere === '' ? words(at) : `What answers at this endpoint redirects to ${at.elsewhere}.`),
  ENDPOINT,
]

/** Where the code is missing or unknown, as in every answer to HEAD. */
const BY_STATUS: Readonly<Record<number, Row>> = {
  301: REDIRECT,
  302: REDIRECT,
  303: REDIRECT,
  308: REDIRECT,
  401: ['auth', false, () => 'The store wants other credentials.'],
  403: ['forbidden', false, at => `These credentials may not do this with ${at.object}.`],
  404: ['not-found', false, at => `There is no ${at.object}.`],
  405: ['unsupported', false, words],
  408: busy('waited too long for data'),
  409: ['busy', true, words],
  411: ['unsupported', false, words],
  412: ['exists', false, at => `There is already ${at.object}.`],
  413: ['too-large', false, at => `The store does not take so large a body for ${at.object}.`],
  429: busy('asks to slow down'),
  501: ['unsupported', false, ({words}) => `The store cannot do this: ${words}.`],
  507: ['busy', false, () => 'The store has no room left.', 'Free some space there, then run it again.'],
}

/** Of what a store says. */
const LONGEST_WORDS = 500

const SERVER_ERROR = busy('had an internal error')
const REFUSED: Row = ['usage', false, words]
const NOT_S3: Row = [
  'config',
  false,
  () => 'What answers at this endpoint does not look like an S3 store: it sent a web page.',
  ENDPOINT,
]

/** As many a server for web pages does, with an ETag of its words, whatever it is sent. */
const TALKS: Row = [
  'config',
  false,
  () => 'What answers at this endpoint does not look like an S3 store: it answers an upload with words.',
  ENDPOINT,
]

function findRow(refusal: Refusal): Row {
  // A store may say anything, `constructor` too.
  const row = Object.hasOwn(BY_CODE, refusal.providerCode) ? BY_CODE[refusal.providerCode] : undefined
  if (refusal.providerCode === 'AccessDenied' && /expired/iu.test(refusal.message))
    return BY_CODE['RequestExpired'] ?? REFUSED
  if (row !== undefined) return row
  if (refusal.status >= 500 && refusal.status !== 501 && refusal.status !== 507) return SERVER_ERROR
  if (refusal.status < 300 && refusal.isHtml !== true) return refusal.providerCode === '' ? TALKS : SERVER_ERROR
  const known = BY_STATUS[refusal.status] ?? REFUSED
  return refusal.isHtml && known !== REDIRECT ? NOT_S3 : known
}

/** Translates a refusal: the only place where a status of S3 is compared. */
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

/** True for a page for people: whoever sends one, whatever the status, is no S3 store. */
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
