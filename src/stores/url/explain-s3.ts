import type {Failure} from '../../core/failure.ts'
import type {Answer} from '../../http/send.ts'
import {readRefusal, toFailure} from '../s3/failures.ts'
import {ASK, isOver, retell, tellExpired, tellReading, withoutSignature} from './refusal.ts'
import type {RefusedUse} from './refusal.ts'
import type {FormUrl, S3Url} from './signed-url.ts'

const TICKET = 'Ask for a ticket (skylift ticket create): it uploads in parts.'

/** Translates what S3 answered to somebody who has nothing but a URL or a form; asks once more where that helps. */
export async function explainS3(url: S3Url | FormUrl, answer: Answer, use: RefusedUse): Promise<Failure> {
  const {container, key} = use.target
  const refusal = readRefusal(answer)
  const failure = toFailure({...refusal, message: withoutSignature(refusal.message, url)}, {container, key})
  const thing = url.kind === 'form' ? 'form' : 'URL'
  if (answer.status >= 300 && answer.status < 400) {
    return retell(
      failure,
      'config',
      `The store wants this upload at another address than the ${thing}'s.`,
      `${ASK} It was made for the wrong region or endpoint.`,
    )
  }
  switch (failure.code) {
    case 'config': {
      const what = refusal.isHtml === true ? 'it sent a web page' : 'it answers an upload with words'
      return retell(
        failure,
        'config',
        `What answers at "${container}" is no S3 store: ${what}.`,
        'A proxy or a sign-in page may stand in between.',
      )
    }
    case 'expired':
      return refusal.providerCode.includes('Token')
        ? retell(failure, 'expired', `The credentials that signed the ${thing} have expired.`)
        : tellExpired(url, failure, answer)
    case 'auth':
      return explainSignature(url, failure, answer, use)
    case 'forbidden':
      return explainDenial(url, failure, refusal.message)
    case 'not-found':
      return retell(failure, 'not-found', `The store knows the ${thing}, but its container is not there any more.`)
    case 'too-large':
      return retell(failure, 'too-large', failure.message, TICKET)
    case 'exists':
      return retell(failure, 'exists', failure.message, 'It may be what was just sent, if an answer was lost before.')
    case 'integrity': {
      if (url.kind !== 's3' || !url.hasChecksum) return failure
      const words = 'The URL was signed with the checksum of other bytes, most likely of none.'
      return retell(failure, 'usage', words, "Sign it with requestChecksumCalculation: 'WHEN_REQUIRED'.")
    }
    default: {
      // Swift's S3 API, for one.
      if (url.kind === 'form' && refusal.providerCode === '' && failure.code === 'usage') {
        return retell(failure, 'unsupported', 'The store does not take forms (POST policy).', 'Ask for a URL for PUT.')
      }
      return refusal.providerCode === 'EntityTooSmall'
        ? retell(failure, 'usage', 'The file is smaller than the form allows.')
        : failure
    }
  }
}

async function explainSignature(
  url: S3Url | FormUrl,
  failure: Failure,
  answer: Answer,
  use: RefusedUse,
): Promise<Failure> {
  const {providerCode = ''} = failure.context
  if (isOver(url, answer)) return tellExpired(url, failure, answer)
  if (/Skewed/u.test(providerCode)) return tellEarly(failure)
  if (providerCode === 'InvalidAccessKeyId') {
    return retell(failure, 'auth', 'The store does not know the key that signed the URL.')
  }
  if (url.kind === 'form') {
    return retell(failure, 'auth', 'The store does not accept the form: it was changed, or made with other keys.')
  }
  const reading = await tellReading(url, 'GET', failure, use)
  if (reading !== undefined) return reading
  // Their values are not in the URL: what was sent may be something else.
  const unknown = ['content-length', 'content-md5', 'content-type'].filter(
    name => url.signed.includes(name) && url.headers[name] === undefined,
  )
  const other = unknown.length > 0 ? `, or is for another ${unknown.join(' or ')}` : ''
  const isTypeOpen =
    url.headers['content-type'] === undefined && (url.version === 2 || unknown.includes('content-type'))
  return retell(
    failure,
    'auth',
    `The store does not accept the URL: it was changed or cut off${other}.`,
    isTypeOpen ? `If it was made for a content type, give that: --content-type TYPE. Else ask for a new one.` : ASK,
  )
}

function explainDenial(url: S3Url | FormUrl, failure: Failure, words: string): Failure {
  if (/not valid yet/iu.test(words)) return tellEarly(failure)
  const thing = url.kind === 'form' ? 'form' : 'URL'
  const condition = /Policy Condition failed: (?<rule>\[[^\]]*\])/iu.exec(words)?.groups?.['rule']
  if (condition !== undefined) {
    return retell(failure, 'forbidden', `The policy of the form does not allow this: ${condition}.`)
  }
  return retell(
    failure,
    'forbidden',
    `The store does not accept the ${thing}: whoever made it may not write there, or it was changed.`,
  )
}

function tellEarly(failure: Failure): Failure {
  return retell(
    failure,
    'auth',
    "The URL is not good yet by the store's clock: that of the machine that made it is ahead.",
    'Wait, or ask for one that is made when that clock is set.',
  )
}
