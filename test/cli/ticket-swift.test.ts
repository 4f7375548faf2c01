import {readFile} from 'node:fs/promises'
import {join} from 'node:path'
import {expect} from 'chai'
import {MIB} from '../../src/core/sizes.ts'
import {parseTicket, partUrl} from '../../src/stores/ticket/ticket.ts'
import type {SwiftPartsTicket} from '../../src/stores/ticket/ticket.ts'
import {needSwift, startSwift} from '../servers/swift.ts'
import {ask, listNames, makeContainer, openForeign, signIn} from '../stores/swift/foreign-swift.ts'
import type {SwiftAccess} from '../stores/swift/foreign-swift.ts'
import {makeRandomFile} from '../support/random-file.ts'
import {callSkylift, makeHome, readJson} from '../support/run-skylift.ts'
import type {Ending, Home} from '../support/run-skylift.ts'
import {makeTempFolder} from '../support/temp-folder.ts'

const CONTAINER = 'inbox ü'
const KEY = 'a Temp-URL key of this test'

describe('skylift ticket, OpenStack Swift', function () {
  this.timeout(120_000)
  let access: SwiftAccess
  let owner: Home
  let stranger: Home
  let folder: string
  let file: string
  let bytes: Buffer

  before(async function () {
    needSwift(this)
    const {v1} = await startSwift()
    access = await signIn(v1)
    await makeContainer(access, CONTAINER)
    await ask(access.storageUrl, {
      method: 'POST',
      headers: {'x-auth-token': access.token, 'x-account-meta-temp-url-key': KEY},
    })
    owner = await makeHome({ST_AUTH: v1.authUrl, ST_USER: v1.user, ST_KEY: v1.key})
    stranger = await makeHome()
    folder = await makeTempFolder()
    file = join(folder, 'disk.img')
    await makeRandomFile(file, 12 * MIB)
    bytes = await readFile(file)
  })

  const own = (...argv: string[]): Promise<Ending> => callSkylift(argv, owner)
  const upload = (...argv: string[]): Promise<Ending> => callSkylift(['upload', ...argv], stranger)

  async function create(key: string, ...flags: string[]): Promise<string> {
    const path = join(folder, `${key}.json`)
    const {status, stderr} = await own('ticket', 'create', `swift://${CONTAINER}/${key}`, '-o', path, ...flags)
    expect(status, stderr).to.equal(0)
    expect(await readFile(path, 'utf8')).not.to.contain(KEY)
    return path
  }

  const readBack = async (key: string) => openForeign(access, CONTAINER).read(key)
  const parts = async (path: string): Promise<SwiftPartsTicket> =>
    parseTicket(await readFile(path, 'utf8')) as SwiftPartsTicket

  describe('whole, the default', () => {
    it('says of a file that is too large that the ticket allows less, and whom to ask', async () => {
      const path = await create('less.img', '--size', '1M')
      const {status, stderr} = await upload(file, `ticket:${path}`)
      expect(status).to.equal(2)
      expect(stderr).to.include('is more than the 1 MiB that the ticket allows.').and.to.include('Ask its owner')
    })

    it('takes the file in one PUT, of the type that the owner wished', async () => {
      const path = await create('whole.img', '--content-type', 'application/x-disk')
      expect((await own('ticket', 'show', path)).stdout).to.contain('in one PUT: an upload that is cut starts over.')
      const {status, stdout, stderr} = await upload(file, `ticket:${path}`)
      expect(status, stderr).to.equal(0)
      expect(stdout).to.match(/ md5 [\da-f]{32}\n$/u)
      const stored = await readBack('whole.img')
      expect(stored?.bytes.equals(bytes)).to.equal(true)
      expect(stored?.contentType).to.equal('application/x-disk')
    })

    it('has the limit of the cluster, and says what else there is', async () => {
      const path = await create('limit.img')
      expect(parseTicket(await readFile(path, 'utf8')).size).to.deep.equal({max: 5 * 1024 * MIB + 2})
      const target = `swift://${CONTAINER}/x`
      for (const flags of [
        ['--size', '6G'],
        ['-p', '64M'],
      ]) {
        const {status, stderr} = await own('ticket', 'create', target, ...flags)
        expect(status).to.equal(2)
        expect(stderr).to.contain('--assemble owner')
      }
    })

    it('says when the key was replaced', async () => {
      const path = await create('replaced.img')
      const text = await readFile(path, 'utf8')
      const spoiled = join(folder, 'spoiled.json')
      const {writeFile} = await import('node:fs/promises')
      await writeFile(
        spoiled,
        text.replace(/(?<=temp_url_sig=)./u, first => (first === '0' ? '1' : '0')),
      )
      const {status, stderr} = await upload(file, `ticket:${spoiled}`, '-q')
      expect(status).to.equal(4)
      expect(stderr).to.contain('it has ended, was changed, or its key was replaced')
    })
  })

  describe('owner', () => {
    it('takes parts from anybody, and the owner makes the object of them, once and again', async () => {
      const path = await create('owner.img', '--assemble', 'owner', '-f', 'a name.img')
      const early = await own('ticket', 'finish', path)
      expect(early.status).to.equal(8)
      expect(early.stderr).to.contain('Not everything has been sent: 0 parts (0 B) so far.')

      const sent = await upload(file, `ticket:${path}`, '-p', '5M')
      expect(sent.status, sent.stderr).to.equal(0)
      expect(sent.stderr).to.contain('The object appears when the owner of the ticket runs: skylift ticket finish FILE')
      expect(await readBack('owner.img')).to.equal(undefined)
      const second = await upload(file, `ticket:${path}`, '-q')
      expect(second.status, second.stderr).to.equal(5)

      const {status, stdout, stderr} = await own('ticket', 'finish', path)
      expect(status, stderr).to.equal(0)
      expect(stdout).to.match(/^swift:\/\/inbox ü\/owner\.img {2}12 MiB/u)
      expect((await readBack('owner.img'))?.bytes.equals(bytes)).to.equal(true)
      const again = readJson<{object: {size: number}}>(await own('ticket', 'finish', path, '--json'))
      expect(again.object.size).to.equal(12 * MIB)
      const {prefix, container} = (await parts(path)).parts
      const names = (await listNames(access, container)).filter(name => name.startsWith(prefix))
      expect(names).to.deep.equal(['00000001', '00000002', '00000003'].map(name => prefix + name))
      const link = (await callSkylift(['ticket', 'show', path, '--link'], stranger)).stdout.trim()
      const got = await ask(link)
      expect(got.bytes.equals(bytes)).to.equal(true)
      expect(got.headers['content-disposition']).to.contain('a name.img')
    })

    it('goes on with what is there', async () => {
      const path = await create('resumed.img', '--assemble', 'owner')
      const ticket = await parts(path)
      const size = 5 * MIB
      await ask(partUrl(ticket, 2), {method: 'PUT', body: bytes.subarray(size, 2 * size)})
      const ending = await upload(file, `ticket:${path}`, '-p', '5M', '--progress', 'json')
      expect(ending.status, ending.stderr).to.equal(0)
      expect((await own('ticket', 'finish', path)).status).to.equal(0)
      expect((await readBack('resumed.img'))?.bytes.equals(bytes)).to.equal(true)
    })

    it('never makes an object of what was changed, left out, or is more than was allowed', async () => {
      const path = await create('spoiled.img', '--assemble', 'owner', '--size', '13M')
      const ticket = await parts(path)
      expect((await upload(file, `ticket:${path}`, '-p', '5M', '-q')).status).to.equal(0)
      const fail = async (status: number, words: RegExp): Promise<void> => {
        const ending = await own('ticket', 'finish', path)
        expect(ending.status, ending.stderr).to.equal(status)
        expect(ending.stderr).to.match(words)
        expect(await readBack('spoiled.img')).to.equal(undefined)
      }
      const putList = (body: string) => ask(ticket.done ?? '', {method: 'PUT', body})
      const line = {number: 1, size: 5 * MIB, etag: 'ab'.repeat(16)}
      await putList('no list')
      await fail(7, /list of parts that was left is damaged/u)
      await putList(JSON.stringify([{...line, number: 2}]))
      await fail(7, /list of parts that was left is damaged/u)
      await putList(JSON.stringify([{...line, etag: '../../other'}]))
      await fail(7, /list of parts that was left is damaged/u)
      await putList(JSON.stringify([line]))
      await fail(7, /is not the one that was sent/u)
      await putList(JSON.stringify([{...line, size: 14 * MIB}]))
      await fail(2, /at most 13 MiB, and 14680064 bytes were sent/u)
      expect((await own('ticket', 'revoke', path)).status).to.equal(0)
    })

    it('makes an empty object of an empty file', async () => {
      const empty = join(folder, 'empty')
      await makeRandomFile(empty, 0)
      const path = await create('empty', '--assemble', 'owner')
      expect((await upload(empty, `ticket:${path}`)).status).to.equal(0)
      expect((await own('ticket', 'finish', path)).status).to.equal(0)
      expect((await readBack('empty'))?.bytes.length).to.equal(0)
    })

    it('renews, and revokes: the holder is told', async () => {
      const path = await create('revoked.img', '--assemble', 'owner')
      expect((await own('ticket', 'renew', path, '--expires', '3h')).status).to.equal(0)
      const {status, stdout, stderr} = await own('ticket', 'revoke', path)
      expect([status, stdout]).to.deep.equal([0, `The ticket for swift://${CONTAINER}/revoked.img is revoked.\n`])
      expect(stderr).to.match(/goes on working until .+; only another Temp-URL key ends it before/u)
      const {prefix, container} = (await parts(path)).parts
      expect((await listNames(access, container)).filter(name => name.startsWith(prefix))).to.deep.equal([])
      const late = await upload(file, `ticket:${path}`, '-q')
      expect(late.status).to.equal(5)
      expect(late.stderr).to.contain('it was finished or revoked')
      expect((await own('ticket', 'renew', path)).status).to.equal(5)
    })
  })

  describe('open', () => {
    it('is the object from the start, and whole when the upload is', async () => {
      const path = await create('open.img', '--assemble', 'open', '--size', '64M', '-p', '5M')
      expect((await own('ticket', 'show', path)).stdout).to.contain('is there from the start')
      expect((await readBack('open.img'))?.bytes.length).to.equal(0)
      const {status, stderr} = await upload(file, `ticket:${path}`)
      expect(status, stderr).to.equal(0)
      expect((await readBack('open.img'))?.bytes.equals(bytes)).to.equal(true)
    })

    it('drops what a larger file has left behind', async () => {
      const path = await create('shrunk.img', '--assemble', 'open', '--size', '64M', '-p', '5M')
      expect((await upload(file, `ticket:${path}`)).status).to.equal(0)
      const small = join(folder, 'small')
      await makeRandomFile(small, 6 * MIB)
      const {status, stderr} = await upload(small, `ticket:${path}`)
      expect(status, stderr).to.equal(0)
      expect((await readBack('shrunk.img'))?.bytes.equals(await readFile(small))).to.equal(true)
    })

    it('never takes the place of an object', async () => {
      await upload(file, `ticket:${await create('stands.img')}`)
      const {status, stderr} = await own('ticket', 'create', `swift://${CONTAINER}/stands.img`, '--assemble', 'open')
      expect(status, stderr).to.equal(6)
      expect((await readBack('stands.img'))?.bytes.equals(bytes)).to.equal(true)
    })

    it('is deleted with all its parts when it is revoked, and asks before', async () => {
      const path = await create('dropped.img', '--assemble', 'open', '--size', '64M', '-p', '5M')
      expect((await upload(file, `ticket:${path}`)).status).to.equal(0)
      expect((await own('ticket', 'revoke', path)).status).to.equal(2)
      expect((await readBack('dropped.img'))?.bytes.length).to.equal(12 * MIB)
      expect((await own('ticket', 'revoke', path, '-y')).status).to.equal(0)
      expect(await readBack('dropped.img')).to.equal(undefined)
      const {prefix, container} = (await parts(path)).parts
      expect((await listNames(access, container)).filter(name => name.startsWith(prefix))).to.deep.equal([])
    })
  })
})
