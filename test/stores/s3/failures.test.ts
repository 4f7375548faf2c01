import {expect} from 'chai'
import * as fc from 'fast-check'
import {Failure} from '../../../src/core/failure.ts'
import type {FailureCode} from '../../../src/core/failure.ts'
import {readRefusal, toFailure, wantedRegion} from '../../../src/stores/s3/failures.ts'
import {failureOf} from '../../http/support.ts'
import {answer, errorXml, newCall, open, stopAnswering, target, textBody} from './wire.ts'

afterEach(stopAnswering)

const OBJECT = `"box/${target.key}"`
type Expected = readonly [code: FailureCode, retryable: boolean, message: string]

function read(): Promise<Error> {
  return failureOf(open().read(target, undefined, () => {}, newCall()))
}

describe('a refusal of S3 by its code', () => {
  const denied: Expected = ['forbidden', false, `These credentials may not do this with ${OBJECT}.`]
  const slow: Expected = ['busy', true, 'The store asks to slow down.']
  const full: Expected = ['busy', false, 'The store has no room left for "box": its quota is used up.']
  const rows: readonly (readonly [status: number, providerCode: string, expected: Expected])[] = [
    [403, 'AccessDenied', denied],
    [403, 'AllAccessDisabled', ['forbidden', false, 'All access to "box" is disabled.']],
    [403, 'AccountProblem', ['forbidden', false, 'The store refused the request: Its words.']],
    [400, 'ExpiredToken', ['expired', false, 'The credentials have expired.']],
    [400, 'TokenRefreshRequired', ['expired', false, 'The credentials have expired.']],
    [400, 'RequestExpired', ['expired', false, 'The signature of the request has expired.']],
    [403, 'InvalidAccessKeyId', ['auth', false, 'The store does not know this access key.']],
    [
      403,
      'SignatureDoesNotMatch',
      ['auth', false, 'The store does not accept the signature: the key or the secret is wrong.'],
    ],
    [400, 'InvalidToken', ['auth', false, 'The session token is not valid.']],
    [403, 'InvalidSecurity', ['auth', false, 'The store refused the request: Its words.']],
    [400, 'AuthorizationHeaderMalformed', ['auth', false, 'The store does not accept the signature: Its words.']],
    [403, 'RequestTimeTooSkewed', ['auth', true, "This machine's clock differs too much from the store's."]],
    [404, 'NoSuchBucket', ['not-found', false, 'There is no container "box".']],
    [404, 'NoSuchKey', ['not-found', false, `There is no object ${OBJECT}.`]],
    [404, 'NotFound', ['not-found', false, `There is no ${OBJECT}.`]],
    [404, 'NoSuchUpload', ['not-found', false, `The store has forgotten the upload of ${OBJECT}.`]],
    [412, 'PreconditionFailed', ['exists', false, `There is already ${OBJECT}.`]],
    [409, 'ConditionalRequestConflict', ['exists', false, `Somebody else is writing ${OBJECT} at this moment.`]],
    [409, 'BucketAlreadyExists', ['exists', false, 'The name "box" is taken by somebody else.']],
    [409, 'BucketAlreadyOwnedByYou', ['exists', false, 'The container "box" is yours already.']],
    [409, 'BucketNotEmpty', ['exists', false, 'The container "box" is not empty.']],
    [400, 'EntityTooLarge', ['too-large', false, `The store does not take so large a body for ${OBJECT}.`]],
    [400, 'MaxMessageLengthExceeded', ['too-large', false, 'The store refused the request: Its words.']],
    [400, 'KeyTooLongError', ['usage', false, 'The key is too long: 1,024 bytes of UTF-8 are allowed.']],
    [400, 'InvalidBucketName', ['usage', false, '"box" is not a name that this store allows for a container.']],
    [400, 'InvalidStorageClass', ['usage', false, 'The store does not know this storage class.']],
    [400, 'BadDigest', ['integrity', true, `Bytes of ${OBJECT} were damaged on the way: the checksum differs.`]],
    [400, 'XAmzContentSHA256Mismatch', ['integrity', true, `Bytes of ${OBJECT} were damaged on the way.`]],
    [400, 'InvalidDigest', ['integrity', false, 'The store refused the request: Its words.']],
    [400, 'InvalidPart', ['integrity', false, `The store misses a part of ${OBJECT}.`]],
    [400, 'InvalidPartOrder', ['integrity', false, 'The store refused the request: Its words.']],
    [400, 'EntityTooSmall', ['usage', false, 'A part is smaller than the store allows.']],
    [400, 'IncompleteBody', ['network', true, 'The connection was cut before the store had the whole body.']],
    [400, 'RequestTimeout', ['busy', true, 'The store waited too long for data.']],
    [503, 'SlowDown', slow],
    [400, 'Throttling', slow],
    [400, 'ThrottlingException', slow],
    [429, 'TooManyRequests', slow],
    [503, 'RequestLimitExceeded', slow],
    [503, 'ServiceUnavailable', ['busy', true, 'The store is not available for now.']],
    [500, 'InternalError', ['busy', true, 'The store had an internal error.']],
    [409, 'OperationAborted', ['busy', true, 'The store is busy with a conflicting operation.']],
    [507, 'InsufficientStorage', ['busy', false, 'The store has no room left.']],
    [507, 'XMinioStorageFull', ['busy', false, 'The store has no room left.']],
    [403, 'QuotaExceeded', full],
    [400, 'XMinioAdminBucketQuotaExceeded', full],
    [501, 'NotImplemented', ['unsupported', false, 'The store cannot do this: Its words.']],
    [405, 'MethodNotAllowed', ['unsupported', false, 'The store cannot do this: Its words.']],
    // What nobody listed goes by its status.
    [400, 'SomethingNew', ['usage', false, 'The store refused the request: Its words.']],
    [403, 'SomethingNew', denied],
    [503, 'SomethingNew', ['busy', true, 'The store had an internal error.']],
    [400, 'constructor', ['usage', false, 'The store refused the request: Its words.']],
    [400, '__proto__', ['usage', false, 'The store refused the request: Its words.']],
  ]
  for (const [status, providerCode, [code, retryable, message]] of rows) {
    it(`${status} ${providerCode} is ${code}${retryable ? ', to be tried again' : ''}`, async () => {
      answer(() => [status, errorXml(providerCode, 'Its words.'), {'x-amz-request-id': 'R1'}])
      const failure = await read()
      expect(failure).to.be.instanceOf(Failure)
      expect(failure).to.include({code, retryable, message})
      expect(failure).to.have.deep.property('context', {
        container: 'box',
        key: target.key,
        method: 'GET',
        status,
        providerCode,
        requestId: 'R1',
      })
    })
  }

  it('says what to do about a quota, and about an upload that is forgotten', async () => {
    for (const [status, code, suggestion] of [
      [403, 'QuotaExceeded', /larger quota/u],
      [404, 'NoSuchUpload', /^Run it again: it starts anew, and what makes a stream must make it again\.$/u],
    ] as const) {
      answer(() => [status, errorXml(code)])
      expect(await read())
        .to.have.property('suggestion')
        .that.matches(suggestion)
      stopAnswering()
    }
  })

  it('tells a presigned request that expired from one that is forbidden', async () => {
    answer(() => [403, errorXml('AccessDenied', 'Request has expired')])
    expect(await read()).to.include({code: 'expired', retryable: false})
  })
})

describe('a refusal of S3 by its status alone', () => {
  const rows: readonly (readonly [status: number, expected: Expected])[] = [
    [400, ['usage', false, 'The store refused the request: status 400.']],
    [401, ['auth', false, 'The store wants other credentials.']],
    [403, ['forbidden', false, `These credentials may not do this with ${OBJECT}.`]],
    [404, ['not-found', false, `There is no ${OBJECT}.`]],
    [405, ['unsupported', false, 'The store refused the request: status 405.']],
    [408, ['busy', true, 'The store waited too long for data.']],
    [409, ['busy', true, 'The store refused the request: status 409.']],
    [411, ['unsupported', false, 'The store refused the request: status 411.']],
    [412, ['exists', false, `There is already ${OBJECT}.`]],
    [413, ['too-large', false, `The store does not take so large a body for ${OBJECT}.`]],
    [418, ['usage', false, 'The store refused the request: status 418.']],
    [429, ['busy', true, 'The store asks to slow down.']],
    [500, ['busy', true, 'The store had an internal error.']],
    [501, ['unsupported', false, 'The store cannot do this: status 501.']],
    [502, ['busy', true, 'The store had an internal error.']],
    [503, ['busy', true, 'The store had an internal error.']],
    [504, ['busy', true, 'The store had an internal error.']],
    [507, ['busy', false, 'The store has no room left.']],
    [599, ['busy', true, 'The store had an internal error.']],
  ]
  for (const [status, [code, retryable, message]] of rows) {
    it(`${status} is ${code}${retryable ? ', to be tried again' : ''}`, async () => {
      answer(() => [status])
      const failure = await failureOf(open().head(target, newCall()))
      expect(failure).to.include({code, retryable, message})
      expect(failure).to.have.deep.property('context', {container: 'box', key: target.key, method: 'HEAD', status})
    })
  }

  it('names the place that a redirect leads to, and goes nowhere', async () => {
    for (const status of [301, 302, 303, 308]) {
      for (const text of ['', '<html>Moved</html>']) {
        const seen = answer(() => [status, text, {location: 'https://user:word@other.test:1/a?b=c'}])
        expect(await read()).to.include({
          code: 'config',
          retryable: false,
          message: 'What answers at this endpoint redirects to https://other.test:1.',
        })
        expect(seen).to.have.length(1)
        stopAnswering()
      }
      answer(() => [status, '', {location: '/login'}])
      expect(await read()).to.include({code: 'config', message: `The store refused the request: status ${status}.`})
      stopAnswering()
    }
  })

  it('repeats no more of what a store says than a person reads', async () => {
    answer(() => [400, errorXml('InvalidArgument', 'y'.repeat(100_000))])
    expect((await read()).message).to.equal(`The store refused the request: ${'y'.repeat(500)}….`)
  })

  it('goes by it too where the body is cut, foreign or empty', async () => {
    for (const text of [errorXml('NoSuchKey').slice(0, 40), '{"error": 1}', ' ', '<a><b></a>']) {
      answer([[404, text]])
      expect(await read()).to.include({code: 'not-found', message: `There is no ${OBJECT}.`})
      stopAnswering()
    }
  })

  it('takes a web page for a wrong endpoint, unless it tells of a broken gateway', async () => {
    const page = '\n<!DOCTYPE html><html><body>nginx</body></html>'
    for (const [status, code] of [
      [404, 'config'],
      [403, 'config'],
      [401, 'config'],
      [405, 'config'],
      [413, 'too-large'],
      [502, 'busy'],
      [503, 'busy'],
    ] as const) {
      answer(() => [status, page])
      expect(await read(), String(status)).to.have.property('code', code)
      stopAnswering()
    }
  })

  it('takes the page of a limit of size for that, of a whole object and of a part', async () => {
    answer(() => [413, '<html><head><title>413 Request Entity Too Large</title></head></html>'])
    const store = open()
    const session = {target, uploadId: 'u', options: {}, size: 8, partSize: 8, checksum: 'md5'} as const
    const part = {number: 1, offset: 0, size: 8}
    for (const sending of [
      store.putWhole(target, textBody('contents'), {}, newCall()),
      store.putPart(session, part, textBody('contents'), newCall()),
    ]) {
      const failure = await failureOf(sending)
      expect(failure).to.include({code: 'too-large', retryable: false})
      expect(failure)
        .to.have.property('suggestion')
        .that.matches(/smaller --part-size/u)
    }
  })

  it('takes the page of a firewall for no other store, once this one has answered as S3', async () => {
    const page = '<html><body>Blocked</body></html>'
    const begun = '<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>'
    for (const first of [
      [200, begun],
      [403, errorXml('AccessDenied')],
    ] as const) {
      for (const [status, code] of [
        [401, 'forbidden'],
        [403, 'forbidden'],
        [404, 'config'],
      ] as const) {
        answer([first, [status, page]])
        const store = open()
        await store.begin(target, {}, {size: 8, partSize: 8, count: 1}, newCall()).catch(() => {})
        const failure = await failureOf(store.read(target, undefined, () => {}, newCall()))
        expect(failure, String(status)).to.include({code, retryable: false})
        if (code === 'forbidden') expect(failure.message).to.match(/^What stands before the store does not let/u)
        stopAnswering()
      }
    }
  })

  it('does not take the success of a HEAD for an answer of S3: any server gives it', async () => {
    answer([[200], [403, '<html>Forbidden</html>']])
    const store = open()
    await store.head(target, newCall())
    expect(await failureOf(store.read(target, undefined, () => {}, newCall()))).to.have.property('code', 'config')
  })
})

describe('what a refusal says', () => {
  it('cannot write to the terminal, whatever names and words it has', async () => {
    const hostile = {...target, container: 'b\u001B[2J', key: 'k\r\n\u202Eexe'}
    for (const code of ['AccessDenied', 'NoSuchBucket', 'NotImplemented', 'New\u001B[1mCode', 'InvalidBucketName']) {
      const failure = toFailure(
        {status: 400, providerCode: code, message: 'words\u001B]0;title\u0007\nforged line', headers: {}},
        hostile,
      )
      // oxlint-disable-next-line no-control-regex
      expect(failure.message).to.not.match(/[\u0000-\u001F\u007F-\u009F\u202A-\u202E]/u)
      expect(failure.message).to.match(/^.+[^.]\.$/u)
    }
  })

  it('is one sentence for any refusal, and never fails to be one', () => {
    fc.assert(
      fc.property(
        fc.integer({min: 300, max: 599}),
        fc.string({unit: 'binary'}),
        fc.string({unit: 'binary'}),
        fc.string({unit: 'binary'}),
        (status, providerCode, message, text) => {
          const refusal = readRefusal({status, headers: {}, text})
          for (const each of [refusal, {status, providerCode, message, headers: {}}]) {
            const failure = toFailure(each, {container: message, key: providerCode})
            // oxlint-disable-next-line no-control-regex
            expect(failure.message).to.match(/^[^\u0000-\u001F\u007F-\u009F]+\.$/u)
            expect(failure.context).to.include({status})
          }
        },
      ),
    )
  })

  it('hands on Retry-After, in seconds or as a date in the future', () => {
    const at = (value: string | string[]): number | undefined =>
      toFailure({status: 503, providerCode: '', message: '', headers: {'retry-after': value}}).retryAfter
    expect(at('7')).to.equal(7000)
    expect(at(new Date(Date.now() + 10_000).toUTCString())).to.be.within(1, 10_000)
    for (const value of ['0', '-1', 'soon', '', new Date(Date.now() - 10_000).toUTCString(), ['1', '2']]) {
      expect(at(value)).to.equal(undefined)
    }
  })

  it('reads the region that was wanted out of words', () => {
    expect(wantedRegion("the region 'us-east-1' is wrong; expecting 'eu-central-1'")).to.equal('eu-central-1')
    expect(wantedRegion('the region is wrong')).to.equal(undefined)
  })
})
