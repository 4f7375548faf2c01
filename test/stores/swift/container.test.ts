import {expect} from 'chai'
import {bufferBody} from '../../../src/core/buffer-body.ts'
import {needSwift, startSwift} from '../../servers/swift.ts'
import {collect, failureOf, newCall} from '../contract/bench.ts'
import {ask, signIn} from './foreign-swift.ts'
import type {SwiftAccess} from './foreign-swift.ts'
import {openSwift} from './open-swift.ts'
import type {OpenedSwift} from './open-swift.ts'
import {at} from './upload-parts.ts'

describe('containers of Swift', function () {
  this.timeout(60_000)
  let opened: OpenedSwift
  let access: SwiftAccess
  let count = 0

  before(async function () {
    needSwift(this)
    const {v1} = await startSwift()
    access = await signIn(v1)
    opened = await openSwift({auth: {method: 'v1', authUrl: v1.authUrl, user: v1.user, key: v1.key}}, {isBare: true})
  })
  after(() => opened?.close())

  const fresh = async (options = {}): Promise<string> => {
    const name = `box ü ${++count}`
    await opened.store.createContainer(at(name), options, newCall())
    return name
  }
  const raw = (path: string, method: string, headers: Record<string, string> = {}) =>
    ask(`${access.storageUrl}/${encodeURI(path)}`, {method, headers: {'x-auth-token': access.token, ...headers}})

  it('are made with all that was wished, and shown with it', async () => {
    const metadata = {team: 'Grün', plain: 'a b'}
    const box = await fresh({
      publicRead: true,
      quotaBytes: 1000,
      quotaCount: 2,
      metadata,
      corsOrigins: ['https://a.example'],
    })
    const {headers} = await raw(box, 'HEAD')
    expect(headers).to.include({
      'x-container-read': '.r:*',
      'x-container-meta-quota-bytes': '1000',
      'x-container-meta-quota-count': '2',
      'x-container-meta-access-control-allow-origin': 'https://a.example',
    })
    const details = await opened.store.showContainer(at(box), newCall())
    expect(details).to.include({name: box, publicRead: true, versioning: false, checksum: 'md5'})
    expect(details.extra).to.deep.include({quotaBytes: 1000, quotaCount: 2, metadata, readAcl: '.r:*'})
    expect(details.extra?.['policy']).to.be.a('string')
    expect(details.limits.keyUnit).to.equal('characters')
  })

  it('show no keys of temp URLs', async () => {
    const box = await fresh()
    await opened.store.setTempUrlKey(at(box), 'key', 'very-secret', newCall())
    expect(JSON.stringify(await opened.store.showContainer(at(box), newCall()))).not.to.contain('very-secret')
  })

  it('open to everybody and close again, and keep other words of the ACL', async () => {
    const box = await fresh()
    await raw(box, 'POST', {'x-container-read': 'test2:tester2'})
    await opened.store.createContainer(at(box), {publicRead: true}, newCall())
    await opened.store.putWhole(at(box, 'x'), bufferBody(Buffer.from('public')), {}, newCall())
    const url = await opened.store.publicUrl(at(box, 'x'), newCall())
    expect((await ask(url)).status).to.equal(200)
    await opened.store.createContainer(at(box), {publicRead: false}, newCall())
    expect((await ask(url)).status).to.equal(401)
    expect((await raw(box, 'HEAD')).headers['x-container-read']).to.equal('test2:tester2')
  })

  it('end a quota with 0', async () => {
    const box = await fresh({quotaBytes: 5})
    await opened.store.createContainer(at(box), {quotaBytes: 0}, newCall())
    expect((await raw(box, 'HEAD')).headers).not.to.have.property('x-container-meta-quota-bytes')
  })

  it('tell a policy that they cannot move to, and one that there is not', async () => {
    const box = await fresh()
    const failure = await failureOf(opened.store.createContainer(at('nopolicy'), {policy: 'gold'}, newCall()), 'usage')
    expect(failure.message).to.contain('"gold"')
    expect(failure.suggestion).to.match(/Take one of \S/u)
    const {extra} = await opened.store.showContainer(at(box), newCall())
    const policy = extra?.['policy'] as string
    expect(await opened.store.createContainer(at(box), {policy}, newCall())).to.deep.equal({created: false, notes: []})
  })

  it('refuse what only S3 has, before anything is made', async () => {
    for (const options of [{encryption: 'AES256'}, {deleteAfterInDays: 1}, {abortIncompleteAfterInDays: 1}]) {
      await failureOf(opened.store.createContainer(at('never'), options, newCall()), 'unsupported')
    }
    await failureOf(opened.store.showContainer(at('never'), newCall()), 'not-found')
  })

  it('have one CORS rule; what Swift does not heed is told', async () => {
    const box = await fresh()
    expect(await opened.store.getCors(at(box), newCall())).to.deep.equal([])
    const rule = {
      origins: ['https://a.example', 'http://localhost:3000'],
      methods: ['PUT'],
      headers: ['x-thing'],
      expose: ['Etag', 'X-Trans-Id'],
      maxAgeInSeconds: 60,
    }
    const notes = await opened.store.setCors(at(box), [rule], newCall())
    expect(notes.join(' ')).to.contain('methods').and.to.contain('headers')
    const [read] = await opened.store.getCors(at(box), newCall())
    expect(read).to.deep.include({origins: rule.origins, expose: rule.expose, maxAgeInSeconds: 60})

    const preflight = async (origin: string) => {
      const headers = {origin, 'access-control-request-method': 'PUT'}
      return (await ask(`${access.storageUrl}/${encodeURI(box)}/x`, {method: 'OPTIONS', headers})).status
    }
    expect([await preflight('http://localhost:3000'), await preflight('https://b.example')]).to.deep.equal([200, 401])

    const {maxAgeInSeconds: _, ...ageless} = rule
    const next = {...ageless, origins: ['https://a.example'], methods: [], headers: []}
    expect((await opened.store.setCors(at(box), [next], newCall())).join(' ')).to.contain('http://localhost:3000')
    expect((await opened.store.getCors(at(box), newCall()))[0]).not.to.have.property('maxAgeInSeconds')
    await opened.store.clearCors(at(box), newCall())
    await opened.store.clearCors(at(box), newCall())
    expect(await opened.store.getCors(at(box), newCall())).to.deep.equal([])
    const wild = {...rule, origins: ['https://*.example']}
    await failureOf(opened.store.setCors(at(box), [wild], newCall()), 'unsupported')
  })

  it('let origins in beside those who are in already, while they are wanted', async () => {
    const box = await fresh()
    const rule = {
      origins: ['https://a.example', 'http://127.0.0.1:5'],
      methods: [],
      headers: [],
      expose: ['X-Trans-Id'],
    }
    await opened.store.setCors(at(box), [rule], newCall())
    const next = {...rule, origins: ['https://b.example'], expose: ['ETag'], maxAgeInSeconds: 60}
    const isWanted = (origin: string): boolean => !origin.includes('127')
    const notes = await opened.store.addCors(at(box), next, isWanted, newCall())
    expect(notes).to.deep.equal(['The origins that were allowed before are gone: http://127.0.0.1:5.'])
    expect((await opened.store.getCors(at(box), newCall()))[0]).to.deep.include({
      origins: ['https://b.example', 'https://a.example'],
      expose: ['ETag', 'X-Trans-Id'],
      maxAgeInSeconds: 60,
    })
  })

  it('are listed page by page, and fail not-found where there is none', async () => {
    const {settings} = {settings: {pageSize: 1}}
    const {v1} = await startSwift()
    const auth = {method: 'v1', authUrl: v1.authUrl, user: v1.user, key: v1.key} as const
    const paged = await openSwift({auth}, {isBare: true, ...settings})
    await fresh()
    await fresh()
    const names = (await collect(paged.store.listContainers(newCall()))).map(({name}) => name)
    expect(names).to.deep.equal((await collect(opened.store.listContainers(newCall()))).map(({name}) => name))
    expect(names.length).to.be.greaterThan(1)
    for (const verb of ['getCors', 'clearCors', 'deleteContainer'] as const) {
      await failureOf(Promise.resolve(opened.store[verb](at('nowhere'), newCall())), 'not-found')
    }
    paged.close()
  })
})
