import {answer, at, edit, emptyError, half, shortBody, truncatedBody} from '../support/fault-answers.ts'
import type {Fault} from '../support/faults.ts'
import {BODIES, REQUESTS, TCP_FAULTS} from './fault-table.ts'
import type {FaultRow} from './fault-table.ts'

const html = {'content-type': 'text/html; charset=UTF-8'}
const page = (status: number, title: string, words: string) =>
  answer(status, `<html><h1>${title}</h1><p>${words}</p></html>`, html)
const line = (status: number, words: string) => answer(status, `${words}\n`, {'content-type': 'text/plain'})

const unavailable = () => page(503, 'Service Unavailable', 'The server is currently unavailable. Please try again.')
const internal = () => page(500, 'Internal Error', 'The server has either erred or is incapable of performing it.')
const unauthorized = () => page(401, 'Unauthorized', 'This server could not verify that you are authorized.')
const forbidden = () => page(403, 'Forbidden', 'Access was denied to this resource.')
const missing = () => page(404, 'Not Found', 'The resource could not be found.')
const conflict = () => page(409, 'Conflict', 'There was a conflict when trying to complete your request.')
const tooLarge = () => page(413, 'Request Entity Too Large', 'The body of your request was too large.')
const damaged = () => page(422, 'Unprocessable Entity', 'Unable to process the contained instructions')

/** What the heartbeat ends with; the answer itself is always 202. */
function verdict(status: string, errors: readonly (readonly [string, string])[] = []): Fault {
  const body = {'Response Status': status, 'Response Body': '', Errors: errors}
  return answer(202, `  \r\n\r\n${JSON.stringify(body)}`, {'content-type': 'application/json'})
}

const emptyListing = () => edit('empty listing', () => ({body: '[]'}))
/** Every second entry is not in it yet. */
const laggingListing = () =>
  edit('lagging listing', ({body}) => ({
    body: JSON.stringify((JSON.parse(body) as unknown[]).filter((_, index) => index % 2 === 1)),
  }))
const wrongEtag = () => edit('wrong etag', ({headers}) => ({headers: {...headers, etag: '0'.repeat(32)}}))
const missingEtag = () =>
  edit('missing etag', ({headers: {etag: _, ...headers}, body}) => ({
    headers,
    body: body.replaceAll(/"Etag":[^,]*,/gu, ''),
  }))
/** The spaces of the heartbeat, and then an end as if that were all. */
const heartbeatAlone = () => edit('heartbeat alone', ({body}) => ({body: half(body).replaceAll(/\S/gu, ' ')}))

const BUSY = {create: 'busy', part: 'busy', listParts: 'busy', complete: 'busy', put: 'busy'} as const
const ALONE = ['auth', 'info', 'head'] as const

/** What OpenStack Swift answers, and what is no answer at all. */
export const SWIFT_FAULTS: readonly FaultRow[] = [
  ...TCP_FAULTS,
  {name: '500', fault: internal, verbs: [...REQUESTS, ...ALONE], always: BUSY},
  {name: '500 without a body', fault: () => emptyError(), verbs: ['part', 'complete'], always: {part: 'busy'}},
  {name: '503', fault: unavailable, verbs: [...REQUESTS, ...ALONE], always: {...BUSY, auth: 'busy', head: 'busy'}},
  {
    name: '503 after the work',
    // What is there by its name and MD5 is there, whatever the store said.
    fault: () => at(unavailable(), 'stored'),
    verbs: REQUESTS,
    always: {part: 'stored', complete: 'stored', put: 'stored'},
  },
  {name: '502 of a proxy', fault: () => page(502, 'Bad Gateway', 'nginx'), verbs: REQUESTS, always: {part: 'busy'}},
  {name: '498 Rate Limited', fault: () => line(498, 'Slow down'), verbs: REQUESTS, always: {part: 'busy', put: 'busy'}},
  {
    name: '429 with Retry-After',
    fault: () => answer(429, '', {'retry-after': '1'}),
    verbs: ['part', 'complete', 'put'],
    always: {part: 'busy'},
  },
  {
    name: '408',
    fault: () => page(408, 'Request Timeout', 'The server has waited too long for the request.'),
    verbs: BODIES,
    always: {part: 'network'},
  },
  {name: '499', fault: () => line(499, 'Client Disconnect'), verbs: BODIES, always: {put: 'network'}},
  {
    name: '401 of a token that has ended',
    // Signed in anew, once for each failure.
    fault: unauthorized,
    verbs: [...REQUESTS, 'head'],
    always: {create: 'auth', part: 'auth', listParts: 'auth', complete: 'auth', put: 'auth', head: 'auth'},
  },
  {name: '401 at the sign-in', fault: unauthorized, verbs: ['auth'], once: {auth: 'auth'}},
  {
    name: '403',
    fault: forbidden,
    verbs: [...REQUESTS, 'auth'],
    once: {create: 'forbidden', part: 'forbidden', complete: 'forbidden', put: 'forbidden', auth: 'auth or forbidden'},
    always: {listParts: 'stored'},
  },
  {name: '403 for a look', fault: forbidden, verbs: ['head'], always: {head: 'stored'}},
  {
    name: '404',
    fault: missing,
    // A container of segments that is not there yet is made.
    verbs: ['create', 'part', 'listParts', 'put'],
    once: {put: 'not-found'},
    always: {create: 'not-found', part: 'not-found'},
  },
  {name: '409', fault: conflict, verbs: REQUESTS, always: {part: 'busy', complete: 'busy', put: 'busy'}},
  {
    name: '409 after the work',
    fault: () => at(conflict(), 'stored'),
    verbs: ['complete'],
    always: {complete: 'stored'},
  },
  {
    name: '413 of a quota',
    fault: () => line(413, 'Upload exceeds quota.'),
    verbs: ['create', 'part', 'complete', 'put'],
    once: {create: 'too-large', part: 'too-large', complete: 'too-large', put: 'too-large'},
  },
  {name: '413', fault: tooLarge, verbs: ['part', 'put'], once: {part: 'too-large', put: 'too-large'}},
  {
    name: '422',
    fault: damaged,
    verbs: ['part', 'complete', 'put'],
    always: {part: 'integrity', complete: 'integrity', put: 'integrity'},
  },
  {
    name: '507',
    fault: () => page(507, 'Insufficient Storage', 'There was not enough space to save the resource.'),
    verbs: ['part', 'put'],
    once: {part: 'busy', put: 'busy'},
  },
  // An answer before the body ends
  {name: 'an early 503, the rest read', fault: () => at(unavailable(), 'body', 'read', 40), verbs: BODIES},
  {
    name: 'an early 503, then the end',
    fault: () => at(unavailable(), 'body', 'close', 40),
    verbs: BODIES,
    always: {part: 'busy or network'},
  },
  {
    name: 'an early 503, nothing more read',
    fault: () => at(unavailable(), 'body', 'hold', 40),
    verbs: BODIES,
    always: {part: 'busy or network'},
  },
  {
    name: 'an early 413',
    fault: () => at(tooLarge(), 'body', 'close', 40),
    verbs: ['part', 'put'],
    // The end of the connection may overtake the answer; the next try tells.
    once: {part: 'too-large or stored', put: 'too-large or stored'},
  },
  // Listings
  {name: 'an empty listing', fault: emptyListing, verbs: ['listParts'], always: {listParts: 'stored'}},
  {name: 'a listing that lags', fault: laggingListing, verbs: ['listParts'], always: {listParts: 'stored'}},
  {
    name: 'half an answer',
    fault: () => truncatedBody(),
    verbs: ['listParts', 'complete', 'info'],
    always: {listParts: 'network', complete: 'stored'},
  },
  {
    name: 'half an answer, then a FIN',
    fault: () => shortBody(),
    verbs: ['listParts', 'complete', 'info'],
    always: {listParts: 'network', complete: 'stored'},
  },
  // The heartbeat: 202, whatever comes of it
  {name: 'a heartbeat that ends', fault: heartbeatAlone, verbs: ['complete'], always: {complete: 'stored'}},
  {
    name: 'a heartbeat that ends in 503',
    fault: () => verdict('503 Service Unavailable'),
    verbs: ['complete'],
    always: {complete: 'busy'},
  },
  {
    name: 'a heartbeat that ends in 503 after the work',
    fault: () => at(verdict('503 Service Unavailable') as ReturnType<typeof answer>, 'stored'),
    verbs: ['complete'],
    always: {complete: 'stored'},
  },
  {
    name: 'a heartbeat that ends in 401',
    fault: () => verdict('401 Unauthorized'),
    verbs: ['complete'],
    once: {complete: 'auth'},
  },
  {
    name: 'a heartbeat that ends in a mismatch',
    fault: () => verdict('400 Bad Request', [['/arena_segments/x/00000001', 'Etag Mismatch']]),
    // The part is sent again, whatever the listing says of it.
    verbs: ['complete'],
    always: {complete: 'integrity'},
  },
  {
    name: 'a heartbeat that ends in 422',
    fault: () => verdict('422 Unprocessable Entity'),
    verbs: ['complete'],
    always: {complete: 'integrity'},
  },
  // Answers that are not what they should be
  {
    name: 'a wrong ETag',
    fault: wrongEtag,
    verbs: ['part', 'put'],
    always: {part: 'integrity', put: 'integrity'},
  },
  {
    name: 'no ETag',
    fault: missingEtag,
    verbs: ['part', 'put', 'complete'],
    always: {part: 'integrity', put: 'integrity', complete: 'stored'},
  },
]
