import {execFile} from 'node:child_process'
import {existsSync} from 'node:fs'
import {readFile, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {promisify} from 'node:util'
import {expect} from 'chai'
import {MIB} from '../../src/core/sizes.ts'
import {needSwift, startSwift} from '../servers/swift.ts'
import type {SwiftServer} from '../servers/swift.ts'
import {ask, escapePath, listNames, makeContainer, signIn} from '../stores/swift/foreign-swift.ts'
import type {SwiftAccess} from '../stores/swift/foreign-swift.ts'
import {openSwift} from '../stores/swift/open-swift.ts'
import type {OpenedSwift} from '../stores/swift/open-swift.ts'
import {at, sendParts, textPieces, uploadParts} from '../stores/swift/upload-parts.ts'
import {makeRandomFile} from '../support/random-file.ts'
import {callSkylift, makeHome, readJson} from '../support/run-skylift.ts'
import type {Ending, Home} from '../support/run-skylift.ts'
import {skipUnless} from '../support/skip.ts'

const run = promisify(execFile)
const SWIFT = '/usr/bin/swift'
const BOX = 'left'
const SEGMENTS = `${BOX}_segments`
const SHARED = 'shared segments'

interface PendingJson {
  readonly pending: readonly {
    readonly target: string
    readonly uploadId: string
    readonly held: number
    readonly parts: number
    readonly isAtStore: boolean
    readonly file: string | null
  }[]
}

describe('what is left of uploads to Swift, and what is stored there', function () {
  this.timeout(60_000)
  let server: SwiftServer
  let access: SwiftAccess
  let opened: OpenedSwift
  let home: Home
  let file: string

  before(async function () {
    needSwift(this)
    server = await startSwift()
    const {authUrl, user, key} = server.v1
    access = await signIn(server.v1)
    for (const box of [BOX, 'other', 'archive']) await makeContainer(access, box)
    opened = await openSwift({auth: {method: 'v1', authUrl, user, key}})
    home = await makeHome({ST_AUTH: authUrl, ST_USER: user, ST_KEY: key})
    file = join(home.folder, 'disk.img')
    await makeRandomFile(file, 3 * MIB + 7)
  })
  after(() => opened?.close())

  const call = (...argv: string[]): Promise<Ending> => callSkylift(argv, home)
  const pendingOf = async (...argv: string[]): Promise<PendingJson['pending']> =>
    readJson<PendingJson>(await call('pending', 'list', ...argv, '--json')).pending
  const keysOf = async (...argv: string[]): Promise<string[]> =>
    (await pendingOf(...argv)).map(({target}) => target.replace(/^swift:\/\/[^/]*\//u, ''))
  const send = (method: string, path: string, more: {query?: string; body?: Buffer} = {}) =>
    ask(`${access.storageUrl}/${escapePath(path)}${more.query ?? ''}`, {
      method,
      headers: {'x-auth-token': access.token},
      ...(more.body === undefined ? {} : {body: more.body}),
    })
  const segmentsOf = async (key: string, container = SEGMENTS): Promise<string[]> =>
    (await listNames(access, container)).filter(name => name.startsWith(`${key}/`))

  async function swift(context: Mocha.Context, ...args: string[]): Promise<void> {
    skipUnless(context, existsSync(SWIFT), 'the swift client is missing: apt-get install python3-swiftclient')
    const {authUrl, user, key} = server.v1
    const env = {PATH: '/usr/bin:/bin', HOME: home.folder}
    await run(SWIFT, ['-A', authUrl, '-U', user, '-K', key, ...args], {env})
  }

  describe('skylift pending', () => {
    it('lists an unfinished upload with the bytes that it holds, under its prefix only', async () => {
      const {session} = await sendParts(opened.store, at(BOX, 'a/begun'), textPieces('one', 'two'))
      expect(await pendingOf()).to.deep.equal([])
      expect(await pendingOf(`swift://${BOX}/a/`)).to.have.length(1)
      expect((await pendingOf(`swift://${BOX}/a/`))[0]).to.include({
        target: `swift://${BOX}/a/begun`,
        uploadId: session.uploadId,
        held: 6,
        parts: 2,
        isAtStore: true,
        file: null,
      })
      expect(await pendingOf(`swift://${BOX}/b`)).to.deep.equal([])
      expect(await pendingOf('swift://other')).to.deep.equal([])
      expect((await call('pending', 'abort', `swift://${BOX}/a/begun`)).status).to.equal(2)
      const {status, stdout} = await call('pending', 'abort', `swift://${BOX}/a/begun`, '-y')
      expect({status, stdout}).to.deep.equal({status: 0, stdout: 'Dropped one unfinished upload.\n'})
      expect(await listNames(access, SEGMENTS)).to.deep.equal([])
      expect((await call('pending', 'abort', `swift://${BOX}/a/begun`)).status).to.equal(5)
    })

    it('prunes what is old enough, with -y, and nothing that is an object or was not made by us', async function () {
      // Objects, each large: of ours, of the swift client, moved to another key, and copied to another container.
      await uploadParts(opened.store, at(BOX, 'whole'), textPieces('1', '2'))
      await swift(this, 'upload', '--use-slo', '-S', String(MIB), '--object-name', 'theirs', BOX, file)
      for (const [key, place] of [
        ['moved', `${BOX}/elsewhere`],
        ['copied', 'archive/copy'],
      ] as const) {
        await uploadParts(opened.store, at(BOX, key), textPieces('3', '4'))
        const {bytes} = await send('GET', `${BOX}/${key}`, {query: '?multipart-manifest=get&format=raw'})
        await send('PUT', place, {query: '?multipart-manifest=put', body: bytes})
        await send('DELETE', `${BOX}/${key}`)
      }
      // Segments that no manifest names: the swift client's, somebody's whose names look like ours at a glance.
      await swift(this, 'upload', '--use-slo', '-S', String(MIB), '--object-name', 'orphaned', BOX, file)
      await send('DELETE', `${BOX}/orphaned`)
      await send('PUT', `${SEGMENTS}/x/skylift-backup/00000001`, {body: Buffer.from('x')})
      await send('PUT', `${SEGMENTS}/y/skylift-20200101T000000Z-0123456789abcdef/1`, {body: Buffer.from('y')})
      const before = await listNames(access, SEGMENTS)
      // And what is to go: begun and not ended, ended and then deleted without its segments.
      await sendParts(opened.store, at(BOX, 'begun'), textPieces('5', '6'))
      await sendParts(opened.store, at(BOX, `long/${'z'.repeat(1000)}`), textPieces('7'))
      await uploadParts(opened.store, at(BOX, 'deleted'), textPieces('8', '9'))
      await send('DELETE', `${BOX}/deleted`)
      const all = await listNames(access, SEGMENTS)

      const target = `swift://${BOX}`
      const old = ['--older-than', '0.001s']
      expect((await call('pending', 'prune', target, '-y')).stdout).to.equal('Dropped 0.\n')
      const dry = await call('pending', 'prune', target, ...old)
      expect(dry.stdout).to.include('/begun').and.include('/deleted').and.include('/long/zzz')
      expect(dry.stderr).to.include('say -y')
      expect(await listNames(access, SEGMENTS)).to.deep.equal(all)
      expect((await call('pending', 'prune', target, ...old, '-y')).stdout).to.equal('Dropped 3.\n')
      expect(await listNames(access, SEGMENTS)).to.deep.equal(before)
      expect(String((await send('GET', 'archive/copy')).bytes)).to.equal('34')
    })

    it('knows whose an upload is where several containers have their segments in one', async () => {
      const options = {segmentContainer: SHARED}
      await uploadParts(opened.store, at('other', 'done'), textPieces('1', '2'), options)
      await sendParts(opened.store, at('other', 'theirs'), textPieces('3', '4'), options)
      await sendParts(opened.store, at(BOX, 'ours'), textPieces('5', '6'), options)
      const where = ['--segment-container', SHARED]
      expect(await keysOf(`swift://${BOX}`, ...where)).to.deep.equal(['ours'])
      expect(await keysOf('swift://other', ...where)).to.deep.equal(['theirs'])
      const prune = ['pending', 'prune', `swift://${BOX}`, ...where, '--older-than', '0.001s', '-y']
      expect((await call(...prune)).stdout).to.equal('Dropped 1.\n')
      expect(await segmentsOf('ours', SHARED)).to.deep.equal([])
      expect(await segmentsOf('theirs', SHARED)).to.have.length(3)
      expect(String((await send('GET', 'other/done')).bytes)).to.equal('12')
    })
  })

  describe('skylift verify', () => {
    it('compares by the MD5s of the segments what swift upload made, and replaces it with nothing left', async function () {
      await swift(this, 'upload', '--use-slo', '-S', String(MIB), '--object-name', 'slo', BOX, file)
      expect(await segmentsOf('slo')).to.have.length(4)
      const target = `swift://${BOX}/slo`
      const same = await call('verify', file, target)
      expect(same).to.include({status: 0, stdout: `${target} is the same as ${file}: md5.\n`})
      expect((await call('verify', file, target, '--download')).stdout).to.include('every byte')
      const other = join(home.folder, 'other.img')
      const bytes = await readFile(file)
      bytes[2 * MIB] = (bytes[2 * MIB] ?? 0) ^ 1
      await writeFile(other, bytes)
      const differs = await call('verify', other, target)
      expect(differs.status).to.equal(7)
      expect(differs.stderr).to.include('segment 3')
      expect((await call('upload', other, target, '-p', '1M', '-q')).status).to.equal(0)
      const names = await segmentsOf('slo')
      expect(names).to.have.length(4)
      expect(names.every(name => name.startsWith('slo/skylift-'))).to.equal(true)
      expect((await call('verify', other, target)).status).to.equal(0)
      expect((await call('verify', file, target)).status).to.equal(7)
      expect((await call('verify', file, `swift://${BOX}/nothing`)).status).to.equal(5)
    })
  })

  describe('skylift upload --no-clobber', () => {
    for (const [how, more] of [
      ['whole', []],
      ['in parts', ['-p', '1M']],
    ] as const) {
      it(`keeps what is there, ${how}, and leaves nothing`, async () => {
        const target = `swift://${BOX}/once ${how}`
        expect((await call('upload', file, target, '-q', '--no-clobber', ...more)).status).to.equal(0)
        const segments = await listNames(access, SEGMENTS)
        const other = join(home.folder, 'other.bin')
        await makeRandomFile(other, 2 * MIB, 7)
        const refused = await call('upload', other, target, '-q', '--no-clobber', ...more)
        expect(refused.status).to.equal(6)
        expect(refused.stderr).to.include('There is already')
        expect((await call('verify', file, target)).status).to.equal(0)
        expect(await listNames(access, SEGMENTS)).to.deep.equal(segments)
        expect(await pendingOf(`swift://${BOX}/once`)).to.deep.equal([])
      })
    }
  })
})
