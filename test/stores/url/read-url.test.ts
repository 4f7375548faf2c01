import {expect} from 'chai'
import type {FailureCode} from '../../../src/core/failure.ts'
import {readSignedUrl} from '../../../src/stores/open.ts'
import type {GivenUrl} from '../../../src/stores/open.ts'
import type {ObjectOptions} from '../../../src/stores/store.ts'
import {readUrl} from '../../../src/stores/url/read-url.ts'
import {failureOf} from '../contract/bench.ts'

const SIGNATURE = 'a1b2c3d4e5f6'.repeat(5)
const V4 = `X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDSECRET%2F20300102%2Feu-west-1%2Fs3%2Faws4_request&X-Amz-Date=20300102T030405Z&X-Amz-Expires=3600&X-Amz-SignedHeaders=host&X-Amz-Signature=${SIGNATURE}`
const signedWith = (...names: string[]): string => V4.replace('=host', `=${['host', ...names].join('%3B')}`)
const SWIFT = `temp_url_sig=${SIGNATURE}&temp_url_expires=1893557045`
const V2 = `AWSAccessKeyId=AKIDSECRET&Signature=${SIGNATURE}%3D&Expires=1893557045`
const NOW = Date.UTC(2030, 0, 2, 3, 5)

const policy = (conditions: readonly unknown[], expiration = '2030-01-02T04:04:05Z'): string =>
  Buffer.from(JSON.stringify({expiration, conditions})).toString('base64')

function form(fields: Record<string, string> = {}, url = 'https://s3.example.com/box'): GivenUrl {
  const own = {key: 'in/scan.pdf', policy: policy([['content-length-range', 10, 2048]]), 'x-amz-signature': SIGNATURE}
  return {url, fields: {...own, ...fields}}
}

describe('reading a signed URL', () => {
  for (const [title, given, expected] of [
    [
      'a presigned URL in path style',
      {url: `https://s3.example.com:8443/box/a%20dir/%C3%BC%3F.txt?${V4}`},
      {
        kind: 's3',
        version: 4,
        origin: 'https://s3.example.com:8443',
        path: '/box/a%20dir/%C3%BC%3F.txt',
        target: {remote: 'https', container: 's3.example.com:8443', key: 'box/a dir/ü?.txt', takesName: false},
        begins: new Date('2030-01-02T03:04:05Z'),
        expires: new Date('2030-01-02T04:04:05Z'),
        signed: [],
        hasChecksum: false,
      },
    ],
    [
      'what is signed',
      {url: `https://box.s3.amazonaws.com/k?${signedWith('content-type', 'x-amz-meta-who')}`},
      {signed: ['content-type', 'x-amz-meta-who']},
    ],
    [
      'headers that came with it',
      {url: `https://h/b/k?${V4}`, method: 'PUT', headers: {'Content-Type': 'text/plain'}},
      {headers: {'content-type': 'text/plain'}},
    ],
    [
      'a checksum that a signer put into the query',
      {url: `https://h/b/k?x-amz-checksum-crc32=AAAAAA%3D%3D&x-id=PutObject&${V4}`},
      {hasChecksum: true},
    ],
    [
      'dot segments and slashes as they stand',
      {url: `https://h/b/../x//./y?${V4}`},
      {path: '/b/../x//./y', target: {remote: 'https', container: 'h', key: 'b/../x//./y', takesName: false}},
    ],
    ['a key that ends in a slash', {url: `https://h/b/dir/?${V4}`}, {path: '/b/dir/'}],
    [
      'signature version 2, and the headers that a signer names beside it',
      {url: `http://h/b/k?content-type=text%2Fplain&x-amz-acl=private&${V2}`},
      {
        kind: 's3',
        version: 2,
        expires: new Date('2030-01-02T04:04:05Z'),
        signed: [],
        headers: {'content-type': 'text/plain', 'x-amz-acl': 'private'},
      },
    ],
    [
      'a temp URL of Swift',
      {url: `https://swift.example.com/v1/AUTH_a/c%20x/dir/k?${SWIFT}`},
      {
        kind: 'swift',
        isPrefix: false,
        target: {remote: 'https', container: 'swift.example.com', key: 'v1/AUTH_a/c x/dir/k', takesName: false},
        expires: new Date('2030-01-02T04:04:05Z'),
      },
    ],
    [
      'an end in ISO 8601, and a range of addresses',
      {url: `https://h/v1/A/c/k?temp_url_sig=x&temp_url_expires=2030-01-02T04:04:05Z&temp_url_ip_range=10.0.0.0%2F8`},
      {expires: new Date('2030-01-02T04:04:05Z'), ipRange: '10.0.0.0/8'},
    ],
    [
      'a prefix that takes the name',
      {url: `https://h/v1/A/c/in/scan-?temp_url_prefix=in%2Fscan-&${SWIFT}`},
      {isPrefix: true, target: {remote: 'https', container: 'h', key: 'v1/A/c/in/scan-', takesName: true}},
    ],
    [
      'a prefix with a folder behind it',
      {url: `https://h/v1/A/c/in/2030/?temp_url_prefix=in%2F&${SWIFT}`},
      {target: {remote: 'https', container: 'h', key: 'v1/A/c/in/2030/', takesName: true}},
    ],
    [
      'a prefix with a key behind it',
      {url: `https://h/v1/A/c/in/a.pdf?temp_url_prefix=in%2F&${SWIFT}`},
      {target: {remote: 'https', container: 'h', key: 'v1/A/c/in/a.pdf', takesName: false}},
    ],
    [
      'the empty prefix, which is the whole container',
      {url: `https://h/v1/A/c/?temp_url_prefix=&${SWIFT}`},
      {target: {remote: 'https', container: 'h', key: 'v1/A/c/', takesName: true}},
    ],
    [
      'a form',
      form(),
      {
        kind: 'form',
        min: 10,
        max: 2048,
        target: {remote: 'https', container: 's3.example.com', key: 'box/in/scan.pdf', takesName: false},
        expires: new Date('2030-01-02T04:04:05Z'),
      },
    ],
    [
      'a form that takes the name',
      form({key: 'in/${filename}'}, 'https://box.s3.example.com/'),
      {target: {remote: 'https', container: 'box.s3.example.com', key: 'in/', takesName: true}},
    ],
    [
      'all kinds of conditions',
      form({policy: policy([{bucket: 'box'}, ['eq', '$Key', 'k'], ['starts-with', '$Content-Type', 'image/']])}),
      {
        rules: [
          {field: 'bucket', isStart: false, value: 'box'},
          {field: 'key', isStart: false, value: 'k'},
          {field: 'content-type', isStart: true, value: 'image/'},
        ],
      },
    ],
  ] as readonly (readonly [string, GivenUrl, object])[]) {
    it(`tells ${title}`, () => {
      expect(readUrl(given)).to.deep.include(expected)
    })
  }

  for (const [title, given, code, words] of [
    ['no URL', {url: 'no'}, 'usage', /not a URL/u],
    ['nothing', {url: ' '}, 'usage', /not a URL/u],
    ['spaces', {url: `https://h/b/a k?${V4}`}, 'usage', /spaces/u],
    ['letters that are none of a URL', {url: `https://h/b/ü?${V4}`}, 'usage', /characters/u],
    ['a password', {url: `https://me:pass@h/b/k?${V4}`}, 'usage', /password/u],
    ['HTML', {url: `https://h/b/k?${V4.replaceAll('&', '&amp;')}`}, 'usage', /web page/u],
    ['no signature', {url: 'https://h/b/k'}, 'usage', /no signature/u],
    ['what a shell leaves', {url: 'https://h/b/k?X-Amz-Algorithm=AWS4-HMAC-SHA256'}, 'usage', /cut off/u],
    ['a URL without its end', {url: `https://h/v1/a/c/k?temp_url_expires=1893557045`}, 'usage', /cut off/u],
    ['no object', {url: `https://h/?${V4}`}, 'usage', /names no object/u],
    ['a container', {url: `https://h/v1/A/c?${SWIFT}`}, 'usage', /names no object/u],
    ['a changed prefix', {url: `https://h/v1/A/c/out/?temp_url_prefix=in%2F&${SWIFT}`}, 'usage', /was changed/u],
    ['another method', {url: `https://h/b/k?${V4}`, method: 'GET'}, 'usage', /is for GET/u],
    ['an answer that is fixed', {url: `https://h/b/k?response-content-type=x&${V4}`}, 'usage', /for downloading/u],
    ['another operation', {url: `https://h/b/k?x-id=GetObject&${V4}`}, 'usage', /for downloading/u],
    ['one part', {url: `https://h/b/k?partNumber=1&uploadId=x&${V4}`}, 'usage', /one part/u],
    ['a change of rights', {url: `https://h/b/k?acl&${V4}`}, 'usage', /not for storing/u],
    ['Azure', {url: 'https://a.blob.core.windows.net/c/k?sv=2030&sig=x&se=2030'}, 'unsupported', /Azure/u],
    ["Google's own", {url: 'https://h/b/k?X-Goog-Signature=x'}, 'unsupported', /Google/u],
    ['CloudFront', {url: 'https://h/k?Expires=1&Signature=x&Key-Pair-Id=K'}, 'usage', /other than an S3 store/u],
    ['a form without a key', form({key: ''}), 'usage', /no key/u],
    ['a form without a policy', {url: 'https://h/b', fields: {key: 'k'}}, 'usage', /no policy/u],
    ['a policy that is none', form({policy: 'bm8='}), 'usage', /cannot be read/u],
    ['a name in the midst of a key', form({key: 'in/${filename}.tmp'}), 'usage', /midst/u],
  ] as readonly (readonly [string, GivenUrl, FailureCode, RegExp])[]) {
    it(`refuses ${title}`, async () => {
      const failure = await failureOf(readSignedUrl(given, {}, NOW), code)
      expect(failure.message).to.match(words)
      expect(JSON.stringify([failure.message, failure.suggestion, failure.context])).not.to.contain(SIGNATURE)
    })
  }

  for (const [title, given] of [
    ['presigned', {url: `https://h/b/k?${V4}`}],
    ['signed by version 2', {url: `https://h/b/k?${V2}`}],
    ['of Swift', {url: `https://h/v1/A/c/k?${SWIFT}`}],
    ['of a form', form()],
  ] as const) {
    it(`fails expired at the end of a URL ${title}, and not before`, async () => {
      const end = readUrl(given).expires?.getTime() ?? 0
      await readSignedUrl(given, {}, end - 1)
      const failure = await failureOf(readSignedUrl(given, {}, end + 7_200_000), 'expired')
      expect(failure.message).to.match(/^The URL has expired: it ended 2 h ago, at 2030-01-02T04:04:05\.000Z\.$/u)
    })
  }

  for (const [title, query, options, words] of [
    ['a signed header that nobody gave', signedWith('x-amz-meta-who'), {}, /x-amz-meta-who, and its value/u],
    ['metadata that was not signed', V4, {metadata: {who: 'me'}}, /not signed for the header x-amz-meta-who/u],
    ['an ACL that was not signed', V4, {acl: 'private'}, /not signed for the header x-amz-acl/u],
    ['tags that were not signed', V4, {tags: {a: 'b'}}, /x-amz-tagging/u],
    ['a header that Skylift does not know', signedWith('x-amz-request-payer'), {}, /x-amz-request-payer/u],
  ] as readonly (readonly [string, string, ObjectOptions, RegExp])[]) {
    it(`refuses ${title} before anything is sent`, async () => {
      const failure = await failureOf(readSignedUrl({url: `https://h/b/k?${query}`}, options, NOW), 'usage')
      expect(failure.message).to.match(words)
    })
  }

  it('takes options that were signed, and those that no store minds', async () => {
    const url = `https://h/b/k?${signedWith('x-amz-meta-who', 'content-md5', 'content-length', 'if-none-match')}`
    await readSignedUrl({url}, {metadata: {who: 'me'}, noClobber: true, cacheControl: 'no-store'}, NOW)
  })

  it('takes --no-clobber where the store is known to honour it', async () => {
    const query = `?${V4}`
    await readSignedUrl({url: `https://box.s3.amazonaws.com/k${query}`}, {noClobber: true}, NOW)
    await readSignedUrl({url: `https://h/v1/A/c/k?${SWIFT}`}, {noClobber: true}, NOW)
    await failureOf(readSignedUrl({url: `https://h/b/k${query}`}, {noClobber: true}, NOW), 'unsupported')
  })

  it('refuses what Swift does not have, and what the policy of a form does not leave open', async () => {
    await failureOf(readSignedUrl({url: `https://h/v1/A/c/k?${SWIFT}`}, {acl: 'private'}, NOW), 'unsupported')
    await failureOf(readSignedUrl(form(), {metadata: {who: 'me'}}, NOW), 'usage')
    await failureOf(readSignedUrl(form(), {noClobber: true}, NOW), 'usage')
    await failureOf(readSignedUrl({...form(), headers: {'content-type': 'text/plain'}}, {}, NOW), 'usage')
    const open = form({policy: policy([['starts-with', '$content-type', 'image/']])})
    await readSignedUrl({...open, headers: {'content-type': 'image/png'}}, {}, NOW)
    await failureOf(readSignedUrl({...open, headers: {'content-type': 'text/plain'}}, {}, NOW), 'usage')
  })
})
