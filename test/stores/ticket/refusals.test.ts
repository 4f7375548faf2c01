import {expect} from 'chai'
import {toTicketFailure} from '../../../src/stores/ticket/refusals.ts'
import type {Ticket} from '../../../src/stores/ticket/ticket.ts'
import {OWNER_TICKET, S3_TICKET} from './samples.ts'

const BEFORE = 'Sat, 21 Nov 2026 16:59:59 GMT'
const AFTER = 'Sat, 21 Nov 2026 17:00:01 GMT'

const xml = (code: string, message = ''): string => `<Error><Code>${code}</Code><Message>${message}</Message></Error>`
const INVALID = '401 Unauthorized: Temp URL invalid\n'

interface Row {
  readonly title: string
  readonly ticket: Ticket
  readonly status: number
  readonly date?: string
  readonly text: string
  readonly code: string
  readonly words: RegExp
  readonly isRetryable?: boolean
}

/** What S3 and Swift answer, and what it means to somebody who has nothing but a ticket. */
const ROWS: readonly Row[] = [
  {
    title: 'an end that S3 names',
    ticket: S3_TICKET,
    status: 403,
    text: xml('AccessDenied', 'Request has expired'),
    code: 'expired',
    words: /The ticket has ended/u,
  },
  {
    title: 'credentials that ended early',
    ticket: S3_TICKET,
    status: 400,
    text: xml('ExpiredToken'),
    code: 'expired',
    words: /The ticket has ended/u,
  },
  {
    title: 'a refusal after the end',
    ticket: S3_TICKET,
    status: 403,
    date: AFTER,
    text: '',
    code: 'expired',
    words: /The ticket has ended/u,
  },
  {
    title: 'a signature that was changed',
    ticket: S3_TICKET,
    status: 403,
    text: xml('SignatureDoesNotMatch'),
    code: 'auth',
    words: /it was changed, or the keys/u,
  },
  {
    title: 'what the owner may not do',
    ticket: S3_TICKET,
    status: 403,
    text: xml('AccessDenied'),
    code: 'forbidden',
    words: /who made it may not write there/u,
  },
  {
    title: 'an upload that is gone',
    ticket: S3_TICKET,
    status: 404,
    text: xml('NoSuchUpload'),
    code: 'not-found',
    words: /is gone: it was finished or revoked/u,
  },
  {
    title: 'another word for it',
    ticket: S3_TICKET,
    status: 404,
    text: xml('NoSuchKey'),
    code: 'not-found',
    words: /is gone: it was finished or revoked/u,
  },
  {
    title: 'a container that is gone',
    ticket: S3_TICKET,
    status: 404,
    text: xml('NoSuchBucket'),
    code: 'not-found',
    words: /no container "inbox"/u,
  },
  {
    title: 'a clock that is ahead',
    ticket: S3_TICKET,
    status: 403,
    text: xml('AccessDenied', 'Request is not valid yet'),
    code: 'forbidden',
    words: /not valid yet: the clock of whoever made it/u,
  },
  {
    title: 'the same by its own name',
    ticket: S3_TICKET,
    status: 403,
    text: xml('RequestTimeTooSkewed'),
    code: 'auth',
    words: /not valid yet: the clock of whoever made it/u,
  },
  {
    title: 'too much',
    ticket: S3_TICKET,
    status: 400,
    text: xml('EntityTooLarge'),
    code: 'too-large',
    words: /so large a body/u,
  },
  {
    title: 'a limit of a proxy',
    ticket: S3_TICKET,
    status: 413,
    text: '<html>413 Request Entity Too Large</html>',
    code: 'too-large',
    words: /so large a body/u,
  },
  {
    title: 'a page where nobody has answered before',
    ticket: S3_TICKET,
    status: 403,
    text: '<html>Forbidden</html>',
    code: 'config',
    words: /does not look like an S3 store/u,
  },
  {
    title: 'a store that is busy',
    ticket: S3_TICKET,
    status: 503,
    text: xml('SlowDown'),
    code: 'busy',
    words: /slow down/u,
    isRetryable: true,
  },
  {
    title: 'damage on the way',
    ticket: S3_TICKET,
    status: 400,
    text: xml('BadDigest'),
    code: 'integrity',
    words: /damaged/u,
    isRetryable: true,
  },
  {
    title: 'the one answer of Swift',
    ticket: OWNER_TICKET,
    status: 401,
    text: INVALID,
    code: 'auth',
    words: /it has ended, was changed, or its key was replaced/u,
  },
  {
    title: 'the same after the end',
    ticket: OWNER_TICKET,
    status: 401,
    date: AFTER,
    text: INVALID,
    code: 'expired',
    words: /The ticket has ended/u,
  },
  {
    title: 'a quota',
    ticket: OWNER_TICKET,
    status: 413,
    text: 'Upload exceeds quota.',
    code: 'too-large',
    words: /quota/u,
  },
  {
    title: 'damage that Swift saw',
    ticket: OWNER_TICKET,
    status: 422,
    text: '',
    code: 'integrity',
    words: /damaged/u,
    isRetryable: true,
  },
]

describe('what an answer means to somebody with a ticket', () => {
  for (const {title, ticket, status, date = BEFORE, text, code, words, isRetryable = false} of ROWS) {
    it(title, () => {
      const failure = toTicketFailure(ticket, {status, headers: {date}, text}, 'PUT')
      expect(failure).to.include({code, retryable: isRetryable})
      expect(failure.message)
        .to.match(words)
        .and.match(/^[^\n]+\.$/u)
      expect(failure.context).to.deep.include({container: 'inbox', key: 'a/disk.img', status})
    })
  }

  it('is not what a firewall says, once the store has answered', () => {
    const page = {status: 403, headers: {}, text: '<html>Blocked</html>'}
    const failure = toTicketFailure(S3_TICKET, page, 'PUT', true)
    expect(failure).to.include({code: 'forbidden', retryable: false})
    expect(failure.message).to.match(/^What stands before the store does not let this through/u)
  })
})
