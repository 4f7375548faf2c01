import {createHash} from 'node:crypto'
import {createServer} from 'node:http'
import type {AddressInfo} from 'node:net'
import {fileURLToPath} from 'node:url'
import {expect} from 'chai'
import {parse} from 'content-disposition'
import {build} from 'esbuild'
import {nock, useNock} from '../../support/nock.ts'
import {startSandbox} from '../../../src/sandbox/server.ts'
import type {Sandbox} from '../../../src/sandbox/server.ts'
import {AWS, SANDBOX, UNKNOWN} from '../../../src/stores/s3/quirks.ts'
import type {TempUrl, TempUrlOptions} from '../../../src/stores/store.ts'
import {needSwift, startSwift} from '../../servers/swift.ts'
import {makeTempFolder} from '../../support/temp-folder.ts'
import {at, call, failureOf, openDrivers, useUrl} from './open-drivers.ts'
import type {Drivers} from './open-drivers.ts'

const HOUR = 3_600_000
const KEYS = [
  'plain.txt',
  'with space + plus & amp = is ? question # hash.txt',
  '100% %41 %2F.txt',
  'quotes \' " and (brackets) [square] {curly} * ! ~ ^ | < > `.txt',
  'größe/日本語/😀.txt',
  'a//b',
  '/leading',
  'trailing/',
  'dots/../up/./here',
  'semi;colon,comma:colon@at$dollar\\back',
  'line\nbreak\ttab',
  'עברית/العربية.txt',
]
const NAMES = [
  'plain.txt',
  'résumé, v2.tar',
  'two  spaces and a + plus.txt',
  'quote " inside.txt',
  "it's (a) *star*.txt",
  'back\\slash.txt',
  '100%.txt',
  '%41%2F.txt',
  'semi;colon=equal.txt',
  '日本語のファイル.pdf',
  '😀 and 👩‍👩‍👧.png',
  'עברית والعربية.txt',
  '=?utf-8?q?abc?=.txt',
  'a/b.txt',
  '.hidden',
  'no extension',
  'ñ (NFD).txt',
  `${'x'.repeat(251)}.txt`,
  `${'語'.repeat(83)}.txt`,
]

const tamper = (url: string): string => url.replace(/.$/u, last => (last === '0' ? '1' : '0'))

function describeLinks(name: string, open: (context: Mocha.Context) => Promise<Drivers>): void {
  describe(`temp URLs of S3: ${name}`, () => {
    let store: Drivers
    const make = (key: string, options: Partial<TempUrlOptions> = {}): Promise<TempUrl> =>
      store.tempUrl(at('links', key), {method: 'GET', expiresIn: HOUR, ...options}, call)

    before(async function () {
      this.timeout(120_000)
      store = await open(this)
      await store.createContainer(at('links'), {}, call)
    })
    after(() => store?.close())

    for (const key of KEYS) {
      it(`put, head, get and delete ${JSON.stringify(key)}`, async () => {
        const sent = store.requests.length
        const metadata = {who: 'me', 'a-name': 'größe'}
        const put = await make(key, {method: 'PUT', contentType: 'text/x-test', metadata})
        const [head, get, remove] = [
          await make(key, {method: 'HEAD'}),
          await make(key),
          await make(key, {method: 'DELETE'}),
        ]
        expect(store.requests.length, 'requests').to.equal(sent)
        const text = `bytes of ${key}`
        expect(await useUrl(put, text)).to.include({status: 200})
        const found = await useUrl(head)
        expect(found.status).to.equal(200)
        expect(found.headers).to.include({
          'content-length': String(Buffer.byteLength(text)),
          'content-type': 'text/x-test',
          'x-amz-meta-who': 'me',
        })
        expect((await store.head(at('links', key), call)).metadata).to.deep.equal(metadata)
        expect(await useUrl(get)).to.include({status: 200, text})
        expect((await useUrl(remove)).status).to.equal(204)
        expect((await useUrl(get)).status).to.equal(404)
      })
    }

    it('a PUT needs exactly the headers that were signed', async () => {
      const text = 'twelve bytes'
      const contentMd5 = createHash('md5').update(text).digest('base64')
      const put = await make('exact', {
        method: 'PUT',
        contentType: 'text/plain',
        contentLength: 12,
        contentMd5,
        metadata: {Who: 'me'},
      })
      expect(put.headers).to.deep.equal({
        'content-type': 'text/plain',
        'content-length': '12',
        'content-md5': contentMd5,
        'x-amz-meta-who': 'me',
      })
      const use = (headers: Record<string, string>, body = text) => useUrl({...put, headers}, body)
      const {'x-amz-meta-who': _who, ...withoutWho} = put.headers
      const {'content-type': _type, ...withoutType} = put.headers
      for (const reply of [
        await use(withoutWho),
        await use(withoutType),
        await use({...put.headers, 'content-type': 'text/html'}),
        await use({...put.headers, 'x-amz-meta-who': 'you'}),
        await use({...put.headers, 'x-amz-acl': 'public-read'}),
        await use(put.headers, 'thirteen bytes'),
      ]) {
        expect(reply.status).to.equal(403)
      }
      expect(await use(put.headers, 'twelve BYTES')).to.include({status: 400, code: 'BadDigest'})
      expect((await use(put.headers)).status).to.equal(200)
    })

    it('one method, one key, until it ends', async () => {
      await store.put('links', 'mine', 'mine')
      await store.put('links', 'other', 'other')
      const get = await make('mine')
      expect((await useUrl({...get, method: 'PUT'}, 'x')).status).to.equal(403)
      expect((await useUrl({...get, method: 'DELETE'})).status).to.equal(403)
      expect((await useUrl({...get, url: get.url.replace('/mine?', '/other?')})).status).to.equal(403)
      expect((await useUrl({...get, url: tamper(get.url)})).status).to.equal(403)
      expect((await useUrl({...get, url: get.url.replace('Expires=3600', 'Expires=7200')})).status).to.equal(403)
      const short = await make('mine', {expiresIn: 8000})
      expect((await useUrl(short)).status).to.equal(200)
      await new Promise(resolve => setTimeout(resolve, short.expires.getTime() + 1100 - Date.now()))
      expect((await useUrl(short)).text).to.match(/Request has expired/u)
      expect((await useUrl(get)).text).to.equal('mine')
    })

    it('lasts seven days and no longer', async () => {
      await store.put('links', 'week', 'week')
      const week = 7 * 24 * HOUR
      expect((await useUrl(await make('week', {expiresIn: week}))).status).to.equal(200)
      const failure = await failureOf(make('week', {expiresIn: week + 1000}))
      expect(failure).to.include({code: 'usage'})
      expect(failure.message).to.match(/lasts 7 d at most/u)
      const shorter = await make('week', {expiresIn: 30 * week, allowShorter: true})
      expect(shorter.expires.getTime()).to.be.closeTo(Date.now() + week, 60_000)
      expect(shorter.notes.join(' ')).to.match(/lasts 7 d at most/u)
      expect((await useUrl(shorter)).status).to.equal(200)
    })

    it('a link saves under exactly the name that was asked', async () => {
      await store.put('links', 'some/object.bin', 'some bytes')
      for (const filename of NAMES) {
        const link = await store.link(at('links', 'some/object.bin'), {filename, expiresIn: HOUR}, call)
        const reply = await useUrl(link)
        expect(reply.status, filename).to.equal(200)
        const header = String(reply.headers['content-disposition'])
        expect(header, filename).to.equal(new URL(link.url).searchParams.get('response-content-disposition'))
        expect(header, filename).to.match(/^attachment; filename=[\u0020-\u007E]+$/u)
        expect(parse(header).parameters['filename'], header).to.equal(filename)
      }
    })

    it('a link shows instead of saving, as another type', async () => {
      await store.put('links', 'page', '<p>hello')
      const options = {inline: true, contentType: 'text/html; charset=utf-8', expiresIn: HOUR}
      const reply = await useUrl(await store.link(at('links', 'page'), options, call))
      expect(reply.headers).to.include({
        'content-disposition': 'inline; filename=page',
        'content-type': 'text/html; charset=utf-8',
      })
    })
  })
}

describeLinks('sandbox', async () => {
  const sandbox = await startSandbox({folder: await makeTempFolder()})
  const store = openDrivers(sandbox, {quirks: SANDBOX})
  return {...store, close: () => (store.close(), void sandbox.close())}
})

describeLinks("OpenStack Swift's S3 API", async context => {
  needSwift(context)
  const {s3} = await startSwift()
  return openDrivers(s3)
})

describe('write-once', () => {
  let sandbox: Sandbox
  let known: Drivers
  const once = {method: 'PUT', expiresIn: HOUR, writeOnce: true} as const

  before(async () => {
    sandbox = await startSandbox({folder: await makeTempFolder()})
    known = openDrivers(sandbox, {quirks: SANDBOX})
    await known.createContainer(at('once'), {}, call)
  })
  after(async () => {
    known.close()
    await sandbox.close()
  })

  it('writes where nothing stands, and never replaces', async () => {
    const put = await known.tempUrl(at('once', 'one'), once, call)
    expect(put.headers).to.deep.equal({'if-none-match': '*'})
    expect((await useUrl({...put, headers: {}}, 'bare')).status, 'without the header').to.equal(403)
    expect((await useUrl(put, 'first')).status).to.equal(200)
    expect((await useUrl(put, 'second')).status).to.equal(412)
    expect(
      (await useUrl(await known.tempUrl(at('once', 'one'), {method: 'GET', expiresIn: HOUR}, call))).text,
    ).to.equal('first')
    expect(put.notes[0]).to.match(/replace none/u)
  })

  it('is probed where it is not known, without writing', async () => {
    const store = openDrivers(sandbox)
    await store.createContainer(at('once-empty'), {}, call)
    const empty = await failureOf(store.tempUrl(at('once-empty', 'one'), once, call))
    expect(empty).to.include({code: 'unsupported'})
    expect(empty.message).to.match(/could not be found out/u)
    expect(store.findings.get(sandbox.endpoint)).to.deep.equal({})
    await store.put('once-empty', 'there', 'there')
    const sent = store.requests.length
    const put = await store.tempUrl(at('once-empty', 'one'), once, call)
    expect(put.headers).to.deep.equal({'if-none-match': '*'})
    expect(store.requests.slice(sent).map(({method}) => method)).to.deep.equal(['HEAD', 'GET', 'PUT'])
    expect((await store.head(at('once-empty', 'there'), call)).size).to.equal(5)
    const again = store.requests.length
    await store.tempUrl(at('once-empty', 'two'), once, call)
    expect(store.requests.length, 'remembered').to.equal(again)
    store.close()
  })

  it('fails on OpenStack Swift, and the object that was asked with stays', async function () {
    this.timeout(120_000)
    needSwift(this)
    const store = openDrivers((await startSwift()).s3)
    await store.createContainer(at('once'), {}, call)
    await store.put('once', 'there', 'there')
    const failure = await failureOf(store.tempUrl(at('once', 'there'), once, call))
    expect(failure).to.include({code: 'unsupported'})
    expect(failure.message).to.match(/replaces whatever stands/u)
    expect(failure['suggestion']).to.match(/--random-key/u)
    const read = await useUrl(await store.tempUrl(at('once', 'there'), {method: 'GET', expiresIn: HOUR}, call))
    expect(read.text).to.equal('there')
    store.close()
  })

  it('a store that wants the body first gets none, and is not trusted', async () => {
    let bytes = 0
    const server = createServer((request, response) => {
      request.on('error', () => {})
      request.on('data', (piece: Buffer) => (bytes += piece.length))
      if (request.method !== 'PUT') response.writeHead(200, {etag: '"x"', 'content-length': '5'}).end()
      else request.once('end', () => response.writeHead(200, {etag: '"y"'}).end())
    }).listen(0, '127.0.0.1')
    await new Promise(resolve => server.once('listening', resolve))
    const {port} = server.address() as AddressInfo
    const store = openDrivers({...sandbox, endpoint: `http://127.0.0.1:${port}`})
    const failure = await failureOf(store.tempUrl(at('once', 'there'), once, call))
    expect(failure.message).to.match(/could not be found out/u)
    expect(bytes).to.equal(0)
    store.close()
    server.close()
  })
})

describe('forms with a largest size', () => {
  let sandbox: Sandbox
  let store: Drivers
  const make = (key: string, options: Partial<TempUrlOptions> = {}) =>
    store.tempUrl(at('forms', key), {method: 'PUT', expiresIn: HOUR, maxSize: 10, ...options}, call)
  const post = async ({url, fields = {}}: TempUrl, file: string, changed: Record<string, string> = {}) => {
    const form = new FormData()
    for (const [name, value] of Object.entries({...fields, ...changed})) form.append(name, value)
    form.append('file', new Blob([file]), 'name.txt')
    const response = await fetch(url, {method: 'POST', body: form})
    return {status: response.status, code: /<Code>([^<]*)/u.exec(await response.text())?.[1] ?? ''}
  }

  before(async () => {
    sandbox = await startSandbox({folder: await makeTempFolder()})
    store = openDrivers(sandbox, {quirks: SANDBOX, credentials: {}})
    await store.createContainer(at('forms'), {}, call)
  })
  after(async () => {
    store.close()
    await sandbox.close()
  })

  for (const key of KEYS.filter(each => !/[\n\t]/u.test(each))) {
    it(`takes ten bytes at ${key}, not eleven`, async () => {
      const form = await make(key)
      expect(form.method).to.equal('POST')
      expect(Object.keys(form.fields ?? {})[0]).to.equal('key')
      expect(await post(form, '12345678901')).to.deep.equal({status: 400, code: 'EntityTooLarge'})
      expect(await post(form, '1234567890')).to.include({status: 204})
      expect((await store.head(at('forms', key), call)).size).to.equal(10)
    })
  }

  it('fixes key, type and metadata', async () => {
    const form = await make('fixed', {contentType: 'text/x-test', metadata: {who: 'größe'}})
    expect(await post(form, 'x', {key: 'other'})).to.deep.equal({status: 403, code: 'AccessDenied'})
    expect(await post(form, 'x', {'Content-Type': 'text/html'})).to.include({status: 403})
    expect(await post(form, 'x', {'x-amz-meta-who': 'you'})).to.include({status: 403})
    expect(await post(form, 'x', {'x-amz-meta-more': 'more'})).to.include({status: 403})
    expect(await post(form, 'x')).to.include({status: 204})
    const info = await store.head(at('forms', 'fixed'), call)
    expect(info).to.deep.include({contentType: 'text/x-test', metadata: {who: 'größe'}})
  })

  it('an exact length, and none at all', async () => {
    const exact = await make('exact', {contentLength: 3})
    expect(await post(exact, 'xx')).to.include({code: 'EntityTooSmall'})
    expect(await post(exact, 'xxx')).to.include({status: 204})
    const {url, fields} = await store.tempUrl(at('forms', 'any'), {method: 'POST', expiresIn: HOUR}, call)
    expect(await post({url, fields} as TempUrl, 'x'.repeat(1000))).to.include({status: 204})
  })

  it('says on unknown stores that not all take forms', async () => {
    const unknown = openDrivers(sandbox)
    const form = await unknown.tempUrl(at('forms', 'x'), {method: 'POST', expiresIn: HOUR}, call)
    expect(form.notes.join(' ')).to.match(/Not every store takes forms/u)
    expect((await make('x')).notes.join(' ')).not.to.match(/Not every store/u)
    unknown.close()
  })
})

describe('temp URLs without a store', () => {
  const keys = {accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'a-secret-that-must-not-show'}
  const aws = (region?: string, credentials = {}) =>
    openDrivers({...keys, ...(region === undefined ? {} : {region})}, {quirks: AWS, credentials})
  const get = {method: 'GET', expiresIn: HOUR} as const

  afterEach(() => {
    expect(nock.pendingMocks()).to.deep.equal([])
  })
  useNock()

  it('end with the credentials', async () => {
    const expiration = new Date(Date.now() + 600_500)
    const store = aws('eu-west-1', {sessionToken: 'token', expiration})
    const failure = await failureOf(store.tempUrl(at('box', 'key'), get, call))
    expect(failure).to.include({code: 'usage'})
    expect(failure.message).to.match(/end in (?:10 min|9 min \d+ s),.*1 h cannot be had/u)
    const url = await store.tempUrl(at('box', 'key'), {...get, allowShorter: true}, call)
    expect(url.expires.getTime()).to.be.closeTo(expiration.getTime(), 1500).and.to.be.at.most(expiration.getTime())
    expect(new URL(url.url).searchParams.get('X-Amz-Security-Token')).to.equal('token')
    expect(Number(new URL(url.url).searchParams.get('X-Amz-Expires'))).to.be.within(540, 600)
    const form = await store.tempUrl(at('box', 'key'), {...get, method: 'POST', allowShorter: true}, call)
    expect(form.fields).to.include({'x-amz-security-token': 'token'})
    expect(form.url).to.equal('https://box.s3.eu-west-1.amazonaws.com/')
    const ended = aws('eu-west-1', {expiration: new Date(Date.now() - 1000)})
    expect(await failureOf(ended.tempUrl(at('box', 'key'), get, call))).to.include({code: 'expired'})
    const vague = await aws('eu-west-1', {sessionToken: 'token'}).tempUrl(at('box', 'key'), get, call)
    expect(vague.notes.join(' ')).to.match(/may end before its time/u)
  })

  it('find the region of a container on AWS, once, unsigned', async () => {
    const store = aws()
    const scope = nock('https://box.s3.us-east-1.amazonaws.com', {badheaders: ['authorization', 'x-amz-date']})
      .head('/')
      .reply(301, '', {'x-amz-bucket-region': 'ap-southeast-2'})
    const [one, two] = await Promise.all([
      store.tempUrl(at('box', 'a b'), get, call),
      store.link(at('box', 'c'), {expiresIn: HOUR}, call),
    ])
    expect(await store.publicUrl(at('box', 'a b'), call)).to.equal('https://box.s3.ap-southeast-2.amazonaws.com/a%20b')
    expect(one.url).to.match(/^https:\/\/box\.s3\.ap-southeast-2\.amazonaws\.com\/a%20b\?/u)
    expect(new URL(two.url).searchParams.get('X-Amz-Credential')).to.match(/\/ap-southeast-2\/s3\/aws4_request$/u)
    expect(store.requests.map(({method}) => method)).to.deep.equal(['HEAD'])
    scope.done()
  })

  it('fail not-found where AWS knows no such container, and ask again', async () => {
    const store = aws()
    for (let time = 0; time < 2; time++) {
      nock('https://box.s3.us-east-1.amazonaws.com').head('/').reply(404)
      expect(await failureOf(store.tempUrl(at('box', 'key'), get, call))).to.include({code: 'not-found'})
    }
  })

  it('have the form that AWS documents', async () => {
    const {url, headers} = await aws('us-east-1').tempUrl(at('dots.in.name', 'key'), {...get, method: 'PUT'}, call)
    const {searchParams, host, pathname} = new URL(url)
    expect([host, pathname]).to.deep.equal(['s3.us-east-1.amazonaws.com', '/dots.in.name/key'])
    expect([...searchParams.keys()].toSorted()).to.deep.equal([
      'X-Amz-Algorithm',
      'X-Amz-Credential',
      'X-Amz-Date',
      'X-Amz-Expires',
      'X-Amz-Signature',
      'X-Amz-SignedHeaders',
    ])
    expect(searchParams.get('X-Amz-SignedHeaders')).to.equal('host')
    expect(headers).to.deep.equal({})
  })

  const wrong: [string, string, Partial<TempUrlOptions>, string][] = [
    ['no key', '', {}, 'usage'],
    ['no lifetime', 'k', {expiresIn: 0}, 'usage'],
    ['half a second', 'k', {expiresIn: 500}, 'usage'],
    ['no number', 'k', {expiresIn: Number.NaN}, 'usage'],
    ['a type for GET', 'k', {contentType: 'text/plain'}, 'usage'],
    ['metadata for DELETE', 'k', {method: 'DELETE', metadata: {}}, 'usage'],
    ['write-once for GET', 'k', {writeOnce: true}, 'usage'],
    ['a largest size for HEAD', 'k', {method: 'HEAD', maxSize: 1}, 'usage'],
    ['a disposition for PUT', 'k', {method: 'PUT', responseDisposition: 'inline'}, 'usage'],
    ['a type that would split the header', 'k', {method: 'PUT', contentType: 'a\r\nb: c'}, 'usage'],
    ['a name of metadata with a space', 'k', {method: 'PUT', metadata: {'a b': 'c'}}, 'usage'],
    ['a negative length', 'k', {method: 'PUT', contentLength: -1}, 'usage'],
    ['an MD5 in hex', 'k', {method: 'PUT', contentMd5: 'd41d8cd98f00b204e9800998ecf8427e'}, 'usage'],
    ['a length above the largest size', 'k', {method: 'PUT', maxSize: 1, contentLength: 2}, 'usage'],
    ['an MD5 in a form', 'k', {method: 'PUT', maxSize: 1, contentMd5: '1B2M2Y8AsgTpgAmY7PhCfg=='}, 'usage'],
    ['a key that a form would change', 'a${filename}', {method: 'PUT', maxSize: 1}, 'usage'],
    ['a form to be used once', 'k', {method: 'PUT', maxSize: 1, writeOnce: true}, 'unsupported'],
  ]
  for (const [name, key, options, code] of wrong) {
    it(`refuse ${name}`, async () => {
      const failure = await failureOf(aws('us-east-1').tempUrl(at('box', key), {...get, ...options}, call))
      expect(failure).to.include({name: 'Failure', code})
      expect(failure.message).to.match(/\.$/u)
    })
  }

  for (const filename of ['', '.', '..', 'a\nb', 'a\u0000b', 'a\u0085b', 'a\u007Fb', '\uD83D']) {
    it(`refuse the file name ${JSON.stringify(filename)}`, async () => {
      const options = {filename, expiresIn: HOUR}
      expect(await failureOf(aws('us-east-1').link(at('box', 'key'), options, call))).to.include({code: 'usage'})
    })
  }

  it('take the name of the object where none is asked, and none where no file can have it', async () => {
    const disposition = async (key: string) => {
      const {url} = await aws('us-east-1').link(at('box', key), {expiresIn: HOUR}, call)
      return new URL(url).searchParams.get('response-content-disposition')
    }
    expect(await disposition('dir/größe.txt')).to.equal(
      "attachment; filename=gr__e.txt; filename*=UTF-8''gr%C3%B6%C3%9Fe.txt",
    )
    expect(await disposition('dir/')).to.equal('attachment')
    expect(await disposition('a\nb')).to.equal('attachment')
  })

  it('warn of what others will do to the name, the key and the URL', async () => {
    const notes = async (key: string, filename: string) =>
      (await aws('us-east-1').link(at('box', key), {filename, expiresIn: HOUR}, call)).notes.join(' ')
    expect(await notes('k', 'a.txt')).to.equal('Whoever holds this URL can download this object until it ends.')
    expect(await notes('k', 'a/b?.txt')).to.match(/put "_" in place of \/ \?/u)
    expect(await notes('k', 'gpj\u202Eexe')).to.match(/invisible/u)
    expect(await notes('k', 'x'.repeat(256))).to.match(/256 bytes/u)
    expect(await notes('k', '語'.repeat(82))).to.match(/246 bytes/u)
    expect(await notes('k', '語'.repeat(81))).not.to.match(/bytes/u)
    expect(await notes('a/../b', 'a')).to.match(/--path-as-is/u)
  })

  it('say nothing of the secret', async () => {
    const store = aws('us-east-1', {secretAccessKey: keys.secretAccessKey})
    const made = [
      await store.tempUrl(at('box', 'key'), get, call),
      await store.tempUrl(at('box', 'key'), {...get, method: 'POST'}, call),
      await failureOf(store.tempUrl(at('box', 'key'), {...get, expiresIn: 99 * 24 * HOUR}, call)),
    ]
    expect(JSON.stringify(made)).not.to.include(keys.secretAccessKey)
  })

  it('are made without client-s3', async () => {
    const entry = fileURLToPath(new URL('../../../src/stores/s3/links.ts', import.meta.url))
    const {metafile} = await build({
      entryPoints: [entry],
      bundle: true,
      write: false,
      metafile: true,
      platform: 'node',
      format: 'esm',
      logLevel: 'error',
    })
    const inputs = Object.keys(metafile.inputs)
    expect(inputs.some(path => path.endsWith('src/stores/s3/signature.ts'))).to.equal(true)
    expect(inputs.filter(path => path.includes('@aws-sdk/'))).to.deep.equal([])
  })

  it('are unknown stores with a path and their own region', async () => {
    const store = openDrivers(
      {...keys, endpoint: 'https://store.example/base/'},
      {quirks: {...UNKNOWN, defaultRegion: 'here'}},
    )
    const {url} = await store.tempUrl(at('box', 'key'), get, call)
    expect(url).to.match(/^https:\/\/store\.example\/base\/box\/key\?.*%2Fhere%2Fs3%2F/u)
    expect(await store.publicUrl(at('box', 'ü'), call)).to.equal('https://store.example/base/box/%C3%BC')
    expect(store.requests).to.deep.equal([])
  })
})
