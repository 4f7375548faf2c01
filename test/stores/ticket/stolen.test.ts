import {expect} from 'chai'
import {bufferBody} from '../../../src/core/buffer-body.ts'
import {startSandbox} from '../../../src/sandbox/server.ts'
import type {Session, Target} from '../../../src/stores/store.ts'
import {partUrl} from '../../../src/stores/ticket/ticket.ts'
import type {S3Ticket, SwiftPartsTicket, SwiftWholeTicket} from '../../../src/stores/ticket/ticket.ts'
import {needSwift, startSwift} from '../../servers/swift.ts'
import {makeTempFolder} from '../../support/temp-folder.ts'
import {newCall} from '../contract/bench.ts'
import {makeBucket} from '../foreign-s3.ts'
import {openS3} from '../open-s3.ts'
import type {S3Access} from '../open-s3.ts'
import {ask, makeContainer, signIn} from '../swift/foreign-swift.ts'
import type {SwiftAccess} from '../swift/foreign-swift.ts'
import {openSwift} from '../swift/open-swift.ts'
import type {Owner} from './open-tickets.ts'
import {openText, ownerOf, wishFor} from './open-tickets.ts'

const CONTAINER = 'stolen'
const PLAN = {size: 3, partSize: 3, count: 1}
const at = (key: string): Target => ({remote: 'test', container: CONTAINER, key})
const METHODS = ['GET', 'HEAD', 'PUT', 'POST', 'DELETE'] as const

/** Every text of a document. */
function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsOf) : []
}

async function statusOf(method: string, url: string): Promise<number> {
  return (await ask(url, {method, ...(['PUT', 'POST'].includes(method) ? {body: 'evil'} : {})})).status
}

function describeS3(
  name: string,
  {isDeadWhenDone}: {readonly isDeadWhenDone: boolean},
  open: (context: Mocha.Context) => Promise<S3Access & {close(): Promise<void>}>,
): void {
  describe(`a stolen ticket for ${name}`, function () {
    this.timeout(120_000)
    let access: S3Access & {close(): Promise<void>}
    let owned: Awaited<ReturnType<typeof openS3>>
    let owner: Owner

    before(async function () {
      access = await open(this)
      await makeBucket(access, CONTAINER)
      owned = await openS3(access)
      owner = ownerOf(owned.store)
      await owner.putWhole(at('other'), bufferBody(Buffer.from('mine')), {}, newCall())
      await owner.putWhole(at('theirs'), bufferBody(Buffer.from('old')), {}, newCall())
    })
    after(async () => {
      owned.close()
      await access.close()
    })

    const read = async (key: string): Promise<string> => {
      const pieces: Buffer[] = []
      await owner.read(at(key), undefined, bytes => void pieces.push(Buffer.from(bytes)), newCall())
      return String(Buffer.concat(pieces))
    }

    it('does not hold the secret, nor a header that signs anything else', async () => {
      const {ticket} = await owner.mintTicket(at('theirs'), wishFor(PLAN), newCall())
      const text = JSON.stringify(ticket)
      expect(text).not.to.contain(access.secretAccessKey)
      for (const url of textsOf(ticket).filter(each => each.startsWith('http'))) {
        expect(new URL(url).pathname).to.equal(`/${CONTAINER}/theirs`)
      }
    })

    it('can do nothing but its own upload', async () => {
      const {ticket} = await owner.mintTicket(at('theirs'), wishFor(PLAN), newCall())
      const other = await owner.mintTicket(at('theirs'), wishFor(PLAN), newCall())
      const s3 = ticket as S3Ticket
      const rightful: Record<string, string> = {
        [partUrl(s3, 1)]: 'PUT',
        [s3.list[0] ?? '']: 'GET',
        [s3.complete]: 'POST',
        [s3.abort]: 'DELETE',
        [s3.head]: 'HEAD',
      }
      let tried = 0
      const refuse = async (method: string, url: string, why: string): Promise<void> => {
        expect(await statusOf(method, url), `${method}, ${why}`).to.be.oneOf([400, 403, 405, 501])
        tried++
      }
      for (const [url, right] of Object.entries(rightful)) {
        for (const method of METHODS.filter(each => each !== right)) await refuse(method, url, 'another method')
        await refuse(right, url.replace(`/${CONTAINER}/theirs`, `/${CONTAINER}/other`), 'another key')
        await refuse(right, url.replace(`/${CONTAINER}/theirs`, `/${CONTAINER}`), 'the container')
        await refuse(right, url.replace(`/${CONTAINER}/theirs`, '/'), 'the account')
        await refuse(right, `${url}&versioning=`, 'another operation')
        if (!url.includes('uploadId=')) continue
        await refuse(right, url.replace(ticket.uploadId, other.ticket.uploadId), 'another upload')
        await refuse(right, url.replace(`uploadId=${ticket.uploadId}`, ''), 'no upload: the object itself')
      }
      await refuse('PUT', partUrl(s3, 1).replace('partNumber=1', 'partNumber=2'), 'another part')
      expect(tried).to.be.greaterThan(40)
      expect(await read('theirs')).to.equal('old')
      expect(await read('other')).to.equal('mine')
    })

    it('is dead once the upload is complete', async () => {
      const {ticket} = await owner.mintTicket(at('once'), wishFor(PLAN), newCall())
      const holder = await openText(ticket)
      await holder.store.putWhole(at('once'), bufferBody(Buffer.from('new')), {}, newCall())
      const session: Session = {...PLAN, target: at('once'), uploadId: ticket.uploadId, options: {}, checksum: 'md5'}
      const again = holder.store.putPart(
        session,
        {number: 1, offset: 0, size: 3},
        bufferBody(Buffer.from('bad')),
        newCall(),
      )
      const failure = await again.then(
        () => undefined,
        (error: unknown) => error as Error & {code: string},
      )
      holder.close()
      if (!isDeadWhenDone) {
        expect(failure).to.equal(undefined)
        return
      }
      expect(failure?.code).to.equal('not-found')
      expect(failure?.message).to.equal('The upload of this ticket is gone: it was finished or revoked.')
      expect(await read('once')).to.equal('new')
    })

    it('of an exact size takes no part of another length', async () => {
      const wish = wishFor(PLAN, {size: {exact: 3}})
      const {ticket} = await owner.mintTicket(at('exact'), wish, newCall())
      expect(await statusOf('PUT', partUrl(ticket as S3Ticket, 1))).to.equal(403)
      const holder = await openText(ticket)
      await holder.store.putWhole(at('exact'), bufferBody(Buffer.from('abc')), {}, newCall())
      expect(await read('exact')).to.equal('abc')
      holder.close()
    })
  })
}

describeS3('the sandbox', {isDeadWhenDone: true}, async () => {
  const sandbox = await startSandbox({folder: await makeTempFolder()})
  const {endpoint, region, accessKeyId, secretAccessKey} = sandbox
  return {endpoint, region, accessKeyId, secretAccessKey, close: () => sandbox.close()}
})
// It keeps a finished upload open: `ticket create` says so of stores that nobody knows.
describeS3("OpenStack Swift's S3 API", {isDeadWhenDone: false}, async context => {
  needSwift(context)
  return {...(await startSwift()).s3, close: () => Promise.resolve()}
})

describe('a stolen ticket for OpenStack Swift', function () {
  this.timeout(120_000)
  const KEY = 'the Temp-URL key of the account'
  let access: SwiftAccess
  let owned: Awaited<ReturnType<typeof openSwift>>
  let owner: Owner

  before(async function () {
    needSwift(this)
    const {v1} = await startSwift()
    access = await signIn(v1)
    await makeContainer(access, CONTAINER)
    owned = await openSwift({auth: {method: 'v1', authUrl: v1.authUrl, user: v1.user, key: v1.key}})
    owner = ownerOf(owned.store)
    await owned.store.setTempUrlKey({remote: 'test', container: '', key: ''}, 'key', KEY, newCall())
    await owner.putWhole(at('other'), bufferBody(Buffer.from('mine')), {}, newCall())
  })
  after(() => owned?.close())

  const own = (path: string): Promise<number> =>
    ask(`${access.storageUrl}/${path}`, {headers: {'x-auth-token': access.token}}).then(({status}) => status)

  it('does not hold the key or a token', async () => {
    for (const assemble of ['whole', 'owner', 'open'] as const) {
      const {ticket} = await owner.mintTicket(at(`secret-${assemble}`), wishFor(PLAN, {assemble}), newCall())
      expect(JSON.stringify(ticket)).not.to.contain(KEY).and.not.to.contain(access.token)
    }
  })

  it('of one PUT can do nothing but that PUT', async () => {
    const {ticket} = await owner.mintTicket(at('whole'), wishFor(PLAN, {assemble: 'whole'}), newCall())
    const {put} = ticket as SwiftWholeTicket
    for (const method of ['GET', 'POST', 'DELETE', 'COPY']) expect(await statusOf(method, put), method).to.equal(401)
    expect(await statusOf('PUT', put.replace('/whole?', '/other?'))).to.equal(401)
    expect(await statusOf('PUT', put.replace('/whole?', '?'))).to.equal(401)
    expect(await own(`${CONTAINER}/whole`)).to.equal(404)
    expect(await statusOf('PUT', put)).to.equal(201)
  })

  for (const assemble of ['owner', 'open'] as const) {
    it(`of ${assemble} can write under its own prefix, and nowhere else; read, list and delete nothing`, async () => {
      const key = `parts-${assemble}`
      const {ticket} = await owner.mintTicket(at(key), wishFor(PLAN, {assemble}), newCall())
      const {parts, head} = ticket as SwiftPartsTicket
      const part = partUrl(ticket as SwiftPartsTicket, 1)
      expect(await statusOf('PUT', part)).to.equal(201)
      for (const method of ['GET', 'POST', 'DELETE', 'COPY']) expect(await statusOf(method, part), method).to.equal(401)
      const place = new URL(part).pathname
      const escape = (path: string): string => part.replace(place, () => path)
      const segments = place.slice(0, place.lastIndexOf('/'))
      const account = place.split('/').slice(0, 3).join('/')
      for (const path of [
        `${account}/${CONTAINER}/other`,
        `${account}/${CONTAINER}/${key}`,
        `${account}/${encodeURIComponent(parts.container)}/elsewhere/00000001`,
        `${segments}.replaces`,
        `${account}/${encodeURIComponent(parts.container)}`,
        account,
      ]) {
        expect(await statusOf('PUT', escape(path)), path).to.be.oneOf([401, 404])
      }
      expect(
        await statusOf('GET', `${escape(`${account}/${encodeURIComponent(parts.container)}`)}&format=json`),
      ).to.equal(401)
      for (const method of ['GET', 'PUT', 'POST', 'DELETE']) expect(await statusOf(method, head), method).to.equal(401)
      expect(await own(`${CONTAINER}/other`)).to.equal(200)
    })
  }
})
