import {createHash, randomBytes} from 'node:crypto'
import {expect} from 'chai'
import {MIB} from '../../src/core/sizes.ts'
import {needSwift, startSwift} from '../servers/swift.ts'
import {ask, listNames, makeContainer, openForeign, signIn} from '../stores/swift/foreign-swift.ts'
import type {SwiftAccess} from '../stores/swift/foreign-swift.ts'
import {makeHome, runSkylift, startSkylift} from '../support/run-skylift.ts'
import type {Home} from '../support/run-skylift.ts'

const BOX = 'streams'
const SEGMENTS = `${BOX}_segments`

describe('stdin into OpenStack Swift', function () {
  this.timeout(90_000)
  let access: SwiftAccess
  let home: Home

  before(async function () {
    needSwift(this)
    const {v1} = await startSwift()
    access = await signIn(v1)
    await makeContainer(access, BOX)
    home = await makeHome({ST_AUTH: v1.authUrl, ST_USER: v1.user, ST_KEY: v1.key})
  })

  const read = async (key: string): Promise<string | undefined> => {
    const object = await openForeign(access, BOX).read(key)
    return object === undefined ? undefined : createHash('sha256').update(object.bytes).digest('hex')
  }
  const segmentsOf = async (key: string): Promise<string[]> =>
    (await listNames(access, SEGMENTS)).filter(name => name.startsWith(`${key}/`))

  it('makes segments that grow, and one object of them', async () => {
    const bytes = randomBytes(120 * MIB + 5)
    const {status, stderr} = await runSkylift(['upload', '-', `swift://${BOX}/dump.sql.gz`, '-p', '1M', '-q'], {
      env: home.env,
      stdin: bytes,
    })
    expect({status, stderr}).to.deep.equal({status: 0, stderr: ''})
    expect(await read('dump.sql.gz')).to.equal(createHash('sha256').update(bytes).digest('hex'))
    const manifest = await ask(`${access.storageUrl}/${BOX}/dump.sql.gz?multipart-manifest=get`, {
      headers: {'x-auth-token': access.token},
    })
    const sizes = (JSON.parse(String(manifest.bytes)) as {bytes: number}[]).map(segment => segment.bytes)
    expect(sizes.reduce((sum, size) => sum + size, 0)).to.equal(bytes.length)
    expect(sizes[0]).to.equal(MIB)
    expect(Math.max(...sizes)).to.be.above(MIB)
    expect(manifest.headers['x-static-large-object']).to.equal('True')
  })

  it('goes whole where it is small', async () => {
    const {status} = await runSkylift(['upload', '-', `swift://${BOX}/small.txt`, '-q'], {
      env: home.env,
      stdin: Buffer.from('small'),
    })
    expect(status).to.equal(0)
    expect(await segmentsOf('small.txt')).to.deep.equal([])
    expect(await read('small.txt')).to.equal(createHash('sha256').update('small').digest('hex'))
  })

  it('takes all of a program that ends before the store is reached', async () => {
    const argv = ['upload', '--from-command', `swift://${BOX}/soon.txt`, '-q', '--', 'echo', 'soon']
    const {status, stderr} = await runSkylift(argv, {env: home.env})
    expect({status, stderr}).to.deep.equal({status: 0, stderr: ''})
    expect(await read('soon.txt')).to.equal(createHash('sha256').update('soon\n').digest('hex'))
  })

  it('leaves neither an object nor a segment when the program fails', async () => {
    const script = 'head -c 5000000 /dev/zero; exit 1'
    const argv = ['upload', '--from-command', `swift://${BOX}/failed`, '-p', '1M', '--', 'sh', '-c', script]
    const {status, stderr} = await runSkylift(argv, {env: home.env})
    expect(status, stderr).to.equal(7)
    expect(await read('failed')).to.equal(undefined)
    expect(await segmentsOf('failed')).to.deep.equal([])
  })

  it('can be found by pending when it was killed', async () => {
    const running = startSkylift(['upload', '-', `swift://${BOX}/killed`, '-p', '1M', '--progress', 'json'], {
      env: home.env,
      stdin: 'open',
    })
    running.child.stdin?.write(randomBytes(5 * MIB))
    await running.said(/"event":"stored"/u)
    running.child.kill('SIGKILL')
    await running.ended
    const listed = await runSkylift(['pending', 'list', `swift://${BOX}`, '--json'], {env: home.env})
    expect(listed.stdout).to.include('streams/killed')
    expect((await runSkylift(['pending', 'abort', `swift://${BOX}/killed`, '--yes'], {env: home.env})).status).to.equal(
      0,
    )
    expect(await segmentsOf('killed')).to.deep.equal([])
  })
})
