import {execFile} from 'node:child_process'
import {randomBytes} from 'node:crypto'
import {existsSync} from 'node:fs'
import {readFile, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {promisify} from 'node:util'
import {expect} from 'chai'
import {MIB} from '../../../src/core/sizes.ts'
import {bufferBody} from '../../../src/core/buffer-body.ts'
import {needSwift, startSwift} from '../../servers/swift.ts'
import type {SwiftServer} from '../../servers/swift.ts'
import {skipUnless} from '../../support/skip.ts'
import {makeTempFolder} from '../../support/temp-folder.ts'
import {newCall} from '../contract/bench.ts'
import {listNames, makeContainer, signIn} from './foreign-swift.ts'
import type {SwiftAccess} from './foreign-swift.ts'
import {openSwift} from './open-swift.ts'
import type {OpenedSwift} from './open-swift.ts'
import {at, uploadParts} from './upload-parts.ts'

const run = promisify(execFile)
const SWIFT = '/usr/bin/swift'
const BOX = 'interchange'
const WHOLE = 'dir/ü + 100%.bin'
const LARGE = 'dir/large ü+#.bin'

describe('Swift and the clients that we did not write', function () {
  this.timeout(120_000)
  let server: SwiftServer
  let opened: OpenedSwift
  let access: SwiftAccess
  let folder: string
  const whole = randomBytes(MIB + 7)
  const pieces = [randomBytes(2 * MIB), randomBytes(2 * MIB), randomBytes(5)]
  const large = Buffer.concat(pieces)

  before(async function () {
    needSwift(this)
    server = await startSwift()
    folder = await makeTempFolder()
    const {authUrl, user, key} = server.v1
    opened = await openSwift({auth: {method: 'v1', authUrl, user, key}})
    access = await signIn(server.v1)
    await makeContainer(access, BOX)
    await opened.store.putWhole(at(BOX, WHOLE), bufferBody(whole), {}, newCall())
    await uploadParts(opened.store, at(BOX, LARGE), pieces)
  })
  after(() => opened?.close())

  async function swift(context: Mocha.Context, ...args: string[]): Promise<void> {
    skipUnless(context, existsSync(SWIFT), 'the swift client is missing: apt-get install python3-swiftclient')
    const {authUrl, user, key} = server.v1
    await run(SWIFT, ['-A', authUrl, '-U', user, '-K', key, ...args], {env: {PATH: '/usr/bin:/bin', HOME: folder}})
  }

  for (const [title, key, bytes] of [
    ['whole', WHOLE, whole],
    ['large', LARGE, large],
  ] as const) {
    it(`swift download reads the ${title} object`, async function () {
      const file = join(folder, `swift-${title}`)
      await swift(this, 'download', BOX, key, '-o', file)
      expect((await readFile(file)).equals(bytes)).to.equal(true)
    })

    it(`curl reads the ${title} object`, async function () {
      skipUnless(this, existsSync('/usr/bin/curl'), 'curl is missing: apt-get install curl')
      const file = join(folder, `curl-${title}`)
      const url = await opened.store.publicUrl(at(BOX, key), newCall())
      await run('/usr/bin/curl', ['-sSf', '-o', file, '-H', `X-Auth-Token: ${access.token}`, url])
      expect((await readFile(file)).equals(bytes)).to.equal(true)
    })

    it(`rclone reads the ${title} object, and finds its checksum right`, async function () {
      skipUnless(this, existsSync('/usr/bin/rclone'), 'rclone is missing: apt-get install rclone')
      const {authUrl, user, key: secret} = server.v1
      const file = join(folder, `rclone-${title}`)
      const env = {
        PATH: '/usr/bin:/bin',
        HOME: folder,
        RCLONE_CONFIG_AIO_TYPE: 'swift',
        RCLONE_CONFIG_AIO_AUTH: authUrl,
        RCLONE_CONFIG_AIO_USER: user,
        RCLONE_CONFIG_AIO_KEY: secret,
        RCLONE_CONFIG_AIO_AUTH_VERSION: '1',
      }
      await run('/usr/bin/rclone', ['copyto', `aio:${BOX}/${key}`, file], {env})
      expect((await readFile(file)).equals(bytes)).to.equal(true)
    })
  }

  it('what swift upload made of segments is compared, and replaced with nothing left', async function () {
    const bytes = randomBytes(3 * MIB)
    const file = join(folder, 'theirs.bin')
    await writeFile(file, bytes)
    const upload = ['upload', '--use-slo', '-S', String(MIB), '--object-name', 'theirs', BOX, file]
    const segments = async () => (await listNames(access, `${BOX}_segments`)).filter(name => name.startsWith('theirs/'))

    await swift(this, ...upload)
    expect(await segments()).to.have.length(3)
    expect((await opened.store.compare(at(BOX, 'theirs'), bufferBody(bytes), {}, newCall())).by).to.equal('md5')
    await opened.store.putWhole(at(BOX, 'theirs'), bufferBody(Buffer.from('small')), {}, newCall())
    expect(await segments()).to.deep.equal([])

    await swift(this, ...upload)
    await uploadParts(opened.store, at(BOX, 'theirs'), [bytes.subarray(0, MIB), bytes.subarray(MIB)])
    const names = await segments()
    expect(names).to.have.length(2)
    expect(names.every(name => name.startsWith('theirs/skylift-'))).to.equal(true)
  })

  it('swift upload replaces what we made, and swift delete removes it, with their segments', async function () {
    const file = join(folder, 'small.bin')
    await writeFile(file, 'small')
    const segments = async () => (await listNames(access, `${BOX}_segments`)).filter(name => name.startsWith('ours/'))
    await uploadParts(opened.store, at(BOX, 'ours'), [Buffer.from('a'), Buffer.from('b')])
    await swift(this, 'upload', '--object-name', 'ours', BOX, file)
    expect(await segments()).to.deep.equal([])
    await uploadParts(opened.store, at(BOX, 'ours'), [Buffer.from('a'), Buffer.from('b')])
    await swift(this, 'delete', BOX, 'ours')
    expect(await segments()).to.deep.equal([])
  })
})
