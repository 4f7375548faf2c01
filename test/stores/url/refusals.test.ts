import {createServer} from 'node:http'
import type {IncomingMessage, Server, ServerResponse} from 'node:http'
import type {AddressInfo} from 'node:net'
import {createHash, createHmac} from 'node:crypto'
import {expect} from 'chai'
import type {Failure, FailureCode} from '../../../src/core/failure.ts'
import {startSandbox} from '../../../src/sandbox/server.ts'
import type {GivenUrl} from '../../../src/stores/open.ts'
import type {ObjectOptions, TempUrl, TempUrlOptions} from '../../../src/stores/store.ts'
import {needSwift, startSwift} from '../../servers/swift.ts'
import {writeS3Error} from '../../support/fault-answers.ts'
import {makeTempFolder} from '../../support/temp-folder.ts'
import {failureOf} from '../contract/bench.ts'
import {at, call, openDrivers} from '../s3/open-drivers.ts'
import type {Access, Drivers} from '../s3/open-drivers.ts'
import {openSwift} from '../swift/open-swift.ts'
import {putByUrl} from './open-urls.ts'

const HOUR = 3_600_000
const BOX = 'url-refusals'

/** What must fail with this code, in these words, naming no signature. */
async function refused(given: GivenUrl, code: FailureCode, words: RegExp, options: ObjectOptions = {}) {
  const failure = await failureOf(putByUrl(given, 'hello', {options}), code)
  expect(failure.message).to.match(words)
  expectNoSecret(failure, given)
  return failure
}

function expectNoSecret(failure: Failure, {url, fields = {}}: GivenUrl): void {
  const {message, suggestion, context} = failure
  const secrets = [...new URL(url).searchParams, ...Object.entries(fields)].filter(([name]) => /sig/iu.test(name))
  for (const [, secret] of secrets) expect(JSON.stringify({message, suggestion, context})).not.to.contain(secret)
}

/** Another signature, and as long: of a short one the other words of a failure might hold the letters. */
const change = (signature: string) => (signature.startsWith('0') ? '1' : '0') + signature.slice(1)

const tamper = ({url}: TempUrl): GivenUrl => ({
  url: url.replace(/(ignature|_sig)=([^&]+)/u, (_, name: string, own: string) => `${name}=${change(own)}`),
})

function describeS3(name: string, open: (context: Mocha.Context) => Promise<Access & {close?(): Promise<void>}>): void {
  describe(`a presigned URL that is refused: ${name}`, () => {
    let access: Awaited<ReturnType<typeof open>>
    let store: Drivers
    const make = (options: Partial<TempUrlOptions> = {}, key = 'k') =>
      store.tempUrl(at(BOX, key), {method: 'PUT', expiresIn: HOUR, ...options}, call)

    before(async function () {
      this.timeout(120_000)
      access = await open(this)
      store = openDrivers(access)
      await store.createContainer(at(BOX), {}, call)
      await store.put(BOX, 'old', 'old')
    })
    afterEach(async () => {
      // Nothing of this may have replaced what stood there.
      const pieces: Buffer[] = []
      await store.read(at(BOX, 'old'), undefined, bytes => void pieces.push(Buffer.from(bytes)), call)
      expect(String(Buffer.concat(pieces))).to.equal('old')
    })
    after(async () => {
      store?.close()
      await access?.close?.()
    })

    it('was changed', async () => {
      await refused(tamper(await make({}, 'old')), 'auth', /was changed or cut off/u)
      const {url} = await make()
      await refused({url: url.replace(`/${BOX}/k`, `/${BOX}/old`)}, 'auth', /was changed/u)
    })

    it('is for reading, whether there is something or not', async () => {
      for (const key of ['old', 'nothing']) {
        await refused({url: (await make({method: 'GET'}, key)).url}, 'usage', /for downloading/u)
      }
    })

    it('is for deleting', async () => {
      await refused({url: (await make({method: 'DELETE'}, 'old')).url}, 'auth', /does not accept the URL/u)
    })

    it('was made by keys that nobody knows', async () => {
      const stranger = openDrivers({...access, accessKeyId: 'NOBODY'})
      const {url} = await stranger.tempUrl(at(BOX, 'old'), {method: 'PUT', expiresIn: HOUR}, call)
      stranger.close()
      await refused({url}, 'auth', /does not (?:know the key|accept)/u)
    })

    it('is for another content type, length or MD5', async () => {
      const typed = await refused({url: (await make({contentType: 'x/y'})).url}, 'auth', /another content-type/u)
      expect(typed.suggestion).to.contain('--content-type')
      await refused({url: (await make({contentLength: 6})).url}, 'auth', /another content-length/u)
      const contentMd5 = createHash('md5').update('others').digest('base64')
      await refused({url: (await make({contentMd5})).url}, 'auth', /another content-md5/u)
    })

    it('says the length or the MD5 beside it: refused before anything is sent', async () => {
      await refused(await make({contentLength: 6}), 'usage', /exactly 6 B, and this is 5 B/u)
      const contentMd5 = createHash('md5').update('others').digest('base64')
      await refused(await make({contentMd5}), 'usage', /other bytes/u)
    })

    it('is for a container that is not there', async () => {
      const {url} = await store.tempUrl(at('no-such-box', 'k'), {method: 'PUT', expiresIn: HOUR}, call)
      await refused({url}, 'not-found', /container is not there/u)
    })

    it('has ended by the store alone', async () => {
      const soon = await make({expiresIn: 1000})
      const {url} = soon
      await new Promise(resolve => setTimeout(resolve, 1100))
      // What this machine would think an hour earlier.
      const {openUrl, readSignedUrl} = await import('../../../src/stores/open.ts')
      const signed = await readSignedUrl({url}, {}, Date.now() - HOUR)
      const opened = await openUrl(signed, {wire: store.wire, concurrency: 1, retry: {retryFor: 0}})
      const body = {size: 1, read: (into: Buffer) => Promise.resolve(into.length)}
      const failure = await failureOf(opened.putWhole(signed.target, body, {}, call), 'expired')
      expect(failure.message).to.match(/^The URL has expired/u)
    })
  })
}

describeS3('sandbox', async () => startSandbox({folder: await makeTempFolder()}))
describeS3("OpenStack Swift's S3 API", async context => {
  needSwift(context)
  return (await startSwift()).s3
})

describe('a temp URL of Swift that is refused', function () {
  this.timeout(60_000)
  let opened: Awaited<ReturnType<typeof openSwift>>
  const make = (options: Partial<TempUrlOptions> = {}, key = 'k', box = BOX) =>
    opened.store.tempUrl(at(box, key), {method: 'PUT', expiresIn: HOUR, ...options}, call)

  before(async function () {
    this.timeout(120_000)
    needSwift(this)
    const {v1} = await startSwift()
    opened = await openSwift({auth: {method: 'v1', authUrl: v1.authUrl, user: v1.user, key: v1.key}})
    await opened.store.createContainer(at(BOX), {}, call)
    await opened.store.setTempUrlKey(at(''), 'key', 'one key', call)
    await putByUrl(await make({}, 'old'), 'old')
  })
  afterEach(async () => {
    const {size} = await opened.store.head(at(BOX, 'old'), call)
    expect(size).to.equal(3)
  })
  after(() => opened?.close())

  it('was changed', async () => {
    await refused(tamper(await make({}, 'old')), 'auth', /was changed or cut off/u)
    const {url} = await make()
    await refused({url: url.replace('/k?', '/old?')}, 'auth', /was changed/u)
  })

  it('is for reading, whether there is something or not', async () => {
    for (const key of ['old', 'nothing']) {
      await refused({url: (await make({method: 'GET'}, key)).url}, 'usage', /for downloading/u)
    }
  })

  it('is for deleting', async () => {
    await refused({url: (await make({method: 'DELETE'}, 'old')).url}, 'auth', /is not for PUT/u)
  })

  it('is for other addresses, and names them', async () => {
    await refused({url: (await make({ipRange: '10.1.0.0/16'})).url}, 'auth', /elsewhere than 10\.1\.0\.0\/16/u)
  })

  it('is for a container that is not there', async () => {
    await refused({url: (await make({}, 'k', 'no-such-box')).url}, 'not-found', /container is not there/u)
  })

  it('is for bytes, a length or a type that it came with', async () => {
    await refused(await make({contentLength: 6}), 'usage', /exactly 6 B/u)
    await refused(await make({contentMd5: createHash('md5').update('x').digest('base64')}), 'usage', /other bytes/u)
    await putByUrl(await make({contentType: 'x/y', metadata: {who: 'me'}}, 'dressed'), 'hello')
    const {contentType, metadata} = await opened.store.head(at(BOX, 'dressed'), call)
    expect({contentType, metadata}).to.deep.equal({contentType: 'x/y', metadata: {who: 'me'}})
  })

  it('must not replace', async () => {
    await refused({url: (await make({}, 'old')).url}, 'exists', /already/u, {noClobber: true})
  })

  it('is for a prefix, and used for another place', async () => {
    const {url} = await make({isPrefix: true}, 'in/')
    await putByUrl({url}, 'hello', {name: 'a b'})
    expect((await opened.store.head(at(BOX, 'in/a b'), call)).size).to.equal(5)
    await refused({url: url.replace('/in/?', '/out/?')}, 'usage', /was changed/u)
    await refused({url: url.replace('/in/?', '/old?').replace('=in%2F', '=')}, 'auth', /was changed/u)
  })
})

describe('signature version 2', function () {
  this.timeout(60_000)
  let access: Access & {endpoint?: string}
  let store: Drivers

  // https://docs.aws.amazon.com/AmazonS3/latest/userguide/RESTAuthentication.html
  function sign(key: string, {type = '', md5 = '', method = 'PUT'} = {}): string {
    const expires = Math.floor(Date.now() / 1000) + 600
    const text = `${method}\n${md5}\n${type}\n${expires}\n/${BOX}/${key}`
    const signature = createHmac('sha1', access.secretAccessKey).update(text).digest('base64')
    const query = {AWSAccessKeyId: access.accessKeyId, Expires: String(expires), Signature: signature}
    return `${access.endpoint}/${BOX}/${key}?${new URLSearchParams(query).toString()}`
  }

  before(async function () {
    this.timeout(120_000)
    needSwift(this)
    access = (await startSwift()).s3
    store = openDrivers(access)
    await store.createContainer(at(BOX), {}, call)
  })
  after(() => store?.close())

  it('carries nothing that was not signed, and is verified by the ETag', async () => {
    const options = {contentType: 'text/guessed'}
    const stored = await putByUrl({url: sign('v2')}, 'hello', {options})
    expect(stored).to.deep.include({etag: '5d41402abc4b2a76b9719d911017c592', verified: {by: 'md5'}})
    expect((await store.head(at(BOX, 'v2'), call)).contentType).not.to.equal('text/guessed')
  })

  it('carries what was: the type, the MD5', async () => {
    const md5 = createHash('md5').update('hello').digest('base64')
    const headers = {'content-type': 'x/y', 'content-md5': md5}
    await putByUrl({url: sign('v2-typed', {type: 'x/y', md5}), headers}, 'hello')
    expect((await store.head(at(BOX, 'v2-typed'), call)).contentType).to.equal('x/y')
  })

  it('tells what may be missing', async () => {
    const failure = await refused({url: sign('v2', {type: 'x/y'})}, 'auth', /does not accept the URL/u)
    expect(failure.suggestion).to.contain('--content-type')
    await refused({url: sign('v2', {method: 'GET'})}, 'usage', /for downloading/u)
  })
})

describe('a form that is used', () => {
  let sandbox: Awaited<ReturnType<typeof startSandbox>>
  let store: Drivers
  const make = (options: Partial<TempUrlOptions> = {}, key = 'form') =>
    store.tempUrl(at(BOX, key), {method: 'POST', maxSize: 1000, expiresIn: HOUR, ...options}, call)

  before(async () => {
    sandbox = await startSandbox({folder: await makeTempFolder()})
    store = openDrivers(sandbox)
    await store.createContainer(at(BOX), {}, call)
  })
  after(async () => {
    store.close()
    await sandbox.close()
  })

  for (const size of [0, 1, 999, 1000]) {
    it(`takes ${size} bytes as they are`, async () => {
      const bytes = Buffer.alloc(size, '\r\n--')
      const sent: number[] = []
      const own = {...call, onSent: (count: number) => void sent.push(count)}
      const stored = await putByUrl(await make({contentType: 'x/y', metadata: {who: 'me'}}, 'ä "b"\n'), bytes, {
        call: own,
      })
      expect(stored).to.deep.include({size, verified: {by: 'md5'}, md5: createHash('md5').update(bytes).digest('hex')})
      const pieces: Buffer[] = []
      const info = await store.read(at(BOX, 'ä "b"\n'), undefined, each => void pieces.push(Buffer.from(each)), call)
      expect(info).to.deep.include({contentType: 'x/y', metadata: {who: 'me'}})
      expect(Buffer.concat(pieces).equals(bytes)).to.equal(true)
      expect(sent.every(count => count <= size)).to.equal(true)
      expect(sent.at(-1)).to.equal(size)
    })
  }

  it('is refused for too large a file, before anything is sent', async () => {
    const before = sandboxRequests(store)
    const failure = await refused(await make({maxSize: 4}), 'too-large', /at most 4 B, and this is 5 B/u)
    expect(failure.suggestion).to.contain('--max-size')
    await refused(await make({contentLength: 7}), 'usage', /at least 7 B/u)
    expect(sandboxRequests(store)).to.equal(before)
  })

  it('is refused when it was changed', async () => {
    const {url, fields = {}} = await make()
    await refused({url, fields: {...fields, key: 'other'}}, 'forbidden', /policy of the form does not allow.*\$key/u)
    await refused({url, fields: {...fields, extra: 'x'}}, 'forbidden', /does not accept the form/u)
    const wrong = change(fields['x-amz-signature'] ?? '')
    await refused({url, fields: {...fields, 'x-amz-signature': wrong}}, 'auth', /was changed/u)
    await refused({url: url.replace(BOX, 'no-such-box'), fields}, 'forbidden', /policy/u)
  })

  it('takes the name of the file where its key says so, and follows no redirect', async () => {
    const {url, fields = {}} = await make({}, 'x')
    const policy = JSON.parse(Buffer.from(fields['policy'] ?? '', 'base64').toString()) as {
      conditions: unknown[]
    }
    // Signed anew by the rule of SigV4, since Skylift makes no such form.
    const conditions = policy.conditions.map(each =>
      JSON.stringify(each).includes('$key') ? ['starts-with', '$key', 'in/'] : each,
    )
    conditions.push(['starts-with', '$Content-Type', ''], {success_action_redirect: 'http://127.0.0.1:9/thanks'})
    const text = Buffer.from(JSON.stringify({...policy, conditions})).toString('base64')
    const [, date = '', region = ''] = (fields['x-amz-credential'] ?? '').split('/')
    const hmac = (key: Buffer | string, data: string) => createHmac('sha256', key).update(data).digest()
    const key = [date, region, 's3', 'aws4_request'].reduce(hmac, Buffer.from(`AWS4${sandbox.secretAccessKey}`))
    const signed = {...fields, key: 'in/${filename}', policy: text, 'x-amz-signature': hmac(key, text).toString('hex')}
    const given = {url, fields: signed}
    const options = {contentType: 'text/guess'}
    const stored = await putByUrl(given, 'hello', {name: 'my "file" ü.txt', options})
    expect(stored.etag).to.equal('5d41402abc4b2a76b9719d911017c592')
    expect(stored.target.key).to.equal(`${BOX}/in/my "file" ü.txt`)
    expect((await store.head(at(BOX, 'in/my "file" ü.txt'), call)).contentType).to.equal('text/guess')
  })
})

function sandboxRequests(store: Drivers): number {
  return store.requests.length
}

describe('what a store may answer to a URL', () => {
  const servers: Server[] = []
  afterEach(() => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections()
      server.close()
    }
  })

  async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
    const server = createServer((request, response) => {
      request.resume().once('end', () => answer(request, response))
    })
    servers.push(server)
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const date = new Date().toISOString().replaceAll(/[-:]|\.\d+/gu, '')
    const query = `X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKID&X-Amz-Date=${date}&X-Amz-Expires=3600&X-Amz-SignedHeaders=host&X-Amz-Signature=5ec2e7`
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/b/k?${query}`
  }

  function xml(status: number, code: string, message: string, headers: Record<string, string> = {}) {
    return (_: IncomingMessage, response: ServerResponse): void =>
      void response.writeHead(status, {'content-type': 'application/xml', ...headers}).end(writeS3Error(code, message))
  }

  for (const [title, code, words, answer] of [
    [
      'expired, by a clock that is ahead of ours',
      'expired',
      /by the store's clock; this machine's is (?:2 h|1 h 59 min) behind\.$/u,
      (request, response) =>
        xml(403, 'AccessDenied', 'Request has expired', {date: new Date(Date.now() + 7_200_000).toUTCString()})(
          request,
          response,
        ),
    ],
    [
      'expired with the keys of its maker',
      'expired',
      /credentials that signed the URL have expired/u,
      xml(400, 'ExpiredToken', 'The provided token has expired.'),
    ],
    ['not good yet', 'auth', /not good yet/u, xml(403, 'AccessDenied', 'Request is not valid yet')],
    ['skewed', 'auth', /not good yet/u, xml(403, 'RequestTimeTooSkewed', 'The difference is too large.')],
    ['denied', 'forbidden', /whoever made it may not write/u, xml(403, 'AccessDenied', 'Access Denied')],
    [
      'of another region',
      'config',
      /another address/u,
      xml(301, 'PermanentRedirect', 'Go elsewhere', {location: 'http://127.0.0.1:9/'}),
    ],
    [
      'answered by a page, as of a hotel',
      'config',
      /no S3 store: it sent a web page/u,
      (_, response) => void response.end('<!doctype html><p>Welcome'),
    ],
    [
      'answered by another server, with words and their ETag',
      'config',
      /no S3 store: it answers an upload with words/u,
      (_, response) => void response.writeHead(200, {etag: 'W/"2-nOO9QiTIwXgNtWtBJezz8kv3SLc"'}).end('OK'),
    ],
    ['used up: something stands there', 'exists', /already/u, xml(412, 'PreconditionFailed', 'At least one')],
    ['too small for it', 'too-large', /so large a body/u, xml(400, 'EntityTooLarge', 'Too large')],
    [
      'more than a proxy lets through',
      'too-large',
      /so large a body/u,
      (_, response) => void response.writeHead(413).end('<html>413 Request Entity Too Large</html>'),
    ],
    ['answered without an ETag', 'integrity', /did not say what it stored/u, (_, response) => void response.end()],
    [
      'answered with other bytes',
      'integrity',
      /holds other bytes/u,
      (_, response) => void response.writeHead(200, {etag: `"${'0'.repeat(32)}"`}).end(),
    ],
    [
      'repeated by the store',
      'usage',
      /^The store refused the request: bad … in \/b\/k/u,
      xml(400, 'Odd', 'bad 5ec2e7 in /b/k'),
    ],
  ] as readonly (readonly [
    string,
    FailureCode,
    RegExp,
    (request: IncomingMessage, response: ServerResponse) => void,
  ])[]) {
    it(`tells a URL that is ${title}`, async () => {
      await refused({url: await serve(answer)}, code, words)
    })
  }

  it('tells a checksum that some signers put into the query', async () => {
    const url = await serve(xml(400, 'BadDigest', 'The CRC32 you specified did not match'))
    await refused({url: `${url}&x-amz-checksum-crc32=AAAAAA%3D%3D`}, 'usage', /checksum of other bytes/u)
  })

  it('asks no store for more than a byte when it looks what a URL is for', async () => {
    const seen: string[] = []
    const url = await serve((request, response) => {
      seen.push(`${request.method} ${request.headers.range ?? ''}`)
      xml(403, 'SignatureDoesNotMatch', 'no')(request, response)
    })
    await refused({url}, 'auth', /was changed/u)
    expect(seen).to.deep.equal(['PUT ', 'GET bytes=0-0'])
  })

  it('says it where a store tells no checksum at all', async () => {
    const url = await serve((_, response) => void response.writeHead(200, {etag: '"opaque"'}).end())
    const {verified} = await putByUrl(
      {url: url.replace(/X-Amz-.*/u, 'AWSAccessKeyId=A&Signature=s&Expires=9999999999')},
      'x',
    )
    expect(verified).to.deep.equal({by: 'none', note: "the URL allows no checksum, and the store's ETag is none"})
  })

  it('is tried again whole while the store cannot', async () => {
    const bodies: number[] = []
    const url = await serve((request, response) => {
      bodies.push(Number(request.headers['content-length']))
      if (bodies.length < 3) return xml(503, 'SlowDown', 'Please')(request, response)
      response.writeHead(200, {etag: '"5d41402abc4b2a76b9719d911017c592"'}).end()
    })
    await putByUrl({url}, 'hello')
    expect(bodies).to.deep.equal([5, 5, 5])
  })
})
