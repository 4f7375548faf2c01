import {randomBytes} from 'node:crypto'
import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {expect} from 'chai'
import {needSwift} from '../servers/swift.ts'
import {closeAll, openSandbox} from '../sandbox/support.ts'
import {ask} from '../stores/swift/foreign-swift.ts'
import {accessEnv, callSkylift, makeHome, readJson} from '../support/run-skylift.ts'
import type {Ending, Home} from '../support/run-skylift.ts'
import {openAccount} from '../support/swift-account.ts'
import type {SwiftAccount} from '../support/swift-account.ts'

const META = 'x-container-meta-'

describe('skylift container and cors: Swift', function () {
  this.timeout(60_000)
  let account: SwiftAccount
  let home: Home

  before(async function () {
    this.timeout(120_000)
    needSwift(this)
    account = await openAccount()
    home = await makeHome(account.env)
  })
  after(closeAll)

  const call = (...argv: string[]): Promise<Ending> => callSkylift(argv, home)
  const create = async (name: string, ...flags: string[]): Promise<Ending> => {
    const ending = await call('container', 'create', `swift://${name}`, ...flags)
    expect(ending.status, ending.stderr).to.equal(0)
    return ending
  }

  it('makes one with all that is asked for, and shows it', async () => {
    await create('all', ...['--quota-bytes', '50M', '--quota-count', '7', '-m', 'team=grün', '-m', 'Plain=a b'])
    await create('all', '--read-acl', 'test:tester', '--cors-origin', 'https://a.example')
    const {headers} = await account.raw('HEAD', 'all')
    expect(headers).to.include({
      [`${META}quota-bytes`]: String(50 * 1024 ** 2),
      [`${META}quota-count`]: '7',
      [`${META}plain`]: 'a b',
      [`${META}access-control-allow-origin`]: 'https://a.example',
      'x-container-read': 'test:tester',
    })
    const {stdout} = await call('container', 'show', 'swift://all')
    for (const line of ['quota       50 MiB', 'quota       7 objects', 'read ACL    test:tester', 'public      no']) {
      expect(stdout).to.contain(line)
    }
    expect(stdout).to.match(/^metadata {4}team=grün\n {12}plain=a b$|^metadata {4}plain=a b\n {12}team=grün$/mu)
    expect(stdout)
      .to.match(/^policy +\S/mu)
      .and.to.contain('1,024 characters a key')
      .and.to.contain('https://a.example')
    const {container} = readJson<{container: {extra: object}}>(await call('container', 'show', 'swift://all', '--json'))
    expect(container.extra).to.deep.include({quotaBytes: 50 * 1024 ** 2, quotaCount: 7, readAcl: 'test:tester'})
  })

  it('takes settings away again, and leaves what is not named', async () => {
    await create('less', ...['--quota-bytes', '1G', '--quota-count', '7', '-m', 'a=1', '-m', 'b=2'])
    await create('less', ...['--quota-bytes', '0', '-m', 'a=', '--read-acl', ''])
    const {headers} = await account.raw('HEAD', 'less')
    expect(headers).to.include({[`${META}quota-count`]: '7', [`${META}b`]: '2'})
    for (const name of [`${META}quota-bytes`, `${META}a`, 'x-container-read'])
      expect(headers).not.to.have.property(name)
  })

  it('holds to the quota that it set', async () => {
    await create('full', '--quota-bytes', '3')
    const {token, storageUrl} = account.access
    const {status} = await ask(`${storageUrl}/full/x`, {method: 'PUT', headers: {'x-auth-token': token}, body: 'four'})
    expect(status).to.equal(413)
  })

  it('leaves a container with old versions, and what they are made of', async () => {
    await create('versions', '--versioning')
    const path = join(home.folder, 'large.bin')
    await writeFile(path, randomBytes(3_000_000))
    await call('upload', path, 'swift://versions/x', '-q', '-p', '1M')
    const {headers} = await account.raw('HEAD', 'versions/x')
    expect((await call('container', 'delete', 'swift://versions', '-r', '-y')).status).to.equal(6)
    expect((await account.raw('HEAD', 'versions/x')).status).to.equal(404)
    const {token, storageUrl} = account.access
    const url = `${storageUrl}/versions/x?version-id=${String(headers['x-object-version-id'])}`
    expect((await ask(url, {headers: {'x-auth-token': token}})).bytes).to.have.length(3_000_000)
  })

  it('opens to everybody only after asking, in whatever words', async () => {
    for (const flags of [
      ['--public-read'],
      ['--read-acl', '.r:*'],
      ['--read-acl', 'test:tester, .referrer : *'],
      ['--read-acl', '.r:.example.com'],
    ]) {
      const {status, stderr} = await call('container', 'create', 'swift://asked', ...flags)
      expect(status, flags.join(' ')).to.equal(2)
      expect(stderr).to.contain('Everybody on the internet').and.to.contain('Say -y')
    }
    expect((await account.raw('HEAD', 'asked')).status, 'it was made').to.equal(404)
    await create('asked', '--read-acl', '.r:-thief.example,test:tester')
    await create('asked', '--public-read', '-y')
    expect((await account.raw('HEAD', 'asked')).headers['x-container-read']).to.match(/test:tester.*\.r:\*/u)
    expect((await call('container', 'show', 'swift://asked')).stdout).to.contain('public      yes')
  })

  it('tells the policies that there are', async () => {
    const {stdout} = await call('container', 'show', 'swift://all', '--json')
    const policy = /"policy": "([^"]+)"/u.exec(stdout)?.[1] ?? ''
    await create('kept', '--policy', policy)
    const {status, stderr} = await call('container', 'create', 'swift://gold', '--policy', 'gold')
    expect(status).to.equal(2)
    expect(stderr).to.contain('no storage policy "gold"').and.to.contain(`Take one of ${policy}`)
    expect((await account.raw('HEAD', 'gold')).status).to.equal(404)
  })

  const wrong: [flags: string[], said: RegExp][] = [
    [['--encryption', 'AES256'], /have no --encryption/u],
    [['--delete-after', '3d'], /have no --delete-after\.\n {2}.*upload --delete-after/u],
    [['--abort-incomplete', '3d'], /have no --abort-incomplete\.\n {2}.*pending prune/u],
    [['-m', 'temp-url-key=mine'], /a command of its own/u],
    [['-m', 'quota-bytes=5'], /a command of its own/u],
    [['-m', 'b ad=5'], /cannot travel as a header/u],
    [['-m', 'a=two\nlines'], /cannot travel as a header/u],
    [['--quota-count', '-1'], /quota-count/u],
    [['--quota-bytes', 'much'], /is not a size/u],
    [['--read-acl', 'a', '--public-read', '-y'], /--public-read|--read-acl/u],
  ]
  for (const [flags, said] of wrong) {
    it(`refuses ${JSON.stringify(flags)} and makes nothing`, async () => {
      const {status, stderr} = await call('container', 'create', 'swift://never', ...flags)
      expect([status, said.test(stderr)], stderr).to.deep.equal([2, true])
      expect((await account.raw('HEAD', 'never')).status).to.equal(404)
    })
  }

  it('is refused on S3 what only Swift has, and makes nothing', async () => {
    const s3 = await makeHome(accessEnv(await openSandbox()))
    for (const flags of [
      ['--policy', 'gold'],
      ['-m', 'a=b'],
      ['--quota-bytes', '5G'],
      ['--quota-count', '5'],
      ['--read-acl', 'someone'],
    ]) {
      const {status, stderr} = await callSkylift(['container', 'create', 's3://never', ...flags], s3)
      expect([status, /^S3 has no /u.test(stderr)], stderr).to.deep.equal([2, true])
    }
    expect((await callSkylift(['container', 'show', 's3://never'], s3)).status).to.equal(5)
  })

  it('lists the containers, and deletes one with what is in it', async () => {
    await create('gone')
    await account.raw('PUT', 'gone/a')
    expect((await call('container', 'list', 'swift://')).stdout).to.match(/^gone {2}/mu)
    const refused = await call('container', 'delete', 'swift://gone')
    expect(refused.status).to.equal(6)
    expect((await call('container', 'delete', 'swift://gone', '-r', '-y')).status).to.equal(0)
    expect((await account.raw('HEAD', 'gone')).status).to.equal(404)
  })

  describe('cors', () => {
    const preflight = async (origin: string): Promise<number> => {
      const headers = {origin, 'access-control-request-method': 'PUT'}
      return (await ask(`${account.access.storageUrl}/pages/x`, {method: 'OPTIONS', headers})).status
    }

    it('lets pages of some origins in, and tells what Swift does not heed', async () => {
      await create('pages')
      const origins = ['--origin', 'https://a.example', '--origin', 'null']
      const set = await call('cors', 'set', 'swift://pages', '--preset', 'browser-upload', ...origins)
      expect(set.status, set.stderr).to.equal(0)
      expect(set.stderr).to.contain('Swift does not limit methods by CORS')
      expect([await preflight('https://a.example'), await preflight('https://b.example')]).to.deep.equal([200, 401])
      const shown = await call('cors', 'show', 'swift://pages', '--json')
      expect(readJson<{rules: object[]}>(shown).rules[0]).to.deep.include({
        origins: ['https://a.example', 'null'],
        maxAgeInSeconds: 3600,
      })
      const next = await call('cors', 'set', 'swift://pages', '--origin', 'https://b.example', '--header', 'x-thing')
      expect(next.stderr)
        .to.contain('Swift does not limit headers by CORS')
        .and.to.contain('The origins that were allowed before are gone: https://a.example null.')
      expect([await preflight('https://a.example'), await preflight('https://b.example')]).to.deep.equal([401, 200])
    })

    it('refuses patterns, which Swift compares letter by letter', async () => {
      const {status, stderr} = await call('cors', 'set', 'swift://pages', '--origin', 'https://*.example.com')
      expect(status).to.equal(2)
      expect(stderr).to.contain('letter by letter')
      expect(await preflight('https://b.example')).to.equal(200)
    })

    it('takes the rule away, and does not pretend to know who made it', async () => {
      const refused = await call('cors', 'clear', 'swift://pages')
      expect(refused.status).to.equal(2)
      expect(refused.stderr).to.contain('Nothing tells whether Skylift made the CORS rules.')
      expect((await call('cors', 'clear', 'swift://pages', '-y')).stdout).to.equal('Removed one CORS rule.\n')
      expect((await call('cors', 'show', 'swift://pages')).stderr).to.contain('has no CORS rules')
      expect(await preflight('https://b.example')).to.equal(401)
    })
  })
})
