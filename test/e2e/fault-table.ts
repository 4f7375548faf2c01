import type {FailureCode} from '../../src/core/failure.ts'
import {
  accessDenied,
  at,
  badDigest,
  badGateway,
  emptyError,
  emptyEtag,
  errorInside200,
  expiredToken,
  internalError,
  missingEtag,
  noChecksums,
  noSuchUpload,
  redirect,
  shortBody,
  slowDown,
  storedThenError,
  timeTooSkewed,
  tooManyRequests,
  truncatedBody,
  wrongEtag,
} from '../support/fault-answers.ts'
import {closeIdle, closeOnNextRequest, cut, reset, silence, slow, stall} from '../support/faults.ts'
import type {Fault} from '../support/faults.ts'

export type Verb =
  | 'connect'
  | 'create'
  | 'part'
  | 'listParts'
  | 'complete'
  | 'abort'
  | 'put'
  // Of Swift alone: the sign-in, what a cluster says of itself, a look at an object.
  | 'auth'
  | 'info'
  | 'head'

/** `stored`: the object is there, byte for byte. Anything else names the failure. */
export type End = 'stored' | FailureCode | `${FailureCode} or ${FailureCode | 'stored'}`

export interface FaultRow {
  readonly name: string
  /** `elsewhere` is the same store at another address. */
  readonly fault: (elsewhere: string) => Fault
  readonly verbs: readonly Verb[]
  /** What comes of one such fault where that is not `stored`. */
  readonly once?: Partial<Record<Verb, End>>
  /** What comes of it where it never ends; only the verbs named here are tried. */
  readonly always?: Partial<Record<Verb, End>>
}

export const REQUESTS = ['create', 'part', 'listParts', 'complete', 'abort', 'put'] as const
export const BODIES = ['part', 'complete', 'put'] as const
const EVERYWHERE = ['connect', ...REQUESTS] as const
const LOST = {create: 'network', part: 'network', listParts: 'network', put: 'network'} as const
const BUSY = {create: 'busy', part: 'busy', listParts: 'busy', complete: 'busy', put: 'busy'} as const

/** Refusals that no patience mends: the same whether they come once or for ever. */
function final(code: FailureCode): Partial<Record<Verb, End>> {
  return {create: code, part: code, complete: code, put: code}
}

/** What happens to connections, whatever is spoken over them. */
export const TCP_FAULTS: readonly FaultRow[] = [
  {
    name: 'a reset at once',
    fault: () => reset('headers'),
    verbs: EVERYWHERE,
    always: {...LOST, connect: 'network', complete: 'network'},
  },
  {name: 'a FIN at once', fault: () => cut('headers'), verbs: EVERYWHERE, always: {part: 'network'}},
  {name: 'a reset in the body', fault: () => reset('body', 40), verbs: BODIES, always: {part: 'network'}},
  {name: 'a FIN in the body', fault: () => cut('body', 40), verbs: BODIES, always: {put: 'network'}},
  {
    name: 'a reset after the body',
    fault: () => reset('unstored'),
    verbs: REQUESTS,
    always: {...LOST, complete: 'network'},
  },
  {name: 'a FIN after the body', fault: () => cut('unstored'), verbs: REQUESTS},
  {
    name: 'the answer lost to a reset',
    fault: () => reset('stored'),
    verbs: REQUESTS,
    always: {...LOST, complete: 'stored'},
  },
  {name: 'the answer lost to a FIN', fault: () => cut('stored'), verbs: REQUESTS, always: {complete: 'stored'}},
  {
    name: 'a reset in the answer',
    fault: () => reset('answer', 20),
    verbs: ['create', 'listParts', 'complete'],
    always: {complete: 'stored'},
  },
  {
    name: 'silence before anything is read',
    fault: () => stall(),
    verbs: EVERYWHERE,
    always: {...LOST, complete: 'network'},
  },
  {name: 'a stall in the body', fault: () => stall(40), verbs: BODIES, always: {part: 'network'}},
  {
    name: 'silence after the body',
    fault: () => silence('unstored'),
    verbs: REQUESTS,
    always: {complete: 'network', part: 'network'},
  },
  {
    name: 'silence after the work',
    fault: () => silence('stored'),
    verbs: REQUESTS,
    always: {complete: 'stored', part: 'network'},
  },
  {
    name: 'a late answer',
    fault: () => silence('stored', 300),
    verbs: REQUESTS,
    always: {part: 'stored', complete: 'stored'},
  },
  {name: 'a slow line', fault: () => slow(4_000_000, 4000), verbs: REQUESTS},
  {name: 'the connection closed when idle', fault: () => closeIdle(), verbs: REQUESTS, always: {part: 'stored'}},
  {name: 'the connection closed under the next request', fault: () => closeOnNextRequest(), verbs: REQUESTS},
]

/** What an S3 store answers, and what is no answer at all. */
export const FAULTS: readonly FaultRow[] = [
  ...TCP_FAULTS,
  {name: '500', fault: () => internalError(), verbs: REQUESTS, always: BUSY},
  {name: '500 without a body', fault: () => emptyError(), verbs: REQUESTS, always: {part: 'busy', complete: 'busy'}},
  {
    name: '500 after the work',
    fault: () => storedThenError(),
    verbs: REQUESTS,
    always: {part: 'busy', complete: 'stored', put: 'busy'},
  },
  {name: '502 of a proxy', fault: () => badGateway(), verbs: REQUESTS, always: BUSY},
  {name: '503 SlowDown', fault: () => slowDown(), verbs: REQUESTS, always: BUSY},
  {name: '429 with Retry-After', fault: () => tooManyRequests(1), verbs: REQUESTS, always: {part: 'busy'}},
  {name: '403 for a clock that is off', fault: () => timeTooSkewed(), verbs: REQUESTS, always: {part: 'auth'}},
  {
    name: '400 BadDigest',
    fault: () => badDigest(),
    verbs: BODIES,
    always: {part: 'integrity', complete: 'integrity', put: 'integrity'},
  },
  {
    name: '400 ExpiredToken',
    fault: () => expiredToken(),
    verbs: REQUESTS,
    always: {...final('expired'), listParts: 'expired'},
  },
  {
    name: '404 NoSuchUpload',
    fault: () => noSuchUpload(),
    // At abort it is success: see the contract of stores.
    verbs: ['create', 'part', 'listParts', 'complete', 'put'],
    // Where there is no upload to begin anew, the words are taken as they are.
    once: {create: 'not-found', put: 'not-found'},
    always: {part: 'not-found', complete: 'not-found'},
  },
  {
    name: '404 NoSuchUpload after the work',
    fault: () => at(noSuchUpload(), 'stored'),
    verbs: ['complete'],
    always: {complete: 'stored'},
  },
  {
    name: '403 AccessDenied',
    fault: () => at(accessDenied(), 'headers'),
    verbs: REQUESTS,
    once: final('forbidden'),
    always: {...final('forbidden'), listParts: 'stored'},
  },
  {
    name: '307 to another address',
    fault: elsewhere => redirect(elsewhere),
    verbs: REQUESTS,
    always: {part: 'stored', put: 'stored', complete: 'stored'},
  },
  {
    name: 'an error inside 200',
    fault: () => errorInside200(),
    verbs: ['create', 'listParts', 'complete'],
    always: {complete: 'busy', create: 'busy'},
  },
  {
    name: 'an error inside 200 after the work',
    fault: () => errorInside200('stored'),
    verbs: ['complete'],
    always: {complete: 'stored'},
  },
  // An answer before the body ends
  {name: 'an early 503, the rest read', fault: () => at(slowDown(), 'body', 'read', 40), verbs: BODIES},
  {
    name: 'an early 503, then the end',
    fault: () => at(slowDown(), 'body', 'close', 40),
    verbs: BODIES,
    // A body that the kernel still holds may hide the answer, or hang on the kept connection.
    always: {part: 'busy or network'},
  },
  {
    name: 'an early 503, nothing more read',
    fault: () => at(slowDown(), 'body', 'hold', 40),
    verbs: BODIES,
    // A body that the kernel still holds may hide the answer, or hang on the kept connection.
    always: {part: 'busy or network'},
  },
  {
    name: 'an early 403',
    fault: () => at(accessDenied(), 'body', 'close', 40),
    verbs: ['part', 'put'],
    // The end of the connection may overtake the answer; the next try tells.
    once: {part: 'forbidden or stored', put: 'forbidden or stored'},
  },
  // Answers that are not what they should be
  {
    name: 'half an answer',
    fault: () => truncatedBody(),
    verbs: ['create', 'listParts', 'complete'],
    always: {create: 'network', listParts: 'network', complete: 'stored'},
  },
  {
    name: 'half an answer, then a FIN',
    fault: () => shortBody(),
    verbs: ['create', 'listParts', 'complete'],
    always: {complete: 'stored'},
  },
  {
    name: 'a wrong ETag',
    // The checksum that a whole PUT is answered with is right, and tells more.
    fault: () => wrongEtag(),
    verbs: ['part', 'listParts', 'put'],
    always: {part: 'integrity', listParts: 'stored', put: 'stored'},
  },
  {
    name: 'no ETag',
    fault: () => missingEtag(),
    verbs: [...BODIES, 'listParts'],
    always: {part: 'integrity', put: 'integrity', complete: 'stored'},
  },
  {
    name: 'an empty ETag',
    fault: () => emptyEtag(),
    verbs: ['complete', 'listParts'],
    always: {complete: 'stored', listParts: 'stored'},
  },
  {
    name: 'no checksum echoed',
    fault: () => noChecksums(),
    verbs: BODIES,
    always: {part: 'stored', complete: 'stored', put: 'stored'},
  },
]
