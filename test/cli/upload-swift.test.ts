import {createHash, randomBytes} from 'node:crypto'
import {mkdir, readFile, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {expect} from 'chai'
import {needSwift} from '../servers/swift.ts'
import {closeAll, openSandbox} from '../sandbox/support.ts'
import {ask, listNames, openForeign} from '../stores/swift/foreign-swift.ts'
import {accessEnv, callSkylift, makeHome} from '../support/run-skylift.ts'
import type {Ending, Home} from '../support/run-skylift.ts'
import {openAccount} from '../support/swift-account.ts'
import type {SwiftAccount} from '../support/swift-account.ts'

const BOX = 'uploads'
const SEGMENTS = `${BOX}_segments`
const DAY = 24 * 3600

describe('skylift upload: what only Swift has', function () {
  this.timeout(60_000)
  let account: SwiftAccount
  let home: Home
  let big: string
  let small: string

  before(async function () {
    this.timeout(120_000)
    needSwift(this)
    account = await openAccount()
    home = await makeHome(account.env)
    ;[big, small] = [join(home.folder, 'big.bin'), join(home.folder, 'small.txt')]
    await writeFile(big, randomBytes(5_000_000))
    await writeFile(small, 'small')
    await account.raw('PUT', BOX)
  })
  after(closeAll)

  const upload = async (path: string, key: string, ...flags: string[]): Promise<Ending> => {
    const ending = await callSkylift(['upload', path, `swift://${BOX}/${key}`, '-q', '-p', '2M', ...flags], home)
    expect(ending.status, ending.stderr).to.equal(0)
    return ending
  }
  /** Seconds until it goes; undefined for what stays. */
  const lifeOf = async (path: string): Promise<number | undefined> => {
    const {headers} = await account.raw('HEAD', path)
    const end = headers['x-delete-at']
    return end === undefined ? undefined : Number(end) - Date.parse(String(headers['last-modified'])) / 1000
  }
  const segmentsOf = async (key: string): Promise<string[]> =>
    (await listNames(account.access, SEGMENTS)).filter(name => name.startsWith(`${key}/`))

  it('lets an object end after a while, and its segments a day later', async () => {
    await upload(small, 'brief', '--delete-after', '1h')
    expect(await lifeOf(`${BOX}/brief`)).to.be.closeTo(3600, 5)
    await upload(big, 'brief-big', '--delete-after', '2d')
    expect(await lifeOf(`${BOX}/brief-big`)).to.be.closeTo(2 * DAY, 20)
    const segments = await segmentsOf('brief-big')
    expect(segments).to.have.length(3)
    for (const name of segments) expect(await lifeOf(`${SEGMENTS}/${name}`)).to.be.closeTo(3 * DAY, 20)
    await upload(small, 'for-ever')
    expect(await lifeOf(`${BOX}/for-ever`)).to.equal(undefined)
  })

  it('says of a container that is missing that it is, however something is sent there', async () => {
    const folder = join(home.folder, 'folder')
    await mkdir(folder)
    await writeFile(join(folder, 'a.txt'), 'a')
    for (const words of [
      ['upload', small, 'swift://nocont/x', '-q'],
      ['upload', small, 'swift://nocont/x', '-q', '--no-clobber'],
      ['upload', big, 'swift://nocont/x', '-q', '-p', '2M'],
      ['upload', folder, 'swift://nocont/', '-q', '-r'],
      ['upload', '-q', '--from-command', 'swift://nocont/x', '--', 'echo', 'some bytes'],
      ['verify', small, 'swift://nocont/x'],
    ]) {
      const {status, stderr} = await callSkylift(words, home)
      expect(status, words.join(' ')).to.equal(5)
      expect(stderr, words.join(' '))
        .to.include('There is no container "nocont".')
        .and.to.include('skylift container create TARGET')
    }
    const {stderr} = await callSkylift(['verify', small, `swift://${BOX}/nothing`], home)
    expect(stderr).to.include(`There is no "${BOX}/nothing".`)
  })

  it('clears the segments of what it replaces, unless they are to be kept', async () => {
    await upload(big, 'again')
    const first = await segmentsOf('again')
    await upload(big, 'again', '--keep-old-segments')
    const kept = await segmentsOf('again')
    expect(kept).to.have.length(6).and.to.include.members(first)
    await upload(small, 'again')
    expect(await segmentsOf('again')).to.have.members(first)
    const object = await openForeign(account.access, BOX).read('again')
    expect(object?.bytes).to.deep.equal(await readFile(small))
  })

  it('refuses what cannot be a container for segments, before anything is sent', async () => {
    for (const name of ['', `${BOX}/below`]) {
      const words = ['upload', big, `swift://${BOX}/nowhere`, '-p', '2M', '--segment-container', name]
      const {status, stderr} = await callSkylift(words, home)
      expect(stderr).to.include(`"${name}" cannot be the name of the container for segments.`)
      expect(status).to.equal(2)
    }
    expect((await account.raw('HEAD', `${BOX}/nowhere`)).status).to.equal(404)
  })

  it('tells the MD5 of a file in one piece, and the ETag of one in parts, which is another', async () => {
    const md5 = createHash('md5').update('small').digest('hex')
    expect((await upload(small, 'one-piece')).stdout).to.match(new RegExp(` md5 ${md5}\n$`, 'u'))
    const {stdout} = await upload(big, 'in-parts')
    const {headers} = await account.raw('HEAD', `${BOX}/in-parts`)
    expect(stdout).to.match(/ md5 of every part {2}etag [\da-f]{32}\n$/u)
    expect(stdout).to.include(String(headers.etag).replaceAll('"', ''))
  })

  it('puts segments where --segment-container says', async () => {
    await upload(big, 'elsewhere', '--segment-container', 'pieces')
    expect(await segmentsOf('elsewhere')).to.deep.equal([])
    expect(await listNames(account.access, 'pieces')).to.have.length(3)
  })

  it('clears segments away wherever the old object has them', async () => {
    await account.raw('PUT', 'no-usual')
    const send = async (path: string, ...flags: string[]): Promise<void> => {
      const ending = await callSkylift(['upload', path, 'swift://no-usual/x', '-q', '-p', '2M', ...flags], home)
      expect(ending.status, ending.stderr).to.equal(0)
    }
    await send(big, '--segment-container', 'far')
    expect(await listNames(account.access, 'far')).to.have.length(3)
    await send(small)
    expect(await listNames(account.access, 'far')).to.deep.equal([])
    await send(big, '--segment-container', 'far')
    await send(big)
    expect(await listNames(account.access, 'far')).to.deep.equal([])
    expect(await listNames(account.access, 'no-usual_segments')).to.have.length(3)
  })

  it('holds a large object to the quota of the container of its segments, not to that of its own', async () => {
    const make = (name: string, quota: string): Promise<Ending> =>
      callSkylift(['container', 'create', `swift://${name}`, '--quota-bytes', quota], home)
    await make('quota', '1M')
    const words = ['upload', big, 'swift://quota/x', '-q', '-p', '2M']
    expect((await callSkylift(words, home)).status).to.equal(0)
    await make('quota_segments', '1M')
    const {status, stderr} = await callSkylift(words, home)
    expect(status).to.equal(2)
    expect(stderr).to.include('The quota of "quota_segments"')
  })

  it('leaves objects that somebody has joined, and that are no segments', async () => {
    await account.raw('PUT', 'photos')
    const {storageUrl, token} = account.access
    const put = (path: string, body: string) =>
      ask(`${storageUrl}/${path}`, {method: 'PUT', headers: {'x-auth-token': token}, body})
    await put('photos/a.jpg', 'a')
    expect((await put(`${BOX}/album?multipart-manifest=put`, '[{"path": "/photos/a.jpg"}]')).status).to.equal(201)
    await upload(small, 'album')
    expect(await listNames(account.access, 'photos')).to.deep.equal(['a.jpg'])
  })

  for (const [flags, said] of [
    [['--delete-after', '300ms'], /whole seconds/u],
    [['--delete-after', '0'], /is not a duration/u],
    [['--delete-after', 'soon'], /is not a duration/u],
    [['--storage-class', 'COLD'], /have no --storage-class/u],
    [['--sse', 'AES256'], /have no --sse\./u],
    [['--acl', 'public-read'], /have no --acl/u],
    [['--tag', 'a=b'], /have no --tag/u],
  ] as const) {
    it(`refuses ${flags.join(' ')} and sends nothing`, async () => {
      const {status, stderr} = await callSkylift(['upload', small, `swift://${BOX}/never`, '-q', ...flags], home)
      expect([status, said.test(stderr)], stderr).to.deep.equal([2, true])
      expect((await account.raw('HEAD', `${BOX}/never`)).status).to.equal(404)
    })
  }

  it('is refused by S3 rather than forgotten there', async () => {
    const s3 = await makeHome(accessEnv(await openSandbox()))
    await callSkylift(['container', 'create', 's3://box'], s3)
    for (const flags of [['--delete-after', '1h'], ['--keep-old-segments']]) {
      for (const path of [small, big]) {
        const words = ['upload', path, 's3://box/x', '-q', '-p', '5M', ...flags]
        const {status, stderr} = await callSkylift(words, s3)
        expect([status, /^S3 has no /u.test(stderr)], stderr).to.deep.equal([2, true])
      }
    }
    expect((await callSkylift(['link', 's3://box/x', '--check'], s3)).status).to.equal(5)
  })
})
