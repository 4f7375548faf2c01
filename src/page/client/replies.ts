import {Failure} from '../../core/failure.ts'
import type {FailureCode} from '../../core/failure.ts'
import {childText, parseXml} from '../../core/xml.ts'
import type {PageReply} from './send.ts'

/** The few answers that a page can meet; `retryable` as everywhere. */
const CODES: Readonly<Record<number, readonly [code: FailureCode, message: string, retryable: boolean]>> = {
  400: ['forbidden', 'The store did not understand the request.', false],
  401: ['forbidden', 'The store does not accept this page any more.', false],
  403: ['forbidden', 'The store does not accept this page any more.', false],
  404: ['not-found', 'This upload is finished, or was withdrawn.', false],
  409: ['busy', 'The store is busy with the same object.', true],
  411: ['forbidden', 'The store did not understand the request.', false],
  412: ['exists', 'Something stands there already.', false],
  413: ['too-large', 'The file is larger than the store takes.', false],
  422: ['integrity', 'Some bytes were damaged on their way.', true],
}

/** Returns the failure that an answer stands for; undefined for success. */
export function readReply({status, text}: PageReply): Failure | undefined {
  const providerCode = readCode(text)
  // Complete may answer 200 and fail all the same.
  // https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
  if (status < 300 && providerCode === undefined) return undefined
  const context = {status, ...(providerCode === undefined ? {} : {providerCode})}
  if (providerCode === 'BadDigest' || providerCode === 'InvalidDigest' || providerCode === 'InvalidPart') {
    return new Failure('integrity', 'Some bytes were damaged on their way.', {context, retryable: true})
  }
  if (providerCode === 'NoSuchUpload') return new Failure('not-found', CODES[404]?.[1] ?? '', {context})
  const [code, message, retryable] = CODES[status] ?? ['busy', 'The store is busy.', true]
  const isSkewed = /^RequestTimeTooSkewed$|^AccessDenied$/u.test(providerCode ?? '') && /expire/iu.test(text)
  return new Failure(isSkewed ? 'expired' : code, message, {context, retryable})
}

function readCode(text: string): string | undefined {
  if (!/<Error[\s>]/u.test(text)) return undefined
  try {
    return childText(parseXml(text), 'Code')
  } catch {
    return undefined
  }
}

/** Returns an ETag without quotes; undefined where CORS does not show it. */
export function readEtag(reply: PageReply): string | undefined {
  return reply.header('etag')?.replaceAll('"', '') || undefined
}
