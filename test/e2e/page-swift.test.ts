import {createHash} from 'node:crypto'
import {readFile} from 'node:fs/promises'
import {join} from 'node:path'
import {expect} from 'chai'
import type {Browser} from 'playwright-core'
import {needSwift, startSwift} from '../servers/swift.ts'
import type {SwiftServer} from '../servers/swift.ts'
import {makeRandomFile} from '../support/random-file.ts'
import {accessEnv, callSkylift, makeHome, readJson} from '../support/run-skylift.ts'
import type {Env, Home} from '../support/run-skylift.ts'
import {openBrowser, servePage, visit} from './page-support.ts'
import type {PageServer, Visitor} from './page-support.ts'

const MIB = 1024 ** 2
const DONE = /complete and checked/u

describe('the upload page on real Swift', function () {
  this.timeout(180_000)
  let swift: SwiftServer
  let home: Home
  let s3: Home
  let browser: Browser
  let server: PageServer
  let html: string
  let file: string
  let count = 0
  const visitors: Visitor[] = []

  before(async function () {
    needSwift(this)
    browser = await openBrowser(this)
    server = await servePage(() => html)
    // Only an operator can let browsers in by the S3 API.
    swift = await startSwift({settings: {SWIFT_AIO_S3_CORS: '*'}})
    const {authUrl, user, key} = swift.v1
    const env: Env = {ST_AUTH: authUrl, ST_USER: user, ST_KEY: key}
    home = await makeHome(env)
    s3 = await makeHome(accessEnv(swift.s3))
    file = join(home.folder, 'big.bin')
    await makeRandomFile(file, 64 * MIB, 'page')
    await call(['container', 'create', 'swift://inbox'])
    await call(['temp-url-key', 'set', 'swift://', '-y'])
  })
  afterEach(async () => {
    for (const visitor of visitors.splice(0)) await visitor.leave()
  })
  after(async () => {
    server?.close()
    await browser?.close()
    await swift?.stop()
  })

  async function call(words: string[], who = home): Promise<Record<string, unknown>> {
    const ending = await callSkylift([...words, '--json'], who)
    const said = readJson(ending)
    expect(said['ok'], ending.stdout).to.equal(true)
    return said
  }

  async function makePage(target: string, flags: string[], who = home): Promise<string> {
    html = join(home.folder, `page${++count}.html`)
    const said = await call(['page', 'create', target, ...flags, '--origin', server.origin, '-o', html], who)
    return (said['targets'] as string[])[0] ?? ''
  }

  async function enter(): Promise<Visitor> {
    const visitor = await visit(browser, server.url)
    visitors.push(visitor)
    return visitor
  }

  /** Reads an object back by a link of its own. */
  async function md5Of(target: string, who = home): Promise<string> {
    const {url} = await callLink(target, who)
    return createHash('md5')
      .update(Buffer.from(await (await fetch(url)).arrayBuffer()))
      .digest('hex')
  }

  async function callLink(target: string, who: Home): Promise<{url: string}> {
    return readJson(await callSkylift(['link', target, '--json'], who))
  }

  async function md5(): Promise<string> {
    return createHash('md5')
      .update(await readFile(file))
      .digest('hex')
  }

  it('uploads whole by a temp URL, and offers the download under the chosen name', async () => {
    const target = await makePage('swift://inbox/', ['-f', 'résumé.bin'])
    const visitor = await enter()
    await visitor.choose(file)
    await visitor.sees(DONE)
    expect(await md5Of(target)).to.equal(await md5())
    const download = visitor.page.waitForEvent('download')
    await visitor.page.click('#link')
    expect((await download).suggestedFilename()).to.equal('résumé.bin')
    expect(visitor.errors).to.deep.equal([])
    const second = await enter()
    await second.choose(file)
    await second.sees(/used up/u)
  })

  it('uploads any number of files by one temp URL for a prefix', async () => {
    const target = await makePage('swift://inbox/many/', ['--size', '100M'])
    expect(target).to.match(/^swift:\/\/inbox\/many\/[\da-f-]{36}\/\{name\}$/u)
    const prefix = target.replace('{name}', '')
    for (const round of [1, 2, 3]) {
      const visitor = await enter()
      await visitor.choose(file)
      await visitor.sees(DONE)
      expect(visitor.errors, String(round)).to.deep.equal([])
    }
    const listing = await fetch(`${swift.v1.storageUrl}/inbox?prefix=${prefix.replace('swift://inbox/', '')}`, {
      headers: {'x-auth-token': await token()},
    })
    const names = (await listing.text()).trim().split('\n')
    expect(names).to.have.length(3)
    for (const name of names) expect(await md5Of(`swift://inbox/${name}`)).to.equal(await md5())
  })

  async function token(): Promise<string> {
    const {authUrl, user, key} = swift.v1
    const answer = await fetch(authUrl, {headers: {'x-auth-user': user, 'x-auth-key': key}})
    return answer.headers.get('x-auth-token') ?? ''
  }

  it('uploads in parts that the owner makes an object of', async () => {
    const target = await makePage('swift://inbox/', ['--assemble', 'owner'])
    const early = await callSkylift(['ticket', 'finish', html, '--json'], home)
    expect(early.status).to.equal(8)
    const visitor = await enter()
    await visitor.choose(file)
    await visitor.sees(DONE)
    await call(['ticket', 'finish', html])
    expect(await md5Of(target)).to.equal(await md5())
    const second = await enter()
    await second.choose(file)
    await second.sees(/used up/u)
    expect(await md5Of(target)).to.equal(await md5())
  })

  it('uploads in parts that are the object already', async () => {
    const target = await makePage('swift://inbox/', ['--assemble', 'open'])
    const visitor = await enter()
    await visitor.choose(file)
    await visitor.sees(DONE)
    await swift.tick()
    expect(await md5Of(target)).to.equal(await md5())
  })

  it('goes on after a reload with segments that are there', async () => {
    await makePage('swift://inbox/', ['--assemble', 'owner'])
    const visitor = await enter()
    let put = 0
    await visitor.page.route('**/v1/**', async route => {
      if (route.request().method() === 'PUT' && ++put > 2) await route.abort()
      else await route.continue()
    })
    let kept = 0
    const both = visitor.page.waitForResponse(
      response => response.request().method() === 'PUT' && response.ok() && ++kept === 2,
    )
    await visitor.choose(file)
    await visitor.sees(/Trying again/u)
    await both
    await visitor.page.reload()
    // Not before: what is tried again would get through.
    await visitor.page.unroute('**/v1/**')
    const puts: string[] = []
    visitor.page.on('request', request => {
      if (request.method() === 'PUT') puts.push(request.url())
    })
    await visitor.choose(file)
    await visitor.sees(DONE)
    // Two parts of four, and the list of all.
    expect(puts).to.have.length(3)
  })

  it("uploads by the S3 API, where Swift's operator lets browsers in", async () => {
    await callSkylift(['container', 'create', 's3://box', '--json'], s3)
    html = join(home.folder, 's3.html')
    const made = await callSkylift(['page', 'create', 's3://box/', '-o', html, '--json'], s3)
    const key = (readJson<{targets: string[]}>(made).targets[0] ?? '').replace('s3://', 'swift://')
    // What an answer lets a page read is set by the Swift API: the S3 API has no CORS of its own here.
    for (const container of ['box', 'box+segments']) {
      await call(['cors', 'set', `swift://${container}`, '--preset', 'browser-upload', '--origin', server.origin])
    }
    const visitor = await enter()
    await visitor.choose(file)
    await visitor.sees(DONE)
    expect(await md5Of(key)).to.equal(await md5())
  })
})
