import {execFile} from 'node:child_process'
import {existsSync} from 'node:fs'
import {promisify} from 'node:util'
import {expect} from 'chai'
import {bufferBody} from '../../../src/core/buffer-body.ts'
import type {TempUrl, TempUrlDigest, TempUrlOptions} from '../../../src/stores/store.ts'
import {signTempUrl} from '../../../src/stores/swift/temp-url.ts'
import {needSwift, startSwift} from '../../servers/swift.ts'
import type {SwiftServer} from '../../servers/swift.ts'
import {skipUnless} from '../../support/skip.ts'
import {failureOf, newCall} from '../contract/bench.ts'
import {ask, makeContainer, signIn} from './foreign-swift.ts'
import type {Reply} from './foreign-swift.ts'
import {openSwift} from './open-swift.ts'
import type {OpenedSwift} from './open-swift.ts'
import {at, textPieces, uploadParts} from './upload-parts.ts'

const run = promisify(execFile)
const SWIFT = '/usr/bin/swift'
const BOX = 'links'
const HOUR = 3_600_000
const KEY = 'a key, ü and /'

const use = ({url, method, headers}: TempUrl, body?: string): Promise<Reply> =>
  ask(url, {method, headers, ...(body === undefined ? {} : {body})})

describe('temp URLs of Swift', function () {
  this.timeout(60_000)
  let server: SwiftServer
  let opened: OpenedSwift
  let auth: {method: 'v1'; authUrl: string; user: string; key: string}
  const make = (key: string, options: Partial<TempUrlOptions> = {}): Promise<TempUrl> =>
    opened.store.tempUrl(at(BOX, key), {method: 'GET', expiresIn: HOUR, ...options}, newCall())
  const put = (key: string, text: string, options = {}) =>
    opened.store.putWhole(at(BOX, key), bufferBody(Buffer.from(text)), options, newCall())

  before(async function () {
    needSwift(this)
    server = await startSwift()
    auth = {method: 'v1', authUrl: server.v1.authUrl, user: server.v1.user, key: server.v1.key}
    await makeContainer(await signIn(server.v1), BOX)
    opened = await openSwift({auth}, {isBare: true})
    await opened.store.setTempUrlKey(at('', ''), 'key', KEY, newCall())
  })
  after(() => opened?.close())

  for (const key of ['plain', 'a b ü+%20?#&.txt', './dot/../x', 'a//b', '/x', 'two\nlines', '🚀']) {
    it(`open the object ${JSON.stringify(key)}, and take one`, async () => {
      expect((await use(await make(key, {method: 'PUT'}), `to ${key}`)).status).to.equal(201)
      const {status, bytes} = await use(await make(key))
      expect([status, String(bytes)]).to.deep.equal([200, `to ${key}`])
    })
  }

  it('use the best digest that the cluster allows, or the one that is wished', async () => {
    expect((await make('plain')).url).to.match(/temp_url_sig=[\da-f]{64}&/u)
    for (const digest of ['sha1', 'sha256', 'sha512'] as const) {
      expect((await use(await make('plain', {digest}))).status, digest).to.equal(200)
    }
  })

  it('cover every key that starts alike, and no other', async () => {
    const {url, method} = await make('in/', {method: 'PUT', isPrefix: true})
    const at_ = (key: string): string => url.replace('/links/in/', `/links/${key}`)
    expect((await ask(at_('in/one'), {method, body: '1'})).status).to.equal(201)
    expect((await ask(at_('out/one'), {method, body: '1'})).status).to.equal(401)
    const all = await opened.store.tempUrl(at(BOX), {method: 'GET', expiresIn: HOUR, isPrefix: true}, newCall())
    expect((await ask(all.url.replace('/links/?', '/links/in/one?'))).status).to.equal(200)
  })

  it('hold for an address range only', async () => {
    expect((await use(await make('plain', {ipRange: '127.0.0.0/8'}))).status).to.equal(200)
    expect((await use(await make('plain', {ipRange: '203.0.113.7'}))).status).to.equal(401)
    await failureOf(make('plain', {ipRange: '203.0.113'}), 'usage')
  })

  it('check the MD5 where the holder sends what comes with the URL', async () => {
    const contentMd5 = 'XUFAKrxLKna5cZ2REBfFkg=='
    const made = await make('sum', {method: 'PUT', contentMd5, contentType: 'text/x-a'})
    expect((await use(made, 'other')).status).to.equal(422)
    expect((await use(made, 'hello')).status).to.equal(201)
    expect(made.notes.join(' ')).to.contain('does not bind')
    expect((await opened.store.head(at(BOX, 'sum'), newCall())).contentType).to.equal('text/x-a')
  })

  it('refuse what Swift cannot do, with a way out', async () => {
    const refused: Partial<TempUrlOptions>[] = [
      {method: 'PUT', writeOnce: true},
      {method: 'PUT', maxSize: 5},
      {method: 'POST', maxSize: 5},
      {responseContentType: 'text/plain'},
      {responseDisposition: 'form-data; name="x"'},
    ]
    for (const options of refused) {
      const failure = await failureOf(make('plain', options), 'unsupported')
      expect(failure.suggestion, JSON.stringify(options)).to.match(/\S\.?$/u)
    }
    await failureOf(make(''), 'usage')
    await failureOf(make('plain', {contentType: 'a/b'}), 'usage')
    await failureOf(make('plain', {expiresIn: 999}), 'usage')
    await failureOf(make('plain', {method: 'PUT', responseDisposition: 'inline'}), 'usage')
  })

  it('name downloads as wished: by link, and by a Content-Disposition', async () => {
    await put('named.bin', 'x', {contentDisposition: 'attachment; filename="stored.bin"'})
    const name = 'résumé, v2 + "a";b.tar'
    const disposition = async (made: TempUrl): Promise<string> => {
      const {status, headers} = await use(made)
      expect(status).to.equal(200)
      return String(headers['content-disposition'])
    }
    const link = (options: {filename?: string; inline?: boolean}) =>
      opened.store.link(at(BOX, 'named.bin'), {expiresIn: HOUR, ...options}, newCall())
    expect(await disposition(await link({}))).to.equal('attachment; filename="stored.bin"')
    expect((await link({})).notes.join(' ')).to.contain('Content-Disposition of its own')
    expect(await disposition(await link({filename: name}))).to.match(
      /^attachment;.*filename\*=UTF-8''r%C3%A9sum%C3%A9%2C%20v2%20%2B%20%22a%22%3Bb\.tar$/u,
    )
    expect(await disposition(await link({inline: true}))).to.equal('inline')
    expect(await disposition(await link({filename: 'a.txt', inline: true}))).to.match(/^inline;.*a\.txt/u)
    const responseDisposition = `inline; filename*=UTF-8''b%20c.txt`
    expect(await disposition(await make('named.bin', {responseDisposition}))).to.match(/^inline;.*b%20c\.txt$/u)
    for (const filename of ['', '..', 'a\nb', '\uD800']) await failureOf(link({filename}), 'usage')
  })

  it('ask nothing of the network where address, key and digest are known', async () => {
    const {storageUrl} = server.v1
    const offline = await openSwift({auth: {method: 'storage-url', storageUrl}, tempUrlKey: KEY}, {isBare: true})
    await put('offline', 'bytes')
    const options = {method: 'GET', expiresIn: HOUR, digest: 'sha256'} as const
    const made = await offline.store.tempUrl(at(BOX, 'offline'), options, newCall())
    expect(offline.requests).to.deep.equal([])
    expect(String((await use(made)).bytes)).to.equal('bytes')
    offline.close()
  })

  for (const [digest, prefix, ipRange] of [
    ['sha1', false, undefined],
    ['sha256', false, undefined],
    ['sha512', false, undefined],
    ['sha256', true, undefined],
    ['sha256', false, '203.0.113.0/24'],
    ['sha512', true, '203.0.113.7'],
  ] as [TempUrlDigest, boolean, string | undefined][]) {
    it(`sign as swift tempurl does: ${digest}${prefix ? ', prefix' : ''}${ipRange ? ', range' : ''}`, async function () {
      skipUnless(this, existsSync(SWIFT), 'the swift client is missing: apt-get install python3-swiftclient')
      const [path, expires] = ['/v1/AUTH_test/box/a b ü/c+d', 1_900_000_000]
      const words = ['tempurl', '--absolute', 'PUT', String(expires), path, KEY, '--digest', digest]
      const more = [...(prefix ? ['--prefix-based'] : []), ...(ipRange ? ['--ip-range', ipRange] : [])]
      const {stdout} = await run(SWIFT, [...words, ...more], {env: {PATH: '/usr/bin:/bin', HOME: '/nonexistent'}})
      const unsigned = {
        method: 'PUT',
        origin: 'http://h',
        path,
        expires,
        ...(prefix ? {prefix: 'a b ü/c+d'} : {}),
        ...(ipRange === undefined ? {} : {ipRange}),
      } as const
      const ours = new URL(signTempUrl(unsigned, KEY, digest)).searchParams
      const theirs = /temp_url_sig=(?<sig>[^&\s]+)/u.exec(stdout)?.groups?.['sig']
      expect(ours.get('temp_url_sig')).to.equal(theirs)
      expect(stdout).to.contain(`temp_url_expires=${ours.get('temp_url_expires')}`)
    })
  }

  describe('keys', () => {
    it('of the container open what the account has no key for, with a note on large objects', async () => {
      const other = {method: 'v1', authUrl: auth.authUrl, user: 'test2:tester2', key: 'testing2'} as const
      const theirs = await openSwift({auth: other}, {isBare: true})
      await theirs.store.createContainer(at('keyed'), {}, newCall())
      const target = at('keyed', 'x')
      const options = {method: 'GET', expiresIn: HOUR} as const
      const failure = await failureOf(theirs.store.tempUrl(target, options, newCall()), 'config')
      expect(failure.suggestion).to.contain('temp-url-key set')
      await theirs.store.setTempUrlKey(at('keyed'), 'key2', 'second', newCall())
      expect(await theirs.store.getTempUrlKeys(at('keyed'), newCall())).to.deep.equal({key2: 'second'})
      await uploadParts(theirs.store, target, textPieces('a', 'b'))
      const made = await theirs.store.tempUrl(target, options, newCall())
      expect(made.notes.join(' ')).to.contain("container's key")
      await theirs.store.putWhole(target, bufferBody(Buffer.from('small')), {}, newCall())
      expect((await use(made)).status).to.equal(200)
      theirs.close()
    })

    it('rotate, and what was signed goes on working once', async () => {
      const account = at('', '')
      await put('rotated', 'x')
      const before = await make('rotated')
      await opened.store.rotateTempUrlKey(account, 'next', newCall())
      expect(await opened.store.getTempUrlKeys(account, newCall())).to.deep.equal({key: 'next', key2: KEY})
      const after = await make('rotated')
      expect([(await use(before)).status, (await use(after)).status]).to.deep.equal([200, 200])
      await opened.store.rotateTempUrlKey(account, 'next', newCall())
      expect((await use(before)).status, 'said twice').to.equal(200)
      await opened.store.rotateTempUrlKey(account, 'last', newCall())
      expect([(await use(before)).status, (await use(after)).status]).to.deep.equal([401, 200])
      await opened.store.setTempUrlKey(account, 'key', KEY, newCall())
    })

    it('are refused where no server would take them, and never shown', async () => {
      for (const key of ['', ' x', 'a\nb', 'k'.repeat(257)]) {
        const failure = await failureOf(opened.store.setTempUrlKey(at(BOX), 'key', key, newCall()), 'usage')
        if (key.length > 1) expect(failure.message).not.to.contain(key)
      }
    })
  })
})
