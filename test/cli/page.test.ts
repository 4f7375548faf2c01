import {once} from 'node:events'
import {readdir} from 'node:fs/promises'
import {createServer} from 'node:net'
import type {AddressInfo} from 'node:net'
import {join} from 'node:path'
import {CreateBucketCommand} from '@aws-sdk/client-s3'
import type {S3Client} from '@aws-sdk/client-s3'
import {expect} from 'chai'
import {needSwift, startSwift} from '../servers/swift.ts'
import type {SwiftServer} from '../servers/swift.ts'
import {closeAll, openClient, openSandbox} from '../sandbox/support.ts'
import {accessEnv, callSkylift, makeHome, readJson, startSkylift} from '../support/run-skylift.ts'
import type {Home} from '../support/run-skylift.ts'
import {makeTempFolder} from '../support/temp-folder.ts'

/** Which origins each rule of a container lets in. */
async function originsAt(target: string, home: Home): Promise<unknown[]> {
  const {rules} = readJson<{rules: {origins: string[]}[]}>(await callSkylift(['cors', 'show', target, '--json'], home))
  return rules.map(({origins}) => origins)
}

/** Serves until it says where; returns what it said. */
async function serve(words: readonly string[], home: Home): Promise<{url: string; stderr: string}> {
  const running = startSkylift(['page', 'serve', ...words], home)
  const [url = ''] = /http:\/\/127\.0\.0\.1:\d+\/$/mu.exec(await running.said(/^http:.*\/\n/mu)) ?? []
  running.child.kill('SIGINT')
  return {url, stderr: (await running.ended).stderr}
}

describe('skylift page', function () {
  this.timeout(60_000)
  let client: S3Client
  let home: Home
  let folder: string

  before(async () => {
    const sandbox = await openSandbox()
    client = openClient(sandbox)
    home = await makeHome(accessEnv(sandbox))
    folder = await makeTempFolder()
    await client.send(new CreateBucketCommand({Bucket: 'box'}))
  })
  after(closeAll)

  it('lets its origin in beside those of earlier pages', async () => {
    for (const name of ['a', 'b']) {
      const words = ['s3://box/', '--origin', `https://${name}.example`, '-o', join(folder, `${name}.html`)]
      expect((await callSkylift(['page', 'create', ...words], home)).status).to.equal(0)
    }
    expect(await originsAt('s3://box', home)).to.deep.equal([['https://b.example', 'https://a.example']])
    const {url} = await serve(['s3://box/', '--name', 'Upload.example:443'], home)
    expect(await originsAt('s3://box', home)).to.deep.equal([
      [url.slice(0, -1), 'https://upload.example', 'https://b.example', 'https://a.example'],
    ])
    const next = await serve(['s3://box/'], home)
    // The last server has ended.
    expect(await originsAt('s3://box', home)).to.deep.equal([
      [next.url.slice(0, -1), 'https://upload.example', 'https://b.example', 'https://a.example'],
    ])
  })

  it('keeps the origin of whoever listens on this machine, and of a port that somebody chose', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    try {
      const listening = `http://127.0.0.1:${(other.address() as AddressInfo).port}`
      const chosen = 'http://127.0.0.1:3000'
      const words = ['s3://kept/', '--origin', listening, '--origin', chosen, '-o', join(folder, 'kept.html')]
      await client.send(new CreateBucketCommand({Bucket: 'kept'}))
      expect((await callSkylift(['page', 'create', ...words], home)).status).to.equal(0)
      const {url} = await serve(['s3://kept/'], home)
      expect(await originsAt('s3://kept', home)).to.deep.equal([[url.slice(0, -1), listening, chosen]])
    } finally {
      other.close()
    }
  })

  const REFUSED: readonly (readonly [string, readonly string[], RegExp])[] = [
    [
      'a name that is a URL',
      ['--name', 'https://upload.example/'],
      /--name: "https:\/\/upload\.example\/" is not a host/u,
    ],
    ['a longer life than there is', ['--expires', '9d'], /7 d at most: 9 d cannot be had/u],
  ]
  for (const [name, flags, message] of REFUSED) {
    it(`is not served with ${name}`, async () => {
      const {status, stderr} = await callSkylift(['page', 'serve', 's3://box/', ...flags], home)
      expect(stderr).to.match(message)
      expect(status).to.equal(2)
    })
  }

  describe('on OpenStack Swift', () => {
    let swift: SwiftServer
    let owner: Home
    before(async function () {
      needSwift(this)
      swift = await startSwift()
      const {authUrl, user, key} = swift.v1
      owner = await makeHome({ST_AUTH: authUrl, ST_USER: user, ST_KEY: key, OS_TEMP_URL_KEY: 'a key of this test'})
    })

    it('is served where the container of segments is still to be made, whatever its name', async () => {
      await callSkylift(['container', 'create', 'swift://served'], owner)
      const flags = ['--assemble', 'owner', '--segment-container', 'served-parts']
      const {url} = await serve(['swift://served/', ...flags], owner)
      for (const container of ['served', 'served-parts']) {
        expect(await originsAt(`swift://${container}`, owner)).to.deep.equal([[url.slice(0, -1)]])
      }
    })

    it('begins nothing where the S3 API has no CORS settings, and is served all the same', async () => {
      const s3 = await makeHome(accessEnv(swift.s3))
      await callSkylift(['container', 'create', 's3://no-cors'], s3)
      const words = ['page', 'create', 's3://no-cors/', '--origin', 'null', '-o', join(folder, 'never.html')]
      const {status, stderr} = await callSkylift(words, s3)
      expect(stderr).to.contain('no CORS settings')
      expect(status).to.equal(2)
      expect(await readdir(folder)).to.not.include('never.html')
      const pending = await callSkylift(['pending', 'list', 's3://no-cors', '--json'], s3)
      expect(readJson(pending)['pending']).to.deep.equal([])
      expect((await serve(['s3://no-cors/'], s3)).stderr)
        .to.contain('No CORS was set')
        .and.to.contain('cors test')
    })
  })
})
