import {execFile} from 'node:child_process'
import {existsSync} from 'node:fs'
import {promisify} from 'node:util'
import {expect} from 'chai'
import {needSwift} from '../servers/swift.ts'
import {closeAll, openSandbox} from '../sandbox/support.ts'
import {ask} from '../stores/swift/foreign-swift.ts'
import {accessEnv, callSkylift, makeHome, readJson} from '../support/run-skylift.ts'
import type {Ending, Env, Home} from '../support/run-skylift.ts'
import {skipUnless} from '../support/skip.ts'
import {openAccount} from '../support/swift-account.ts'
import type {SwiftAccount} from '../support/swift-account.ts'

const run = promisify(execFile)
const SWIFT = '/usr/bin/swift'
const BOX = 'urls'
const KEY = 'a key of the account, ü'

interface TempUrlJson {
  readonly url: string
  readonly key: string
  readonly isPrefix?: boolean
  readonly curl?: string
  readonly notes: readonly string[]
  readonly check?: {readonly works: true | null; readonly status: number | null}
}

describe('skylift temp-url and link: Swift', function () {
  this.timeout(60_000)
  let account: SwiftAccount
  let home: Home

  before(async function () {
    this.timeout(120_000)
    needSwift(this)
    account = await openAccount()
    home = await makeHome(account.env)
    await account.raw('PUT', BOX)
    await account.raw('POST', '', {'x-account-meta-temp-url-key': Buffer.from(KEY).toString('latin1')})
    await put('in/one.bin', 'one')
    await put('outer', 'outer')
  })
  after(closeAll)

  const call = (...argv: string[]): Promise<Ending> => callSkylift(argv, home)
  const make = async (...argv: string[]): Promise<TempUrlJson> => {
    const ending = await call('temp-url', ...argv, '--json')
    expect(ending.status, ending.stdout).to.equal(0)
    return readJson<TempUrlJson>(ending)
  }
  const put = async (key: string, body: string): Promise<void> => {
    const {token, storageUrl} = account.access
    await ask(`${storageUrl}/${BOX}/${key}`, {method: 'PUT', headers: {'x-auth-token': token}, body})
  }
  const read = async (key: string): Promise<string | undefined> => {
    const {status, bytes} = await account.raw('GET', `${BOX}/${key}`)
    return status === 200 ? String(bytes) : undefined
  }
  const statusOf = async (url: string, method = 'GET', body?: string): Promise<number> =>
    (await ask(url, {method, ...(body === undefined ? {} : {body})})).status

  it('signs by the digest that is wished, the best of the cluster unless one is', async () => {
    for (const [flags, form] of [
      [[], /sig=[\da-f]{64}&/u],
      [['--digest', 'sha1'], /sig=[\da-f]{40}&/u],
      [['--digest', 'sha256'], /sig=[\da-f]{64}&/u],
      [['--digest', 'sha512'], /sig=sha512%3A[\w-]{86}&/u],
    ] as [string[], RegExp][]) {
      const {url} = await make(`swift://${BOX}/in/one.bin`, ...flags)
      expect(url).to.match(form)
      expect(await statusOf(url), flags.join(' ')).to.equal(200)
    }
  })

  it('covers all keys that start alike, and tells how to use it', async () => {
    const {status, stdout, stderr} = await call('temp-url', `swift://${BOX}/in/`, '-X', 'PUT', '--prefix', '--check')
    expect(status, stderr).to.equal(0)
    expect(stderr)
      .to.match(/^PUT for every key that starts with swift:\/\/urls\/in\/ until /u)
      .and.to.contain('in front of the "?"')
      .and.to.contain('Checked (status 422): The URL may write; nothing was stored.')
    const names = JSON.parse(String((await account.raw('GET', BOX, {accept: 'application/json'})).bytes)) as object[]
    expect(names, 'the check stored something').to.have.length(2)
    const at = (key: string): string => stdout.trim().replace('/urls/in/?', `/urls/${key}?`)
    expect(await statusOf(at('in/two'), 'PUT', 'two')).to.equal(201)
    expect(await statusOf(at('outer'), 'PUT', 'no')).to.equal(401)
    expect([await read('in/two'), await read('outer')]).to.deep.equal(['two', 'outer'])
  })

  it('covers a whole container, and warns of a prefix that is no folder', async () => {
    const all = await make(`swift://${BOX}`, '--prefix', '--check')
    expect(all).to.deep.include({key: '', isPrefix: true})
    expect(all).not.to.have.property('curl')
    expect(all.check).to.include({works: true, status: 404})
    for (const key of ['in/one.bin', 'outer']) {
      expect(await statusOf(all.url.replace('/urls/?', `/urls/${key}?`))).to.equal(200)
    }
    const {stderr} = await call('temp-url', `swift://${BOX}/out`, '--prefix')
    expect(stderr).to.contain('Keys such as "out-other" start so too')
  })

  it('works from some addresses only', async () => {
    expect(await statusOf((await make(`swift://${BOX}/outer`, '--ip', '127.0.0.0/8', '--check')).url)).to.equal(200)
    const elsewhere = await call('temp-url', `swift://${BOX}/outer`, '--ip', '203.0.113.7', '--check')
    expect([elsewhere.status, elsewhere.stdout]).to.deep.equal([4, ''])
    expect(elsewhere.stderr).to.contain('this machine may not be among them')
    expect(await statusOf((await make(`swift://${BOX}/outer`, '--ip', '203.0.113.7')).url)).to.equal(401)
  })

  it('asks nothing of the network where key, address and digest are known', async () => {
    const env: Env = {...(await makeHome()).env, OS_STORAGE_URL: account.access.storageUrl, OS_TEMP_URL_KEY: KEY}
    const offline = (...words: string[]): Promise<Ending> => callSkylift(['temp-url', ...words, '-v'], {env})
    const made = await offline(`swift://${BOX}/in/one.bin`, '--digest', 'sha256')
    expect(made.status, made.stderr).to.equal(0)
    // One line a request.
    expect(made.stderr).not.to.match(/^(?:GET|HEAD|POST) \S+:\d+\//mu)
    expect(made.stderr).to.contain('the Temp-URL key that was given')
    expect(made.stdout + made.stderr).not.to.contain(KEY)
    expect(await statusOf(made.stdout.trim())).to.equal(200)
    const asked = await offline(`swift://${BOX}/in/one.bin`)
    expect(asked.stderr.match(/^GET \S+\/info 200/gmu)).to.have.length(1)
    expect(await statusOf(asked.stdout.trim())).to.equal(200)

    const nobody = await callSkylift(['temp-url', `swift://${BOX}/x`, '--retry-for', '1s'], {
      env: {...env, OS_STORAGE_URL: 'http://127.0.0.1:1/v1/AUTH_x'},
    })
    expect(nobody.status).to.equal(8)
    expect(nobody.stderr).to.contain('--digest sha256: nothing is asked then')
    const keyless = await callSkylift(['temp-url', `swift://${BOX}/x`, '--digest', 'sha1'], {
      env: {...env, OS_TEMP_URL_KEY: ''},
    })
    expect(keyless.status).to.equal(4)
    expect(keyless.stderr).to.contain('OS_TEMP_URL_KEY is enough')
  })

  for (const [name, flags, theirs] of [
    ['sha1', ['--digest', 'sha1'], ['--digest', 'sha1']],
    ['sha256, addresses', ['--ip', '127.0.0.0/8'], ['--digest', 'sha256', '--ip-range', '127.0.0.0/8']],
    ['sha512, prefix', ['--digest', 'sha512', '--prefix'], ['--digest', 'sha512', '--prefix-based']],
  ] as const) {
    it(`makes what swift tempurl makes: ${name}`, async function () {
      skipUnless(this, existsSync(SWIFT), 'the swift client is missing: apt-get install python3-swiftclient')
      const {url} = await make(`swift://${BOX}/in/ö n e`, '-X', 'PUT', ...flags)
      const path = `${new URL(account.access.storageUrl).pathname}/${BOX}/in/ö n e`
      const expires = new URL(url).searchParams.get('temp_url_expires') ?? ''
      const {stdout} = await run(SWIFT, ['tempurl', '--absolute', 'PUT', expires, path, KEY, ...theirs], {
        env: {PATH: '/usr/bin:/bin', HOME: '/nonexistent'},
      })
      const [ours, given] = [url, stdout.trim()].map(each => new URLSearchParams(each.slice(each.indexOf('?') + 1)))
      const sorted = (params = new URLSearchParams()): string[][] =>
        [...params].toSorted(([a], [b]) => (a < b ? -1 : 1))
      expect(sorted(ours)).to.deep.equal(sorted(given))
    })
  }

  it('names downloads, and shows what a browser will see', async () => {
    const name = 'résumé, v2 + "a";b.bin'
    const {status, stdout, stderr} = await call('link', `swift://${BOX}/in/one.bin`, '-f', name, '--check')
    expect(status, stderr).to.equal(0)
    expect(stderr).to.contain(`The answer says to save it as "${name}".`)
    expect(String((await ask(stdout.trim())).headers['content-disposition'])).to.match(
      /^attachment;.*filename\*=UTF-8''r%C3%A9sum%C3%A9%2C%20v2%20%2B%20%22a%22%3Bb\.bin$/u,
    )
    const inline = await call('link', `swift://${BOX}/in/one.bin`, '--inline', '--check')
    expect(inline.stderr).to.contain('  content-disposition: inline')
    const typed = await call('link', `swift://${BOX}/in/one.bin`, '--content-type', 'text/html')
    expect([typed.status, typed.stdout]).to.deep.equal([2, ''])
    const missing = await call('link', `swift://${BOX}/none`, '--check')
    expect([missing.status, missing.stdout]).to.deep.equal([5, ''])
  })

  it('gives the plain address of what everybody can read, and of nothing else', async () => {
    const closed = await call('link', `swift://${BOX}/outer`, '--public')
    expect([closed.status, closed.stdout]).to.deep.equal([4, ''])
    await account.raw('PUT', 'open', {'x-container-read': '.r:*'})
    await account.raw('PUT', 'open/x')
    const {stdout, stderr} = await call('link', 'swift://open/x', '--public')
    expect(stdout.trim(), stderr).to.equal(`${account.access.storageUrl}/open/x`)
  })

  it('checks a PUT without storing anything, whether something stands there or not', async () => {
    const free = await make(`swift://${BOX}/free`, '-X', 'PUT', '--check')
    expect(free.check).to.include({works: true, status: 422})
    expect(await read('free')).to.equal(undefined)
    expect((await make(`swift://${BOX}/outer`, '-X', 'PUT', '--check')).check).to.include({works: true})
    expect(await read('outer')).to.equal('outer')
    const wrong = await callSkylift(['temp-url', `swift://${BOX}/outer`, '-X', 'PUT', '--check'], {
      env: {...home.env, OS_TEMP_URL_KEY: 'another key'},
    })
    expect([wrong.status, wrong.stdout]).to.deep.equal([4, ''])
    expect(await read('outer')).to.equal('outer')
  })

  it('says how to get a key where there is none', async () => {
    const {authUrl} = account.server.v1
    const {env} = await makeHome({ST_AUTH: authUrl, ST_USER: 'test2:tester2', ST_KEY: 'testing2'})
    await callSkylift(['container', 'create', 'swift://keyless'], {env})
    const {status, stderr} = await callSkylift(['temp-url', 'swift://keyless/x'], {env})
    expect(status).to.equal(2)
    expect(stderr).to.contain('skylift temp-url-key set swift://')
  })

  const wrong: [words: string[], said: RegExp][] = [
    [['swift://urls/x', '--ip', '203.0.113.7/24'], /Write it as 203\.0\.113\.0\/24\./u],
    [['swift://urls/x', '--ip', 'example.com'], /That is no IP address/u],
    [['swift://urls/x', '--digest', 'md5'], /to be one of: sha1, sha256, sha512/u],
    [['swift://urls/x', '--prefix', '--curl'], /do not go together/u],
    [['swift://urls/x', '--prefix', '--random-key', '-X', 'PUT'], /do not go together/u],
    [['swift://', '--prefix'], /names no container/u],
    [['swift://urls/x', '-X', 'PUT', '--write-once'], /--random-key/u],
    [['swift://urls/x', '-X', 'PUT', '--max-size', '5M'], /cannot limit the size/u],
  ]
  for (const [words, said] of wrong) {
    it(`refuses ${words.join(' ')}`, async () => {
      const {status, stdout, stderr} = await call('temp-url', ...words)
      expect([status, stdout]).to.deep.equal([2, ''])
      expect(stderr).to.match(said)
    })
  }

  it('is refused on S3 what S3 cannot do, rather than opening more than was meant', async () => {
    const s3 = await makeHome(accessEnv(await openSandbox()))
    for (const flags of [['--prefix'], ['--ip', '127.0.0.1'], ['--digest', 'sha256']]) {
      const {status, stdout, stderr} = await callSkylift(['temp-url', 's3://box/x', ...flags], s3)
      expect([status, stdout], flags.join(' ')).to.deep.equal([2, ''])
      expect(stderr).to.match(/^S3 (?:has|cannot) /u)
    }
    const {status} = await callSkylift(['temp-url', 's3://box', '--prefix'], s3)
    expect(status).to.equal(2)
  })
})
