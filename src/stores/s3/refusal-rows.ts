import type {FailureCode} from '../../core/failure.ts'

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
  /** This endpoint has answered as S3 before: a page of a refusal comes from what stands in between. */
  readonly isKnown?: boolean
}

export type Row = readonly [code: FailureCode, retryable: boolean, sentence: (at: Names) => string, suggestion?: string]
export interface Names {
  readonly container: string
  readonly object: string
  readonly words: string
  /** Where a redirect leads to; empty for none. */
  readonly elsewhere: string
}

const SMALLER = 'A smaller --part-size may do; a proxy in between may have a limit of its own.'

const busy = (what: string): Row => ['busy', true, () => `The store ${what}.`]
const words: Row[2] = ({words}) => `The store refused the request: ${words}.`

/** Waiting does not help. */
const FULL: Row = ['busy', false, () => 'The store has no room left.', 'Free some space there, then run it again.']
const USED_UP: Row = [
  'busy',
  false,
  at => `The store has no room left for "${at.container}": its quota is used up.`,
  'Delete what is not needed, or ask for a larger quota; then run it again.',
]

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
  NoSuchUpload: [
    'not-found',
    false,
    at => `The store has forgotten the upload of ${at.object}.`,
    'Run it again: it starts anew, and what makes a stream must make it again.',
  ],
  PreconditionFailed: ['exists', false, at => `There is already ${at.object}.`],
  ConditionalRequestConflict: ['exists', false, at => `Somebody else is writing ${at.object} at this moment.`],
  BucketAlreadyExists: ['exists', false, at => `The name "${at.container}" is taken by somebody else.`],
  BucketAlreadyOwnedByYou: ['exists', false, at => `The container "${at.container}" is yours already.`],
  BucketNotEmpty: ['exists', false, at => `The container "${at.container}" is not empty.`],
  EntityTooLarge: ['too-large', false, at => `The store does not take so large a body for ${at.object}.`, SMALLER],
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
  InsufficientStorage: FULL,
  XMinioStorageFull: FULL,
  // Ceph, and whoever sells it.
  QuotaExceeded: USED_UP,
  XMinioAdminBucketQuotaExceeded: USED_UP,
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
  413: ['too-large', false, at => `The store does not take so large a body for ${at.object}.`, SMALLER],
  429: busy('asks to slow down'),
  501: ['unsupported', false, ({words}) => `The store cannot do this: ${words}.`],
  507: FULL,
}

const SERVER_ERROR = busy('had an internal error')
const REFUSED: Row = ['usage', false, words]
const NOT_S3: Row = [
  'config',
  false,
  () => 'What answers at this endpoint does not look like an S3 store: it sent a web page.',
  ENDPOINT,
]

/** A proxy or a firewall for web applications: the store itself sends no pages. */
const STOPPED: Row = [
  'forbidden',
  false,
  at => `What stands before the store does not let this through to ${at.object}: it sent a web page.`,
  'Ask whoever runs the proxy or firewall in between.',
]

/** As many a server for web pages does, with an ETag of its words, whatever it is sent. */
const TALKS: Row = [
  'config',
  false,
  () => 'What answers at this endpoint does not look like an S3 store: it answers an upload with words.',
  ENDPOINT,
]

/** What a refusal means: by its code, else by its status. */
export function findRow(refusal: Refusal): Row {
  // A store may say anything, `constructor` too.
  const row = Object.hasOwn(BY_CODE, refusal.providerCode) ? BY_CODE[refusal.providerCode] : undefined
  if (refusal.providerCode === 'AccessDenied' && /expired/iu.test(refusal.message))
    return BY_CODE['RequestExpired'] ?? REFUSED
  if (row !== undefined) return row
  if (refusal.status >= 500 && refusal.status !== 501 && refusal.status !== 507) return SERVER_ERROR
  if (refusal.status < 300 && refusal.isHtml !== true) return refusal.providerCode === '' ? TALKS : SERVER_ERROR
  const known = BY_STATUS[refusal.status] ?? REFUSED
  return refusal.isHtml === true ? judgePage(refusal, known) : known
}

/** Who redirects or has a limit of size is asked at the right place; anything else of a web page tells of a wrong one. */
function judgePage({status, isKnown}: Refusal, known: Row): Row {
  if (known === REDIRECT || status === 413) return known
  return isKnown === true && (status === 401 || status === 403) ? STOPPED : NOT_S3
}
