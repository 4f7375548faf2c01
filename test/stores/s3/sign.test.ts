import {createHash, createHmac} from 'node:crypto'
import type {Hash, Hmac} from 'node:crypto'
import {SignatureV4} from '@smithy/signature-v4'
import {expect} from 'chai'
import * as fc from 'fast-check'
import {createPresign, encodeKey, encodeQuery, encodeWord, signHeaders} from '../../../src/stores/s3/sign.ts'

/** The examples of https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html */
const EXAMPLE = {accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'}
const EMPTY = createHash('sha256').update('').digest('hex')

interface Plain {
  readonly method: string
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  readonly headers: Readonly<Record<string, string>>
}

/** Signature Version 4, written a second time from its specification; `payload` is the hash of the body, or a word. */
function signPlainly(
  {method, path, query, headers}: Plain,
  payload: string,
  secret: string,
  region = 'us-east-1',
): string {
  const encode = (text: string): string =>
    [...Buffer.from(text)]
      .map(byte =>
        /[\w.~-]/u.test(String.fromCodePoint(byte))
          ? String.fromCodePoint(byte)
          : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
      )
      .join('')
  const pairs = Object.entries(query).map(([name, value]) => `${encode(name)}=${encode(value)}`)
  const lower = Object.entries(headers).map(
    ([name, value]) => [name.toLowerCase(), value.trim().replaceAll(/ +/gu, ' ')] as const,
  )
  const sorted = lower.toSorted(([a], [b]) => (a < b ? -1 : 1))
  const date = headers['x-amz-date'] ?? query['X-Amz-Date'] ?? ''
  const canonical = [
    method,
    path,
    pairs.toSorted().join('&'),
    ...sorted.map(([name, value]) => `${name}:${value}`),
    '',
    sorted.map(([name]) => name).join(';'),
    payload,
  ].join('\n')
  const scope = `${date.slice(0, 8)}/${region}/s3/aws4_request`
  const text = ['AWS4-HMAC-SHA256', date, scope, createHash('sha256').update(canonical).digest('hex')].join('\n')
  let key: string | Buffer = `AWS4${secret}`
  for (const word of scope.split('/')) key = createHmac('sha256', key).update(word).digest()
  return createHmac('sha256', key).update(text).digest('hex')
}

const DATE = '20130524T000000Z'
/** Half a second past the example's, so that the time a test takes changes nothing. */
const skew = (): number => Date.UTC(2013, 4, 24, 0, 0, 0, 500) - Date.now()

describe('the second signer', () => {
  const host = {host: 'examplebucket.s3.amazonaws.com', 'x-amz-date': DATE}
  const examples: [string, Plain, string, string][] = [
    [
      'GET Object',
      {
        method: 'GET',
        path: '/test.txt',
        query: {},
        headers: {...host, range: 'bytes=0-9', 'x-amz-content-sha256': EMPTY},
      },
      EMPTY,
      'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
    ],
    [
      'GET Bucket Lifecycle',
      {method: 'GET', path: '/', query: {lifecycle: ''}, headers: {...host, 'x-amz-content-sha256': EMPTY}},
      EMPTY,
      'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
    ],
    [
      'Get Bucket (List Objects)',
      {
        method: 'GET',
        path: '/',
        query: {'max-keys': '2', prefix: 'J'},
        headers: {...host, 'x-amz-content-sha256': EMPTY},
      },
      EMPTY,
      '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
    ],
  ]
  for (const [name, plain, payload, signature] of examples) {
    it(`agrees with the documented ${name}`, () => {
      expect(signPlainly(plain, payload, EXAMPLE.secretAccessKey)).to.equal(signature)
    })
  }
})

const raw = fc.string({unit: 'binary', minLength: 1, maxLength: 30})
const asciiHeader = fc.stringMatching(/^[!-~]([ -~]{0,20}[!-~])?$/)

describe('signHeaders', () => {
  it('agrees with the second signer on any key, query and header', async () => {
    await fc.assert(
      fc.asyncProperty(raw, fc.dictionary(raw, raw, {maxKeys: 4}), asciiHeader, async (key, query, value) => {
        const path = `/box/${encodeKey(key)}`
        const headers = signHeaders(
          {method: 'PUT', origin: 'http://store.test:9000', path, query, headers: {'x-amz-meta-a': value}},
          {region: 'eu-north-1', credentials: EXAMPLE, skew: skew()},
        )
        const {authorization, ...rest} = headers
        expect(rest).to.deep.equal({
          host: 'store.test:9000',
          'x-amz-meta-a': value,
          'x-amz-content-sha256': 'UNSIGNED-PAYLOAD',
          'x-amz-date': DATE,
        })
        const plain = {method: 'PUT', path, query, headers: rest as Record<string, string>}
        expect(authorization).to.equal(
          `AWS4-HMAC-SHA256 Credential=${EXAMPLE.accessKeyId}/20130524/eu-north-1/s3/aws4_request, ` +
            'SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-meta-a, ' +
            `Signature=${signPlainly(plain, 'UNSIGNED-PAYLOAD', EXAMPLE.secretAccessKey, 'eu-north-1')}`,
        )
      }),
      {numRuns: 200},
    )
  })

  it('signs the session token too', async () => {
    const headers = signHeaders(
      {method: 'GET', origin: 'https://s3.us-east-1.amazonaws.com', path: '/', query: {}, headers: {}},
      {region: 'us-east-1', credentials: {...EXAMPLE, sessionToken: 'token'}},
    )
    expect(headers).to.include({'x-amz-security-token': 'token', host: 's3.us-east-1.amazonaws.com'})
    expect(headers['authorization']).to.include(
      'SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token,',
    )
  })
})

class Sha256 {
  readonly #hash: Hash | Hmac
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', secret as Buffer)
  }
  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(data as Buffer)
  }
  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest())
  }
  reset(): void {}
}

/** What the SDK of AWS makes of it when it is told to move no header into the query. */
async function presignBySmithy(
  {method, path, query, headers}: Plain,
  {region, credentials, date}: {region: string; credentials: typeof EXAMPLE; date: Date},
  expiresIn: number,
): Promise<string> {
  const signer = new SignatureV4({service: 's3', region, credentials, sha256: Sha256, uriEscapePath: false})
  const names = new Set(Object.keys(headers).map(name => name.toLowerCase()))
  const signed = await signer.presign(
    {
      method,
      protocol: 'http:',
      hostname: 'store.test',
      port: 9000,
      path,
      query: {...query},
      headers: {...headers, host: 'store.test:9000', 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD'},
    },
    {
      expiresIn,
      signingDate: date,
      unhoistableHeaders: new Set([...names, 'x-amz-content-sha256']),
      signableHeaders: names,
      unsignableHeaders: new Set(['x-amz-content-sha256']),
    },
  )
  return `http://store.test:9000${path}?${encodeQuery(signed.query as Record<string, string>)}`
}

describe('createPresign', () => {
  // https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
  it('gives the documented URL', () => {
    const presign = createPresign(
      {origin: 'https://examplebucket.s3.amazonaws.com', path: '/test.txt'},
      {region: 'us-east-1', credentials: EXAMPLE, skew: skew()},
      86_400,
    )
    const {url} = presign({method: 'GET', query: {}, headers: {}})
    expect(url).to.equal(
      'https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256' +
        '&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z' +
        '&X-Amz-Expires=86400' +
        '&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404' +
        '&X-Amz-SignedHeaders=host',
    )
  })

  it('signs every header given, and agrees with the second signer on any key and query', () => {
    fc.assert(
      fc.property(raw, raw, (key, value) => {
        const path = `/box/${encodeKey(key)}`
        const headers = {'content-md5': 'abc=', 'x-amz-meta-a': 'b'}
        const presign = createPresign(
          {origin: 'http://store.test:9000', path},
          {region: 'us-east-1', credentials: {...EXAMPLE, sessionToken: 'to+ken/'}, skew: skew()},
          60,
        )
        const {url} = presign({method: 'PUT', query: {'response-content-disposition': value}, headers})
        const [before = '', search = ''] = url.split('?')
        expect(before).to.equal(`http://store.test:9000${path}`)
        const pairs = search.split('&').map(pair => pair.split('=').map(decodeURIComponent) as [string, string])
        const {'X-Amz-Signature': signature, ...query} = Object.fromEntries(pairs)
        expect(query).to.deep.equal({
          'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
          'X-Amz-Credential': `${EXAMPLE.accessKeyId}/20130524/us-east-1/s3/aws4_request`,
          'X-Amz-Date': DATE,
          'X-Amz-Expires': '60',
          'X-Amz-Security-Token': 'to+ken/',
          'X-Amz-SignedHeaders': 'content-md5;host;x-amz-meta-a',
          'response-content-disposition': value,
        })
        const plain = {method: 'PUT', path, query, headers: {...headers, host: 'store.test:9000'}}
        expect(signature).to.equal(signPlainly(plain, 'UNSIGNED-PAYLOAD', EXAMPLE.secretAccessKey))
      }),
      {numRuns: 200},
    )
  })

  it('agrees with signature-v4 on whatever there is, one URL after the other', async () => {
    const word = fc.string({unit: 'binary', maxLength: 20})
    const secret = fc.string({unit: 'binary', minLength: 1, maxLength: 40})
    const headers = fc.record(
      {
        'Content-Type': asciiHeader,
        'cache-control': asciiHeader,
        'content-md5': asciiHeader,
        'x-amz-meta-a': asciiHeader,
      },
      {requiredKeys: []},
    )
    const query = fc.record(
      {partNumber: word, uploadId: word, 'max-parts': word, 'response-content-disposition': word, versionId: word},
      {requiredKeys: []},
    )
    const request = fc.record({method: fc.constantFrom('GET', 'PUT', 'HEAD', 'POST', 'DELETE'), query, headers})
    const credentials = fc
      .record({accessKeyId: secret, secretAccessKey: secret, sessionToken: fc.option(secret, {nil: undefined})})
      .map(({sessionToken, ...keys}) => (sessionToken === undefined ? keys : {...keys, sessionToken}))
    const date = fc.date({min: new Date('2000-01-01'), max: new Date('2099-12-31'), noInvalidDate: true})
    const region = fc.constantFrom('us-east-1', 'eu-north-1', 'us-gov-west-1')
    const seconds = fc.integer({min: 1, max: 7 * 24 * 3600})
    await fc.assert(
      fc.asyncProperty(
        fc.record({key: raw, region, credentials, date, seconds, requests: fc.array(request, {maxLength: 3})}),
        async ({key, requests, seconds: expiresIn, ...options}) => {
          const path = `/box/${encodeKey(key)}`
          const presign = createPresign({origin: 'http://store.test:9000', path}, options, expiresIn)
          for (const each of requests) {
            const {url, signature} = presign(each)
            expect(url).to.equal(await presignBySmithy({...each, path}, options, expiresIn))
            expect(url).to.include(`&X-Amz-Signature=${signature}&`)
          }
        },
      ),
      {numRuns: 300},
    )
  })

  it('refuses a query that would stand before its own', () => {
    const presign = createPresign({origin: 'http://a', path: '/'}, {region: 'r', credentials: EXAMPLE}, 60)
    expect(() => presign({method: 'GET', query: {A: ''}, headers: {}})).to.throw('in order')
  })
})

describe('the encoding of S3', () => {
  it('leaves the unreserved characters of RFC 3986 and slashes of a key alone, nothing else', () => {
    expect(encodeWord("AZaz09-._~ !'()*+/?#[]@&=%ü🚀")).to.equal(
      'AZaz09-._~%20%21%27%28%29%2A%2B%2F%3F%23%5B%5D%40%26%3D%25%C3%BC%F0%9F%9A%80',
    )
    expect(encodeKey('/a//../b c/')).to.equal('/a//../b%20c/')
    expect(encodeQuery({b: '1+1', a: '', 'A z': '/'})).to.equal('A%20z=%2F&a=&b=1%2B1')
  })

  it('reads back', () => {
    fc.assert(
      fc.property(fc.string({unit: 'grapheme'}), text => {
        expect(decodeURIComponent(encodeKey(text))).to.equal(text)
        expect(encodeWord(text)).to.match(/^(?:[\w.~-]|%[\dA-F]{2})*$/u)
      }),
    )
  })
})
