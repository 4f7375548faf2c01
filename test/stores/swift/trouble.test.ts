import {randomBytes} from 'node:crypto'
import {expect} from 'chai'
import {MIB} from '../../../src/core/sizes.ts'
import {bufferBody} from '../../../src/core/buffer-body.ts'
import {needSwift, startSwift} from '../../servers/swift.ts'
import type {SwiftServer} from '../../servers/swift.ts'
import {failureOf, newCall, partOf} from '../contract/bench.ts'
import {ask, makeContainer, signIn} from './foreign-swift.ts'
import {openSwift} from './open-swift.ts'
import type {OpenedSwift} from './open-swift.ts'
import {at, sendParts} from './upload-parts.ts'

const BOX = 'trouble'
const LAGGING = 'lagging'

describe('a Swift that makes trouble', function () {
  this.timeout(120_000)
  let server: SwiftServer
  let opened: OpenedSwift

  before(async function () {
    needSwift(this)
    server = await startSwift({
      settings: {SWIFT_AIO_TOKEN_LIFE: '4', SWIFT_AIO_RECHECK: '10', SWIFT_AIO_MAX_FILE_SIZE: '3145728'},
    })
    await makeContainer(await signIn(server.v1), BOX)
    const {authUrl, user, key} = server.v1
    opened = await openSwift({auth: {method: 'v1', authUrl, user, key}}, {retryFor: 20_000})
  })
  after(async () => {
    opened?.close()
    await server?.stop()
  })

  it('ends its tokens in the middle of an upload, and no part is lost', async () => {
    const pieces = [randomBytes(MIB), randomBytes(MIB), randomBytes(10)]
    const before = opened.requests.length
    const {session, receipts} = await sendParts(opened.store, at(BOX, 'long'), pieces.slice(0, 2))
    const whole = {...session, size: 2 * MIB + 10}
    const {token, storageUrl} = await signIn(server.v1)
    // A newer token than ours: once it has ended, so has ours.
    const isOver = async () =>
      (await ask(`${storageUrl}/${BOX}`, {method: 'HEAD', headers: {'x-auth-token': token}})).status === 401
    while (!(await isOver())) await new Promise(resolve => setTimeout(resolve, 200))
    const body = bufferBody(pieces[2] ?? Buffer.alloc(0))
    receipts.push(await opened.store.putPart(whole, partOf(whole, 3, body), body, newCall()))
    const stored = await opened.store.complete(whole, receipts, newCall())
    expect(stored.size).to.equal(whole.size)
    const signIns = opened.requests.slice(before).filter(({path}) => path.startsWith('/auth/'))
    expect(signIns).to.have.length.within(2, 3)
    const same = await opened.store.compare(at(BOX, 'long'), bufferBody(Buffer.concat(pieces)), {}, newCall())
    expect(same.by).to.equal('md5')
  })

  it('has its own limits, and says so before anything is sent', async () => {
    expect((await opened.store.limits(newCall())).whole).to.equal(3 * MIB)
    const large = bufferBody(randomBytes(3 * MIB + 1))
    const failure = await failureOf(opened.store.putWhole(at(BOX, 'large'), large, {}, newCall()), 'too-large')
    expect(failure.retryable).to.equal(false)
  })

  it('keeps its quotas, and names them', async () => {
    await opened.store.createContainer(at('small'), {quotaBytes: 10}, newCall())
    const body = bufferBody(randomBytes(100))
    let failure
    // The quota is known to the proxy ten seconds later.
    while (failure === undefined) {
      failure = await opened.store.putWhole(at('small', 'x'), body, {}, newCall()).then(
        () => undefined,
        (error: unknown) => error as Error & {code: string},
      )
    }
    expect(failure.code).to.equal('too-large')
    expect(failure.message).to.contain('quota').and.to.contain('small')
  })

  it('loses its object server, and the upload goes on when it is back', async () => {
    const {session, receipts} = await sendParts(opened.store, at(BOX, 'killed'), [randomBytes(1000), randomBytes(1000)])
    await server.control('kill', 'object')
    let retries = 0
    const call = {
      ...newCall(),
      onRetry: () => {
        if (++retries === 2) void server.control('respawn', 'object')
      },
    }
    const stored = await opened.store.complete(session, receipts, call)
    expect(retries).to.be.greaterThan(1)
    expect((await opened.store.head(at(BOX, 'killed'), newCall())).etag).to.equal(stored.etag)
  })

  it('lags with its listings: the parts are found by their names, and the manifest joins them', async () => {
    // A container of its own: what the proxy learnt of another one earlier ends in the middle of this.
    await opened.store.createContainer(at(LAGGING), {}, newCall())
    const session = await opened.store.begin(at(LAGGING, 'lag'), {}, {size: 5, partSize: 3, count: 2}, newCall())
    // From here on the proxy knows the container of the parts for ten seconds; later it would have nobody to ask.
    await sendParts(opened.store, at(LAGGING, 'remembered'), [randomBytes(10)])
    await server.control('kill', 'container')
    const bodies = ['hel', 'lo'].map(text => bufferBody(Buffer.from(text)))
    const receipts = []
    for (const [index, body] of bodies.entries()) {
      receipts.push(await opened.store.putPart(session, partOf(session, index + 1, body), body, newCall()))
    }
    await server.control('respawn', 'container')
    expect(await opened.store.listParts(session, newCall())).to.deep.equal([])
    expect((await opened.store.complete(session, receipts, newCall())).size).to.equal(5)
    const same = await opened.store.compare(at(LAGGING, 'lag'), bufferBody(Buffer.from('hello')), {}, newCall())
    expect(same.by).to.equal('md5')
  })
})
