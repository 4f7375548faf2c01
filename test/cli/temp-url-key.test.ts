import {expect} from 'chai'
import {needSwift} from '../servers/swift.ts'
import {ask} from '../stores/swift/foreign-swift.ts'
import {accessEnv, callSkylift, makeHome, readJson, runSkylift} from '../support/run-skylift.ts'
import type {Ending, Env, Home} from '../support/run-skylift.ts'
import {openAccount} from '../support/swift-account.ts'
import type {SwiftAccount} from '../support/swift-account.ts'
import {closeAll, openSandbox} from '../sandbox/support.ts'
import {answerSkylift, needTerminal} from '../support/terminal.ts'

const BOX = 'keyed'
const ACCOUNT_KEY = 'x-account-meta-temp-url-key'
const BOX_KEY = 'x-container-meta-temp-url-key'

interface ShowJson {
  readonly keys: Record<'key' | 'key2', {readonly isSet: boolean; readonly value?: string}>
}

describe('skylift temp-url-key', function () {
  this.timeout(60_000)
  let account: SwiftAccount
  let home: Home

  before(async function () {
    this.timeout(120_000)
    needSwift(this)
    account = await openAccount()
    home = await makeHome(account.env)
    await account.raw('PUT', BOX)
    await account.raw('PUT', `${BOX}/x`)
  })
  after(closeAll)

  // Every test starts with no keys at all.
  beforeEach(async () => {
    await account.raw('POST', '', {[ACCOUNT_KEY]: '', [`${ACCOUNT_KEY}-2`]: ''})
    await account.raw('POST', BOX, {[BOX_KEY]: '', [`${BOX_KEY}-2`]: ''})
  })

  const call = (words: readonly string[], env: Env = {}): Promise<Ending> =>
    callSkylift(['temp-url-key', ...words], {env: {...home.env, ...env}})
  const keysOf = async (path = ''): Promise<(string | undefined)[]> => {
    const {headers} = await account.raw('HEAD', path)
    const name = path === '' ? ACCOUNT_KEY : BOX_KEY
    return [headers[name] as string | undefined, headers[`${name}-2`] as string | undefined]
  }
  const makeUrl = async (): Promise<string> => {
    const {stdout, stderr} = await callSkylift(['temp-url', `swift://${BOX}/x`], home)
    expect(stdout, stderr).to.match(/^http/u)
    return stdout.trim()
  }
  const statusOf = async (url: string): Promise<number> => (await ask(url)).status

  for (const [what, target, path] of [
    ['the account', 'swift://', ''],
    ['a container', `swift://${BOX}`, BOX],
  ] as const) {
    it(`gives ${what} a random key that signs, and shows it nowhere unless asked`, async () => {
      const none = await call(['show', target])
      expect(none.stdout).to.equal('SLOT  KEY\nkey   none\nkey2  none\n')
      expect(none.stderr).to.contain(`skylift temp-url-key set ${target}`)

      const set = await call(['set', target, '-v'])
      expect(set.status, set.stderr).to.equal(0)
      const [key = '', second] = await keysOf(path)
      expect(key).to.match(/^[\da-f]{64}$/u)
      expect(second).to.equal(undefined)
      expect(set.stdout).to.contain('was set.')
      const shown = await call(['show', target, '-v'])
      expect(shown.stdout).to.equal('SLOT  KEY\nkey   set\nkey2  none\n')
      const json = await call(['show', target, '--json'])
      expect(readJson<ShowJson>(json).keys).to.deep.equal({key: {isSet: true}, key2: {isSet: false}})
      for (const {stdout, stderr} of [set, shown, json]) expect(stdout + stderr).not.to.contain(key)

      expect((await call(['show', target, '--reveal'])).stdout).to.contain(key)
      const revealed = readJson<ShowJson>(await call(['show', target, '--reveal', '--json']))
      expect(revealed.keys).to.deep.equal({key: {isSet: true, value: key}, key2: {isSet: false}})
      expect(await statusOf(await makeUrl())).to.equal(200)
    })
  }

  it('asks before it replaces a key, and replaces none where nobody can answer', async () => {
    await call(['set', 'swift://'])
    const [before] = await keysOf()
    const url = await makeUrl()
    const refused = await call(['set', 'swift://'])
    expect(refused.status).to.equal(2)
    expect(refused.stderr).to.contain('temp-url-key rotate would keep them').and.to.contain('Say -y')
    expect(await keysOf()).to.deep.equal([before, undefined])
    expect(await statusOf(url)).to.equal(200)

    const yes = await call(['set', 'swift://', '-y', '--json'])
    expect(readJson(yes)).to.include({ok: true, changed: true, replaced: true, slot: 'key'})
    const [after] = await keysOf()
    expect(after)
      .to.match(/^[\da-f]{64}$/u)
      .and.not.to.equal(before)
    expect(yes.stdout + yes.stderr).not.to.contain(after)
    expect(await statusOf(url)).to.equal(401)
  })

  it('replaces one when the person says so, and none when not', async function () {
    needTerminal(this)
    await call(['set', 'swift://'])
    const [before] = await keysOf()
    const talk = {env: home.env, question: /Go on\? \[y\/N\]/u}
    const no = await answerSkylift(['temp-url-key', 'set', 'swift://'], {...talk, answer: 'n\n'})
    expect(no.status, no.screen).to.equal(130)
    expect(await keysOf()).to.deep.equal([before, undefined])
    const yes = await answerSkylift(['temp-url-key', 'set', 'swift://'], {...talk, answer: 'y\n'})
    expect(yes.status, yes.screen).to.equal(0)
    expect((await keysOf())[0]).not.to.equal(before)
  })

  it('needs no answer for a slot that is free, or has that key already', async () => {
    const env = {INBOX_KEY: 'a key of mine, ü'}
    for (const changed of [true, false]) {
      const set = await call(['set', `swift://${BOX}`, '--slot', 'key2', '--key-env', 'INBOX_KEY', '--json'], env)
      expect(readJson(set)).to.include({changed, replaced: false, slot: 'key2'})
      expect(set.stdout + set.stderr).not.to.contain(env.INBOX_KEY)
    }
    const shown = await call(['show', `swift://${BOX}`, '--reveal', '--json'])
    expect(readJson<ShowJson>(shown).keys).to.deep.equal({
      key: {isSet: false},
      key2: {isSet: true, value: env.INBOX_KEY},
    })
  })

  it('takes a key by stdin', async () => {
    const key = 'from-a-vault-0123456789'
    const run = (stdin: string, ...more: string[]) =>
      runSkylift(['temp-url-key', 'set', 'swift://', '--key-stdin', ...more], {
        env: home.env,
        stdin: Buffer.from(stdin),
      })
    const set = await run(`${key}\n`)
    expect(set.status, set.stderr).to.equal(0)
    expect(set.stdout + set.stderr).not.to.contain(key)
    expect(await keysOf()).to.deep.equal([key, undefined])
    for (const bad of ['', 'two\nlines', 'k'.repeat(257)]) {
      const refused = await run(bad, '-y')
      expect(refused.status, refused.stderr).to.equal(2)
      if (bad !== '') expect(refused.stderr).not.to.contain(bad)
    }
    expect(await keysOf()).to.deep.equal([key, undefined])
  })

  it('rotates: live URLs go on working, and what would end is asked about', async () => {
    expect((await call(['rotate', 'swift://'])).stderr).to.contain('There was no first key before.')
    const [first] = await keysOf()
    const url = await makeUrl()
    const once = await call(['rotate', 'swift://'])
    expect(once.status, once.stderr).to.equal(0)
    expect(once.stderr).to.contain('go on working until the next rotation')
    const [second, kept] = await keysOf()
    expect(kept).to.equal(first)
    expect([await statusOf(url), await statusOf(await makeUrl())]).to.deep.equal([200, 200])

    const refused = await call(['rotate', 'swift://'])
    expect(refused.status).to.equal(2)
    expect(refused.stderr).to.contain('the second key')
    expect(await keysOf()).to.deep.equal([second, first])
    const twice = await call(['rotate', 'swift://', '-y', '--json'])
    expect(readJson(twice)).to.include({changed: true, replaced: true})
    expect((await keysOf())[1]).to.equal(second)
    expect(await statusOf(url)).to.equal(401)
    for (const ending of [once, refused, twice]) {
      for (const key of [first, second, (await keysOf())[0]]) {
        expect(ending.stdout + ending.stderr).not.to.contain(key)
      }
    }
  })

  it('says when a key is weak, and when another one signs', async () => {
    const {stderr} = await call(['set', 'swift://', '--key-env', 'MINE'], {MINE: 'short', OS_TEMP_URL_KEY: 'other-one'})
    expect(stderr).to.contain('The key is short').and.to.contain('OS_TEMP_URL_KEY is set to another key')
    expect(stderr).not.to.contain('other-one')
  })

  const wrong: [words: string[], status: number, said: RegExp][] = [
    [['set', 'swift://a/b'], 2, /belong to an account or a container\.\n {2}Write swift:\/\/ or swift:\/\/a\./u],
    [['show', 'nothing'], 2, /is not a target/u],
    [['show', 'swift://missing'], 5, /no container "missing"/u],
    [['set', 'swift://missing'], 5, /no container "missing"/u],
    [['set', 'swift://', '--slot', 'key3'], 2, /to be one of: key, key2/u],
    [['set', 'swift://', '--key-env', 'NOT_SET'], 2, /--key-env: NOT_SET is not set/u],
    [['set', 'swift://', '--key-env', 'A', '--key-stdin'], 2, /--key-stdin/u],
  ]
  for (const [words, status, said] of wrong) {
    it(`refuses ${words.join(' ')}`, async () => {
      const ending = await call(words)
      expect([ending.status, ending.stdout]).to.deep.equal([status, ''])
      expect(ending.stderr).to.match(said)
      expect(await keysOf()).to.deep.equal([undefined, undefined])
    })
  }

  it('shows and sets nothing for whoever does not own the account', async () => {
    await account.raw('POST', '', {[ACCOUNT_KEY]: 'hidden-key-0123456789'})
    const {ST_AUTH = ''} = account.env
    const other = {ST_AUTH, ST_USER: 'test:tester3', ST_KEY: 'testing3'}
    for (const verb of ['show', 'set', 'rotate']) {
      const {status, stderr} = await call([verb, 'swift://'], other)
      expect([status, stderr.includes('may not do this')], stderr).to.deep.equal([4, true])
    }
  })

  it('says that S3 has no such keys', async () => {
    const s3 = await makeHome(accessEnv(await openSandbox()))
    for (const verb of ['show', 'set', 'rotate']) {
      const {status, stderr} = await callSkylift(['temp-url-key', verb, 's3://'], s3)
      expect(status).to.equal(2)
      expect(stderr).to.contain('has no Temp-URL keys')
    }
  })

  it('works for a member of a Keystone project', async function () {
    this.timeout(180_000)
    needSwift(this, {withKeystone: true})
    const {server} = await openAccount({withKeystone: true})
    const names = Object.entries(server.env).filter(([name]) => /^OS_(?!EC2|APPLICATION|SWIFT)/u.test(name))
    const {env} = await makeHome(Object.fromEntries(names))
    const run = async (...words: string[]): Promise<Ending> => {
      const ending = await callSkylift(words, {env})
      expect(ending.status, ending.stderr).to.equal(0)
      return ending
    }
    await run('container', 'create', 'swift://keystone')
    await run('temp-url-key', 'set', 'swift://', '-y')
    const put = (await run('temp-url', 'swift://keystone/in/', '-X', 'PUT', '--prefix', '--check')).stdout.trim()
    expect((await ask(put.replace('/in/?', '/in/one?'), {method: 'PUT', body: 'hello'})).status).to.equal(201)
    await run('temp-url-key', 'rotate', 'swift://', '-y')
    const get = (await run('link', 'swift://keystone/in/one', '-f', 'one.txt', '--check')).stdout.trim()
    const {status, bytes} = await ask(get)
    expect([status, String(bytes)]).to.deep.equal([200, 'hello'])
    expect((await ask(put.replace('/in/?', '/in/two?'), {method: 'PUT', body: 'still'})).status).to.equal(201)
  })
})
