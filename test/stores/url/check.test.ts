import {createHmac} from 'node:crypto'
import {createServer} from 'node:http'
import type {AddressInfo} from 'node:net'
import {expect} from 'chai'
import {startSandbox} from '../../../src/sandbox/server.ts'
import {SANDBOX} from '../../../src/stores/s3/quirks.ts'
import type {TempUrl, TempUrlOptions} from '../../../src/stores/store.ts'
import {checkTempUrl} from '../../../src/stores/url/check.ts'
import {needSwift, startSwift} from '../../servers/swift.ts'
import {makeTempFolder} from '../../support/temp-folder.ts'
import {at, call, failureOf, openDrivers, useUrl} from '../s3/open-drivers.ts'
import type {Drivers} from '../s3/open-drivers.ts'

const HOUR = 3_600_000
const tamper = (temp: TempUrl): TempUrl => ({
  ...temp,
  url: temp.url.replace(/.$/u, last => (last === '0' ? '1' : '0')),
})

function describeCheck(name: string, open: (context: Mocha.Context) => Promise<Drivers>): void {
  describe(`the check of a temp URL: ${name}`, () => {
    let store: Drivers
    const make = (key: string, options: Partial<TempUrlOptions> = {}) =>
      store.tempUrl(at('checks', key), {method: 'GET', expiresIn: HOUR, ...options}, call)
    const check = (temp: TempUrl) => checkTempUrl(store.wire, temp, call)
    const textAt = async (key: string) => {
      const reply = await useUrl(await make(key))
      return reply.status === 200 ? reply.text : undefined
    }

    before(async function () {
      this.timeout(120_000)
      store = await open(this)
      await store.createContainer(at('checks'), {}, call)
      await store.put('checks', 'dir/odd + name?', 'eleven byte')
      await store.put('checks', 'empty', '')
    })
    after(() => store?.close())

    it('reads one byte, and tells what a browser sees', async () => {
      const options = {filename: 'größe "x".txt', contentType: 'text/x-test', expiresIn: HOUR}
      const found = await check(await store.link(at('checks', 'dir/odd + name?'), options, call))
      expect(found).to.deep.include({works: true, status: 206, filename: 'größe "x".txt'})
      expect(found.headers).to.include({
        'content-type': 'text/x-test',
        'content-length': '11',
        'content-disposition': `attachment; filename="gr__e _x_.txt"; filename*=UTF-8''gr%C3%B6%C3%9Fe%20%22x%22.txt`,
      })
    })

    it('reads an empty object', async () => {
      const found = await check(
        await store.link(at('checks', 'empty'), {filename: 'nothing.txt', expiresIn: HOUR}, call),
      )
      expect(found).to.deep.include({works: true, filename: 'nothing.txt'})
      expect(found.headers['content-length']).to.equal('0')
    })

    it('looks with HEAD', async () => {
      const found = await check(await make('dir/odd + name?', {method: 'HEAD'}))
      expect(found).to.deep.include({works: true, status: 200})
      expect(found.headers['content-length']).to.equal('11')
    })

    it('shows that a URL may write, and stores nothing', async () => {
      const found = await check(await make('new', {method: 'PUT'}))
      expect(found).to.deep.include({works: true, headers: {}})
      expect(found.notes).to.deep.equal(['The URL may write; nothing was stored.'])
      expect(await textAt('new')).to.equal(undefined)
      const existing = await check(await make('dir/odd + name?', {method: 'PUT'}))
      expect(existing.works).to.equal(true)
      expect(await textAt('dir/odd + name?')).to.equal('eleven byte')
    })

    it('sends what was signed: type, metadata, length, MD5', async () => {
      const fixed = {method: 'PUT', contentType: 'text/plain', metadata: {who: 'me'}} as const
      for (const options of [
        fixed,
        {...fixed, contentLength: 700},
        {...fixed, contentLength: 0},
        {...fixed, contentLength: 700, contentMd5: '1B2M2Y8AsgTpgAmY7PhCfg=='},
      ]) {
        expect(await check(await make('fixed', options))).to.include({works: true})
        expect(await textAt('fixed')).to.equal(undefined)
      }
      const empty = await check(
        await make('fixed', {...fixed, contentLength: 0, contentMd5: '1B2M2Y8AsgTpgAmY7PhCfg=='}),
      )
      expect(empty.works).to.equal(undefined)
      expect(await textAt('fixed')).to.equal(undefined)
    })

    it('announces a large body and never sends it', async () => {
      const sent = store.requests.length
      const put = await make('large', {method: 'PUT', contentLength: 3 * 1024 ** 3})
      expect(await failureOf(check(tamper(put)))).to.include({code: 'auth'})
      const found = await check(put)
      expect(found.works).to.equal(undefined)
      expect(found.notes.join(' ')).to.match(/did not refuse/u)
      expect(store.requests.slice(sent).map(({method}) => method)).to.deep.equal(['PUT', 'PUT'])
      expect(await textAt('large')).to.equal(undefined)
    })

    it('says what is wrong: changed, for something else, expired, nothing there', async () => {
      for (const method of ['GET', 'HEAD', 'PUT'] as const) {
        const temp = await make('dir/odd + name?', {method})
        const failure = await failureOf(check(tamper(temp)))
        expect(['auth', 'forbidden']).to.include(failure['code'])
        expect(failure.message).to.match(/does not accept this temp URL/u)
        expect(JSON.stringify([failure, failure.message])).not.to.match(/Signature=/u)
      }
      const get = await make('dir/odd + name?')
      expect(['auth', 'forbidden']).to.include((await failureOf(check({...get, method: 'PUT'})))['code'])
      expect(await textAt('dir/odd + name?')).to.equal('eleven byte')
      expect(await failureOf(check(await make('none')))).to.include({code: 'not-found'})
      const short = [
        await make('dir/odd + name?', {expiresIn: 1000}),
        await make('dir/odd + name?', {expiresIn: 1000, method: 'PUT'}),
      ]
      const end = Math.max(...short.map(({expires}) => expires.getTime()))
      await new Promise(resolve => setTimeout(resolve, end + 1100 - Date.now()))
      for (const temp of short) {
        expect(await failureOf(check(temp))).to.include({code: 'expired', message: 'The temp URL has expired.'})
      }
    })

    it('does not try what would change something', async () => {
      const sent = store.requests.length
      expect((await check(await make('dir/odd + name?', {method: 'DELETE'}))).works).to.equal(undefined)
      expect((await check(await make('dir/odd + name?', {method: 'POST'}))).works).to.equal(undefined)
      expect(store.requests.length).to.equal(sent)
    })
  })
}

describeCheck('sandbox', async () => {
  const sandbox = await startSandbox({folder: await makeTempFolder()})
  const store = openDrivers(sandbox, {quirks: SANDBOX})
  return {...store, close: () => (store.close(), void sandbox.close())}
})

describeCheck("OpenStack Swift's S3 API", async context => {
  needSwift(context)
  return openDrivers((await startSwift()).s3)
})

describe('the check of a temp URL: odd stores', () => {
  it('a write-once URL for what is there already', async () => {
    const sandbox = await startSandbox({folder: await makeTempFolder()})
    const store = openDrivers(sandbox, {quirks: SANDBOX})
    await store.createContainer(at('once'), {}, call)
    await store.put('once', 'there', 'there')
    const put = (key: string) => store.tempUrl(at('once', key), {method: 'PUT', writeOnce: true, expiresIn: HOUR}, call)
    expect((await checkTempUrl(store.wire, await put('there'), call)).notes.join(' ')).to.match(/stands there already/u)
    expect((await checkTempUrl(store.wire, await put('new'), call)).notes.join(' ')).to.match(/nothing was stored/u)
    store.close()
    await sandbox.close()
  })

  it("Swift's own temp URLs", async function () {
    this.timeout(120_000)
    needSwift(this)
    const {s3, v1} = await startSwift()
    const store = openDrivers(s3)
    await store.createContainer(at('own'), {}, call)
    const auth = await fetch(v1.authUrl, {headers: {'x-auth-user': v1.user, 'x-auth-key': v1.key}})
    const headers = {'x-auth-token': auth.headers.get('x-auth-token') ?? '', 'x-account-meta-temp-url-key': 'key'}
    expect((await fetch(v1.storageUrl, {method: 'POST', headers})).status).to.equal(204)
    const make = (method: 'GET' | 'PUT', key: string, secret = 'key') => {
      const url = `${v1.storageUrl}/own/${key}`
      const end = Math.floor(Date.now() / 1000) + 60
      const signature = createHmac('sha256', secret)
        .update(`${method}\n${end}\n${new URL(url).pathname}`)
        .digest('hex')
      return {url: `${url}?temp_url_sig=${signature}&temp_url_expires=${end}`, method, headers: {}}
    }
    const found = await checkTempUrl(store.wire, make('PUT', 'new'), call)
    expect(found).to.deep.include({works: true, notes: ['The URL may write; nothing was stored.']})
    expect(await failureOf(checkTempUrl(store.wire, make('GET', 'new'), call))).to.include({code: 'not-found'})
    await store.put('own', 'there', 'there')
    const existing = await checkTempUrl(store.wire, make('PUT', 'there'), call)
    expect(existing.notes.join(' ')).to.match(/stands there already/u)
    expect(await checkTempUrl(store.wire, make('GET', 'there'), call)).to.include({works: true, status: 206})
    const changed = await failureOf(checkTempUrl(store.wire, make('PUT', 'there', 'other'), call))
    expect(changed.message).to.match(/has expired, was changed, or its key was replaced/u)
    store.close()
  })

  it('a store that takes the check for an upload, or sends everything, is told', async () => {
    const server = createServer((request, response) => {
      request.resume().once('end', () => {
        response.writeHead(200, {etag: '"x"'})
        if (request.method === 'PUT') response.end()
        else for (let time = 0; time < 40; time++) response.write(Buffer.alloc(64 * 1024))
      })
    }).listen(0, '127.0.0.1')
    await new Promise(resolve => server.once('listening', resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/box/key?X-Amz-Signature=secret`
    const store = openDrivers({accessKeyId: 'x', secretAccessKey: 'y'})
    const put = await failureOf(checkTempUrl(store.wire, {url, method: 'PUT', headers: {}}, call))
    expect(put.message).to.match(/took the check for an upload/u)
    const get = await failureOf(checkTempUrl(store.wire, {url, method: 'GET', headers: {}}, call))
    expect(get.message).to.match(/whole object/u)
    expect(JSON.stringify([store.requests, put, get])).not.to.include('secret')
    store.close()
    server.closeAllConnections()
    server.close()
  })
})
