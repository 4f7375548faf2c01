import type {Answer, Edit, Moment, OwnAnswer} from './faults.ts'

const xml = '<?xml version="1.0" encoding="UTF-8"?>\n'

export function writeS3Error(code: string, message: string): string {
  return `${xml}<Error><Code>${code}</Code><Message>${message}</Message><RequestId>fault</RequestId></Error>`
}

/** An answer of the proxy's own; `stored` lets the store do its work first. */
export function answer(
  status: number,
  body = '',
  headers: OwnAnswer['headers'] = {},
  when: Moment = 'unstored',
  then?: OwnAnswer['then'],
): OwnAnswer {
  return {kind: 'answer', when, status, headers, body, ...(then ? {then} : {})}
}

/** The same answer at another moment. */
export function at(fault: OwnAnswer, when: Moment, then?: OwnAnswer['then'], byte?: number): OwnAnswer {
  return {...fault, when, ...(then ? {then} : {}), ...(byte === undefined ? {} : {byte})}
}

function s3Error(status: number, code: string, message: string, headers: Record<string, string> = {}): OwnAnswer {
  return answer(status, writeS3Error(code, message), {'content-type': 'application/xml', ...headers})
}

export const internalError = () => s3Error(500, 'InternalError', 'We encountered an internal error. Please try again.')
export const emptyError = (status = 500) => answer(status)
export const storedThenError = () => at(internalError(), 'stored')
export const slowDown = () => s3Error(503, 'SlowDown', 'Please reduce your request rate.')
export const badDigest = () =>
  s3Error(400, 'BadDigest', 'The Content-MD5 you specified did not match what we received.')
export const noSuchUpload = () => s3Error(404, 'NoSuchUpload', 'The specified upload does not exist.')
export const accessDenied = () => s3Error(403, 'AccessDenied', 'Access Denied')
export const expiredToken = () => s3Error(400, 'ExpiredToken', 'The provided token has expired.')
export const badGateway = () =>
  answer(502, '<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>', {
    'content-type': 'text/html',
  })

/** Retry-After in seconds, or an HTTP date. */
export function tooManyRequests(retryAfter: number | Date = 1): OwnAnswer {
  const value = typeof retryAfter === 'number' ? String(retryAfter) : retryAfter.toUTCString()
  return s3Error(429, 'TooManyRequests', 'Slow down.', {'retry-after': value})
}

/** The store's clock, told by Date, is `ahead` of ours. */
export function timeTooSkewed(ahead = 3_600_000): OwnAnswer {
  const headers = () => ({'content-type': 'application/xml', date: new Date(Date.now() + ahead).toUTCString()})
  return answer(403, writeS3Error('RequestTimeTooSkewed', 'The difference is too large.'), headers, 'headers')
}

/** The same path at another endpoint. */
export function redirect(endpoint: string, status = 307): OwnAnswer {
  return answer(status, '', request => ({location: `${endpoint}${request.path}`}), 'headers')
}

/** What Complete may do: 200, and a failure in the body. `stored` does the work all the same. */
export function errorInside200(when: 'unstored' | 'stored' = 'unstored'): OwnAnswer {
  return at({...internalError(), status: 200}, when)
}

export function edit(name: string, change: (answer: Answer) => Partial<Answer>): Edit {
  return {kind: 'edit', name, edit: answer => ({...answer, ...change(answer)})}
}

function without(headers: Answer['headers'], unwanted: RegExp): Answer['headers'] {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !unwanted.test(name)))
}

export const half = (text: string) => text.slice(0, Math.floor(text.length / 2))
const etags = /<ETag>.*?<\/ETag>/gs
const wrong = `"${'0'.repeat(32)}"`

/** Half the XML, as if that were all. */
export const truncatedBody = () => edit('truncated body', ({body}) => ({body: half(body)}))

/** Half the XML under the Content-Length of the whole, then a FIN. */
export const shortBody = (): Edit => ({...truncatedBody(), name: 'short body', cut: true})

export const wrongEtag = () =>
  edit('wrong etag', ({headers, body}) => ({
    headers: {...headers, etag: wrong},
    body: body.replaceAll(etags, `<ETag>${wrong}</ETag>`),
  }))

export const missingEtag = () =>
  edit('missing etag', ({headers, body}) => ({headers: without(headers, /^etag$/), body: body.replaceAll(etags, '')}))

export const emptyEtag = () =>
  edit('empty etag', ({headers, body}) => ({
    headers: without(headers, /^etag$/),
    body: body.replaceAll(etags, '<ETag></ETag>'),
  }))

/** The store that ignores checksums: none in headers, none in XML. */
export const noChecksums = () =>
  edit('no checksums', ({headers, body}) => ({
    headers: without(headers, /^x-amz-checksum/),
    body: body.replaceAll(/<Checksum(\w+)>.*?<\/Checksum\1>/gs, ''),
  }))
