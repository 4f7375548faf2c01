import {expect} from 'chai'
import type {FailureCode} from '../../../src/core/failure.ts'
import {AWS, UNKNOWN} from '../../../src/stores/s3/quirks.ts'
import {failureOf} from '../../http/support.ts'
import {
  answer,
  crcBase64,
  crcOf,
  ENDPOINT,
  errorXml,
  md5Base64,
  md5Of,
  newCall,
  open,
  PATH,
  stopAnswering,
  target,
  textBody,
  wordsOf,
} from './wire.ts'

afterEach(stopAnswering)

const TEXT = 'hello world'
const OK = [200, '', {etag: `"${md5Of(TEXT)}"`}] as const
const MINE = {'content-length': String(TEXT.length), etag: `"${md5Of(TEXT)}"`}
const PLAIN = {'content-type': 'application/octet-stream', 'content-length': '11'}
const BOTH = {'content-md5': md5Base64(TEXT), 'x-amz-checksum-crc32': crcBase64(TEXT)}
const ECHO = [200, '', {...OK[2], 'x-amz-checksum-crc32': crcBase64(TEXT)}] as const
/** How stores refuse a header that they do not know. */
const UNKNOWN_WORDS = [
  [501, 'NotImplemented'],
  [400, 'InvalidArgument'],
  [400, 'InvalidRequest'],
] as const

describe('putWhole of S3', () => {
  it('carries Content-MD5 to a store that is not known to verify CRC-32, and asks whether it does', async () => {
    const seen = answer([OK])
    const sent: number[] = []
    const stored = await open().putWhole(target, textBody(TEXT), {}, newCall({onSent: bytes => sent.push(bytes)}))
    expect(seen.map(({method, host, path, body}) => [method, host, path, body])).to.deep.equal([
      ['PUT', 'store.test:9000', PATH, TEXT],
    ])
    expect(wordsOf(seen[0]!)).to.deep.equal({...PLAIN, ...BOTH})
    expect(stored).to.deep.equal({
      target,
      size: 11,
      etag: md5Of(TEXT),
      md5: md5Of(TEXT),
      crc32: crcOf(TEXT),
      verified: {by: 'md5'},
    })
    expect(sent).to.deep.equal([11])
  })

  it('carries a CRC-32 where the store is known to verify it, and is sure by its echo', async () => {
    const seen = answer([[200, '', {...OK[2], 'x-amz-checksum-crc32': crcBase64(TEXT), 'x-amz-version-id': 'v1'}]])
    const stored = await open({quirks: AWS}).putWhole(target, textBody(TEXT), {}, newCall())
    expect(wordsOf(seen[0]!)).to.deep.equal({...PLAIN, 'x-amz-checksum-crc32': crcBase64(TEXT)})
    expect(stored).to.deep.include({crc32: crcOf(TEXT), verified: {by: 'crc32'}, versionId: 'v1'})
  })

  it('needs no MD5 any more once the store has shown that it verifies CRC-32', async () => {
    const seen = answer([ECHO, ECHO])
    const store = open()
    const put = () => store.putWhole(target, textBody(TEXT), {}, newCall())
    expect(await put()).to.deep.include({md5: md5Of(TEXT), verified: {by: 'crc32'}})
    expect(store.findings.get(ENDPOINT)).to.deep.equal({checksum: 'crc32'})
    expect(await put())
      .to.deep.include({crc32: crcOf(TEXT), verified: {by: 'crc32'}})
      .and.not.have.property('md5')
    expect(seen.map(wordsOf)).to.deep.equal([
      {...PLAIN, ...BOTH},
      {...PLAIN, 'x-amz-checksum-crc32': crcBase64(TEXT)},
    ])
  })

  it('is as sure by the MD5 where the store passes over the CRC-32, and learns nothing of its parts', async () => {
    const seen = answer([OK, OK])
    const store = open()
    for (let count = 0; count < 2; count++) {
      const stored = await store.putWhole(target, textBody(TEXT), {}, newCall())
      expect(stored).to.deep.include({verified: {by: 'md5'}})
    }
    expect(store.findings.get(ENDPOINT)).to.deep.equal({})
    expect(seen.map(wordsOf)).to.deep.equal([
      {...PLAIN, ...BOTH},
      {...PLAIN, ...BOTH},
    ])
  })

  for (const [status, code] of UNKNOWN_WORDS) {
    it(`leaves the CRC-32 out where both are refused with ${code}, from then on`, async () => {
      const seen = answer([[status, errorXml(code)], OK, OK])
      const store = open()
      for (let count = 0; count < 2; count++) {
        const stored = await store.putWhole(target, textBody(TEXT), {}, newCall())
        expect(stored).to.deep.include({verified: {by: 'md5'}})
      }
      const alone = {...PLAIN, 'content-md5': md5Base64(TEXT)}
      expect(seen.map(wordsOf)).to.deep.equal([{...PLAIN, ...BOTH}, alone, alone])
    })
  }

  it('fails as the store does where something else is refused', async () => {
    answer([
      [400, errorXml('InvalidArgument')],
      [400, errorXml('InvalidArgument')],
    ])
    expect(await failureOf(open().putWhole(target, textBody(TEXT), {}, newCall()))).to.include({code: 'usage'})
  })

  it('compares the ETag where the echo does not come after all, and learns it', async () => {
    answer([OK])
    const store = open()
    store.findings.learn(ENDPOINT, {checksum: 'crc32'})
    const stored = await store.putWhole(target, textBody(TEXT), {}, newCall())
    expect(stored).to.deep.include({md5: md5Of(TEXT), verified: {by: 'md5'}})
    expect(store.findings.get(ENDPOINT)).to.deep.equal({checksum: 'md5'})
  })

  it('sends what the object is to carry', async () => {
    const seen = answer([OK])
    const options = {
      contentType: 'text/plain; charset=utf-8',
      cacheControl: 'no-cache',
      contentDisposition: 'attachment; filename="a.txt"',
      contentEncoding: 'gzip',
      storageClass: 'STANDARD_IA',
      acl: 'public-read',
      sse: 'aws:kms',
      sseKmsKeyId: 'key-1',
      tags: {team: 'a b', 'x&y': '1=2+3/ü'},
      metadata: {Origin: 'build 7', city: 'Zürich'},
    }
    await open().putWhole(target, textBody(TEXT), options, newCall())
    expect(wordsOf(seen[0]!)).to.deep.equal({
      'content-length': '11',
      ...BOTH,
      'content-type': 'text/plain; charset=utf-8',
      'cache-control': 'no-cache',
      'content-disposition': 'attachment; filename="a.txt"',
      'content-encoding': 'gzip',
      'x-amz-storage-class': 'STANDARD_IA',
      'x-amz-acl': 'public-read',
      'x-amz-server-side-encryption': 'aws:kms',
      'x-amz-server-side-encryption-aws-kms-key-id': 'key-1',
      'x-amz-tagging': 'team=a%20b&x%26y=1%3D2%2B3%2F%C3%BC',
      'x-amz-meta-origin': 'build 7',
      'x-amz-meta-city': '=?UTF-8?B?WsO8cmljaA==?=',
    })
  })

  it('sends an empty object with the length 0', async () => {
    const seen = answer([[200, '', {etag: `"${md5Of('')}"`}]])
    expect(await open().putWhole(target, textBody(''), {}, newCall())).to.include({size: 0, crc32: '00000000'})
    expect(wordsOf(seen[0]!)).to.include({'content-length': '0', 'content-md5': md5Base64('')})
  })

  const wrong: [string, Record<string, string>][] = [
    ['an ETag of other bytes', {etag: `"${md5Of('other')}"`}],
    ['an ETag of other bytes in capitals', {etag: `"${md5Of('other').toUpperCase()}"`}],
    ['an echo of other bytes', {etag: `"${md5Of(TEXT)}"`, 'x-amz-checksum-crc32': crcBase64('other')}],
    ['no ETag', {}],
  ]
  for (const [what, headers] of wrong) {
    it(`fails integrity, to be tried again, on ${what}`, async () => {
      answer([[200, '', headers]])
      const failure = await failureOf(open().putWhole(target, textBody(TEXT), {}, newCall()))
      expect(failure).to.include({code: 'integrity', retryable: true})
      expect(failure).to.have.nested.property('context.key', target.key)
    })
  }

  const noSuccess: [string, string, FailureCode, boolean][] = [
    ['words', 'OK', 'config', false],
    ['a document of another kind', '{"ok": true}', 'config', false],
    ['an error', errorXml('AccessDenied'), 'forbidden', false],
    ['an error that nobody knows', errorXml('Odd'), 'busy', true],
  ]
  for (const [what, text, code, retryable] of noSuccess) {
    it(`does not take ${what} inside a 200 for a success, whatever the ETag`, async () => {
      answer([[200, text, {etag: 'W/"2-nOO9QiTIwXgNtWtBJezz8kv3SLc"'}]])
      const failure = await failureOf(open().putWhole(target, textBody(TEXT), {}, newCall()))
      expect(failure).to.include({code, retryable})
    })
  }

  it('judges a store that adds words by its ETag, where that can be compared', async () => {
    answer([
      [200, 'Stored.', {etag: `"${md5Of(TEXT)}"`}],
      [200, 'Stored.', {etag: `"${md5Of('other')}"`}],
    ])
    const store = open()
    expect(await store.putWhole(target, textBody(TEXT), {}, newCall())).to.deep.include({verified: {by: 'md5'}})
    expect(await failureOf(store.putWhole(target, textBody(TEXT), {}, newCall()))).to.have.property('code', 'integrity')
  })

  it('does not take the ETag of SSE-KMS for an MD5', async () => {
    answer([[200, '', {etag: `"${md5Of('sealed')}"`, 'x-amz-server-side-encryption': 'aws:kms'}]])
    expect(await open().putWhole(target, textBody(TEXT), {}, newCall())).to.deep.include({
      etag: md5Of('sealed'),
      verified: {by: 'md5'},
    })
  })

  it('fails BadDigest as damage, to be tried again', async () => {
    answer([[400, errorXml('BadDigest')]])
    expect(await failureOf(open().putWhole(target, textBody(TEXT), {}, newCall()))).to.include({
      code: 'integrity',
      retryable: true,
    })
  })
})

describe('putWhole of S3 that may replace nothing', () => {
  const options = {noClobber: true}

  it('asks the store to check while writing, and nothing before, where it is known to', async () => {
    const seen = answer([OK])
    const stored = await open({quirks: AWS}).putWhole(target, textBody(TEXT), options, newCall())
    expect(seen).to.have.length(1)
    expect(wordsOf(seen[0]!)).to.include({'if-none-match': '*'})
    expect(stored).to.not.have.property('notes')
  })

  it('looks first and asks too where it is not known, and says so', async () => {
    const seen = answer([[404], OK])
    const stored = await open().putWhole(target, textBody(TEXT), options, newCall())
    expect(seen.map(({method}) => method)).to.deep.equal(['HEAD', 'PUT'])
    expect(wordsOf(seen[1]!)).to.include({'if-none-match': '*'})
    expect(stored.notes).to.deep.equal([
      'No object stood there just before; this store is not known to check it while writing.',
    ])
  })

  it('fails exists by the look or by the store, and sends no body after the look', async () => {
    const seen = answer([[200, '', MINE]])
    expect(await failureOf(open().putWhole(target, textBody(TEXT), options, newCall()))).to.include({
      code: 'exists',
      retryable: false,
    })
    expect(seen.map(({method}) => method)).to.deep.equal(['HEAD'])
    stopAnswering()
    answer([[412, errorXml('PreconditionFailed')]])
    const failure = await failureOf(open({quirks: AWS}).putWhole(target, textBody(TEXT), options, newCall()))
    expect(failure).to.include({code: 'exists', message: `There is already "box/${target.key}".`})
  })

  for (const [status, code] of UNKNOWN_WORDS) {
    it(`goes on without the condition where the store refuses it with ${status} ${code}, and remembers that`, async () => {
      const seen = answer([[status, errorXml(code)], [404], OK, [404], OK])
      const store = open({quirks: {...UNKNOWN, conditionalPut: true}})
      const stored = await store.putWhole(target, textBody(TEXT), options, newCall())
      expect(seen.map(({method, headers}) => [method, headers['if-none-match']])).to.deep.equal([
        ['PUT', '*'],
        ['HEAD', undefined],
        ['PUT', undefined],
      ])
      expect(stored.notes).to.have.length(1)
      expect(store.findings.get(ENDPOINT)).to.deep.equal({conditionalPut: false})
      await store.putWhole(target, textBody(TEXT), options, newCall())
      expect(seen.slice(3).map(({method, headers}) => [method, headers['if-none-match']])).to.deep.equal([
        ['HEAD', undefined],
        ['PUT', undefined],
      ])
    })
  }

  it('remembers nothing where the same is refused without the condition', async () => {
    for (const [status, code] of UNKNOWN_WORDS) {
      const refused = [status, errorXml(code, 'The moon.')] as const
      const seen = answer([refused, [404], refused, OK])
      const store = open({quirks: {...UNKNOWN, conditionalPut: true}})
      const failure = await failureOf(store.putWhole(target, textBody(TEXT), options, newCall()))
      expect(failure.message).to.include('The moon')
      expect(store.findings.get(ENDPOINT)).to.deep.equal({})
      await store.putWhole(target, textBody(TEXT), options, newCall())
      expect(seen.map(({headers}) => headers['if-none-match'])).to.deep.equal(['*', undefined, undefined, '*'])
      stopAnswering()
    }
  })

  it('says what the store said of a request that is wrong, where it may not look', async () => {
    const seen = answer([[400, errorXml('InvalidArgument', 'The moon.')], [403], [403]])
    const store = open({quirks: {...UNKNOWN, conditionalPut: true}})
    const failure = await failureOf(store.putWhole(target, textBody(TEXT), options, newCall()))
    expect(failure).to.include({code: 'usage'})
    expect(failure.message).to.include('The moon')
    expect(seen.map(({method}) => method)).to.deep.equal(['PUT', 'HEAD', 'GET'])
  })

  it('writes all the same where it may not look, and says so', async () => {
    const seen = answer([[403], [403], OK])
    const stored = await open().putWhole(target, textBody(TEXT), options, newCall())
    expect(seen.map(({method}) => method)).to.deep.equal(['HEAD', 'GET', 'PUT'])
    expect(stored.notes?.[0]).to.include('may not read')
  })

  it('writes nothing where the store does not know the condition and it may not look', async () => {
    const store = open()
    for (const methods of ['HEAD GET PUT HEAD', 'HEAD']) {
      const seen = answer([[403], [403], [501, errorXml('NotImplemented')], [403]])
      const failure = await failureOf(store.putWhole(target, textBody(TEXT), options, newCall()))
      expect(failure).to.include({code: 'forbidden', retryable: false})
      expect(failure.message).to.match(/^Whether there is already "box\/.* cannot be known: .*\.$/u)
      expect(seen.map(({method}) => method).join(' ')).to.equal(methods)
      expect(seen[2]?.headers['if-none-match']).to.equal(methods === 'HEAD' ? undefined : '*')
      // As an upload that it let us look for would have shown.
      store.findings.learn(ENDPOINT, {conditionalPut: false})
      stopAnswering()
    }
  })

  it('counts what a lost answer had stored as success, and only that', async () => {
    for (const [headers, isOurs] of [
      [MINE, true],
      [{...MINE, etag: '"other"', 'x-amz-checksum-crc32': crcBase64(TEXT)}, true],
      [{...MINE, etag: `"${md5Of(TEXT).toUpperCase()}"`}, true],
      [{...MINE, etag: `"${md5Of('other')}"`}, false],
      [{...MINE, 'content-length': '12'}, false],
    ] as const) {
      const seen = answer(['reset', [412, errorXml('PreconditionFailed')], [200, '', headers]])
      const store = open({quirks: AWS})
      const body = textBody(TEXT)
      expect(await failureOf(store.putWhole(target, body, options, newCall()))).to.include({
        code: 'network',
        retryable: true,
      })
      const again = store.putWhole(target, body, options, newCall())
      if (isOurs) expect(await again).to.include({size: 11, crc32: crcOf(TEXT), etag: headers.etag.replaceAll('"', '')})
      else expect(await failureOf(again)).to.have.property('code', 'exists')
      expect(seen.map(({method}) => method)).to.deep.equal(['PUT', 'PUT', 'HEAD'])
      expect(wordsOf(seen[2]!)).to.deep.equal({'x-amz-checksum-mode': 'ENABLED'})
      stopAnswering()
    }
  })

  it('takes the look itself for the answer of a lost one, where the store is not known', async () => {
    answer([[404], 'reset', [200, '', MINE], [200, '', MINE]])
    const store = open()
    const body = textBody(TEXT)
    expect(await failureOf(store.putWhole(target, body, options, newCall()))).to.have.property('code', 'network')
    expect(await store.putWhole(target, body, options, newCall())).to.include({etag: md5Of(TEXT)})
  })

  it('fails exists for the same bytes of somebody else, when no answer was lost', async () => {
    const seen = answer([[412, errorXml('PreconditionFailed')]])
    expect(await failureOf(open({quirks: AWS}).putWhole(target, textBody(TEXT), options, newCall()))).to.have.property(
      'code',
      'exists',
    )
    expect(seen).to.have.length(1)
  })
})
