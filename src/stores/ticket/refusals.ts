import {Failure} from '../../core/failure.ts'
import type {FailureCode, FailureContext} from '../../core/failure.ts'
import type {Answer} from '../../http/send.ts'
import * as s3 from '../s3/failures.ts'
import * as swift from '../swift/failures.ts'
import type {Ticket} from './ticket.ts'
import {timeLeft} from './ticket.ts'

type Told = readonly [message: string, suggestion: string]

const ASK = 'Ask its owner for a new one: skylift ticket create TARGET.'

const GONE: Told = [
  'The upload of this ticket is gone: it was finished or revoked.',
  'If the object is not there, ask the owner of the ticket for a new one.',
]

const ENDED: Told = [
  'The ticket has ended.',
  'Ask its owner to renew it (skylift ticket renew FILE): parts that were sent are kept.',
]

/** What a refusal means to somebody who has nothing but a ticket. */
const SENTENCES: Partial<Record<FailureCode, Told>> = {
  expired: ENDED,
  auth: ['The store does not accept the ticket: it was changed, or the keys that signed it were replaced.', ASK],
  forbidden: ['The store does not accept the ticket: who made it may not write there, or it was changed.', ASK],
}

/** Swift has one answer for all of these. */
const VAGUE: Told = ['The store does not accept the ticket: it has ended, was changed, or its key was replaced.', ASK]

/** A signature carries the time at which it was made. */
const EARLY: Told = [
  'The ticket is not valid yet: the clock of whoever made it is ahead of the clock of the store.',
  'Try again in some minutes, or ask its owner to set the clock and to renew the ticket.',
]

/**
 * Translates an answer of 300 or more; no URL is named, since each holds a signature. `isKnown`: the store has answered
 * before.
 */
export function toTicketFailure(ticket: Ticket, answer: Answer, method: string, isKnown = false): Failure {
  const {container, key} = ticket.target
  const context = {container, key, method}
  const {failure, isEarly, isPage} =
    ticket.kind === 's3' ? readS3(answer, context, isKnown) : {failure: readSwift(answer, context), isEarly: false}
  // Who stands in between does not judge the ticket.
  if (isPage === true) return failure
  // By the store's own clock, whatever ours says.
  const isOver = timeLeft(ticket, Date.parse(answer.headers.date ?? '') || Date.now()) === 0
  const isRefused = ['auth', 'forbidden'].includes(failure.code)
  const code = isRefused && isOver ? 'expired' : failure.code
  const told = isEarly ? EARLY : isRefused && !isOver && ticket.kind === 'swift' ? VAGUE : tell(code, failure)
  if (told === undefined) return failure
  const [message, suggestion] = told
  // Nothing about a signature changes by asking again.
  return new Failure(code, message, {context: failure.context, suggestion})
}

interface ReadS3 {
  readonly failure: Failure
  readonly isEarly: boolean
  readonly isPage?: boolean
}

function readS3(answer: Answer, context: FailureContext, isKnown: boolean): ReadS3 {
  const refusal = {...s3.readRefusal(answer), isKnown}
  const {providerCode, message} = refusal
  const isEarly = providerCode === 'RequestTimeTooSkewed' || /not (?:yet valid|valid yet)/iu.test(message)
  return {failure: s3.toFailure(refusal, context), isEarly, isPage: refusal.isHtml === true}
}

function readSwift(answer: Answer, context: FailureContext): Failure {
  return swift.toFailure(swift.readRefusal(answer), context)
}

function tell(code: FailureCode, {context: {method, providerCode}}: Failure): Told | undefined {
  const isGone = code === 'not-found' && method !== 'HEAD' && providerCode !== 'NoSuchBucket'
  return isGone ? GONE : SENTENCES[code]
}

export function gone({target: {container, key}}: Ticket): Failure {
  const [message, suggestion] = GONE
  return new Failure('not-found', message, {context: {container, key}, suggestion})
}

export function damaged({target: {container, key}}: Ticket): Failure {
  return new Failure('integrity', `Bytes of "${container}/${key}" were damaged on the way.`, {
    context: {container, key},
    retryable: true,
  })
}
