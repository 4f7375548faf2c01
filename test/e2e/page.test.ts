import {createHash} from 'node:crypto'
import {readFile} from 'node:fs/promises'
import {join} from 'node:path'
import {CreateBucketCommand, DeleteBucketCorsCommand, GetObjectCommand, ListObjectsV2Command} from '@aws-sdk/client-s3'
import type {S3Client} from '@aws-sdk/client-s3'
import {expect} from 'chai'
import type {Browser} from 'playwright-core'
import {closeAll, openClient, openSandbox} from '../sandbox/support.ts'
import {startFaultProxy} from '../support/fault-proxy.ts'
import type {FaultProxy} from '../support/fault-proxy.ts'
import {makeRandomFile} from '../support/random-file.ts'
import {accessEnv, callSkylift, makeHome, readJson, startSkylift} from '../support/run-skylift.ts'
import type {Home} from '../support/run-skylift.ts'
import {openBrowser, servePage, visit} from './page-support.ts'
import type {PageServer, Visitor} from './page-support.ts'

const MIB = 1024 ** 2
const DONE = /complete and checked/u

describe('the upload page in Chromium', function () {
  this.timeout(120_000)
  let home: Home
  let browser: Browser
  let proxy: FaultProxy
  let client: S3Client
  let server: PageServer
  let html: string
  let count = 0
  const visitors: Visitor[] = []
  const files = {big: '', other: '', small: ''}

  before(async function () {
    browser = await openBrowser(this)
    const sandbox = await openSandbox()
    proxy = await startFaultProxy({upstream: sandbox.endpoint})
    client = openClient(sandbox)
    home = await makeHome(accessEnv({...sandbox, endpoint: proxy.endpoint}))
    await client.send(new CreateBucketCommand({Bucket: 'box'}))
    server = await servePage(() => html)
    for (const name of ['big', 'other', 'small'] as const) {
      files[name] = join(home.folder, `${name}.bin`)
      await makeRandomFile(files[name], name === 'small' ? 1000 : 64 * MIB, name)
    }
  })
  afterEach(async () => {
    for (const visitor of visitors.splice(0)) await visitor.leave()
    proxy.clear()
    await proxy.up()
  })
  after(async () => {
    server?.close()
    await browser?.close()
    await proxy?.close()
    await closeAll()
  })

  /** Makes a page in a folder of its own, for uploads that nobody else sees. */
  async function makePage(...flags: string[]): Promise<string> {
    const folder = `p${++count}/`
    html = join(home.folder, `page${count}.html`)
    const origin = flags.includes('--origin') ? [] : ['--origin', server.origin]
    readJson(
      await callSkylift(['page', 'create', `s3://box/${folder}`, ...origin, ...flags, '-o', html, '--json'], home),
    )
    return folder
  }

  async function enter(url = server.url, more = {}): Promise<Visitor> {
    const visitor = await visit(browser, url, more)
    visitors.push(visitor)
    return visitor
  }

  async function stored(folder: string): Promise<string[]> {
    const {Contents = []} = await client.send(new ListObjectsV2Command({Bucket: 'box', Prefix: folder}))
    const sums = []
    for (const {Key} of Contents) {
      const {Body} = await client.send(new GetObjectCommand({Bucket: 'box', Key}))
      sums.push(
        createHash('md5')
          .update((await Body?.transformToByteArray()) ?? '')
          .digest('hex'),
      )
    }
    return sums
  }

  async function md5(file: string): Promise<string> {
    return createHash('md5')
      .update(await readFile(file))
      .digest('hex')
  }

  it('uploads 64 MiB in parallel parts, shows it, and offers the download under the chosen name', async () => {
    const folder = await makePage('-f', 'résumé, v2.bin')
    const visitor = await enter()
    await visitor.choose(files.big)
    const seen = await visitor.sees(DONE)
    expect(seen).to.include('big.bin')
    expect(proxy.log.filter(({operation}) => operation === 'part')).to.have.length(4)
    expect(proxy.maxInFlight).to.be.above(1)
    expect(await stored(folder)).to.deep.equal([await md5(files.big)])
    const download = visitor.page.waitForEvent('download')
    await visitor.page.click('#link')
    expect((await download).suggestedFilename()).to.equal('résumé, v2.bin')
    expect(await md5(await (await download).path())).to.equal(await md5(files.big))
    expect(visitor.errors).to.deep.equal([])
  })

  it('works from a file, whose origin is null', async () => {
    const folder = await makePage('--origin', 'null')
    const visitor = await enter(`file://${html}`)
    await visitor.choose(files.small)
    await visitor.sees(DONE)
    expect(await stored(folder)).to.deep.equal([await md5(files.small)])
    expect(visitor.errors).to.deep.equal([])
  })

  it('uploads an empty file', async () => {
    const folder = await makePage()
    const empty = join(home.folder, 'empty.bin')
    await makeRandomFile(empty, 0, 'empty')
    const visitor = await enter()
    await visitor.choose(empty)
    await visitor.sees(DONE)
    expect(await stored(folder)).to.deep.equal([createHash('md5').digest('hex')])
  })

  /** Lets two parts through and holds the others. */
  async function stopHalfWay(visitor: Visitor): Promise<void> {
    proxy.inject({
      operation: 'part',
      skip: 2,
      times: 100,
      fault: {kind: 'silence', when: 'body', byte: 1 * MIB},
    })
    await visitor.choose(files.big)
    await proxy.until(
      () => proxy.log.filter(each => each.operation === 'part' && each.status === 200 && each.over).length >= 2,
    )
  }

  it('goes on after a lost network and a reload, with the same file chosen again', async () => {
    const folder = await makePage()
    const visitor = await enter()
    await stopHalfWay(visitor)
    await proxy.down()
    await visitor.page.reload()
    proxy.clear()
    await proxy.up()
    await visitor.choose(files.big)
    await visitor.sees(DONE)
    expect(proxy.log.filter(each => each.operation === 'part')).to.have.length(2)
    expect(await stored(folder)).to.deep.equal([await md5(files.big)])
  })

  it('goes on by itself when the network comes back', async () => {
    const folder = await makePage()
    const visitor = await enter()
    await stopHalfWay(visitor)
    await proxy.down()
    await visitor.sees(/Trying again|goes on when it is back/u)
    proxy.clear()
    await proxy.up()
    await visitor.sees(DONE)
    expect(await stored(folder)).to.deep.equal([await md5(files.big)])
  })

  it('pauses, and resumes', async () => {
    const folder = await makePage()
    const visitor = await enter()
    await stopHalfWay(visitor)
    await visitor.page.click('#pause')
    await visitor.sees(/Paused/u)
    proxy.clear()
    await visitor.page.click('#pause')
    await visitor.sees(DONE)
    expect(proxy.log.filter(each => each.operation === 'part')).to.have.length(2)
    expect(await stored(folder)).to.deep.equal([await md5(files.big)])
  })

  it('sends a part again that was damaged on its way', async () => {
    const folder = await makePage()
    proxy.inject({
      operation: 'part',
      times: 1,
      fault: {kind: 'answer', when: 'unstored', status: 400, headers: cors(), body: BAD_DIGEST},
    })
    const visitor = await enter()
    await visitor.choose(files.big)
    await visitor.sees(DONE)
    expect(proxy.log.filter(each => each.operation === 'part')).to.have.length(5)
    expect(await stored(folder)).to.deep.equal([await md5(files.big)])
  })

  it('finishes when the answer to the end was lost', async () => {
    const folder = await makePage()
    proxy.inject({operation: 'complete', times: 1, fault: {kind: 'reset', when: 'stored'}})
    const visitor = await enter()
    await visitor.choose(files.small)
    await visitor.sees(DONE)
    expect(await stored(folder)).to.deep.equal([await md5(files.small)])
  })

  function cors(): Record<string, string> {
    return {
      'access-control-allow-origin': server.origin,
      'access-control-expose-headers': 'ETag',
      'content-type': 'application/xml',
    }
  }

  it('tells that another file was chosen than the one begun with, and that somebody else began', async () => {
    await makePage()
    const visitor = await enter()
    await stopHalfWay(visitor)
    await visitor.page.reload()
    proxy.clear()
    await visitor.choose(files.other)
    await visitor.sees(/You began with another file/u)
    const second = await enter()
    await second.choose(files.other)
    await second.sees(/Somebody began with another file/u)
    await visitor.choose(files.big)
    await visitor.sees(DONE)
    await second.choose(files.other)
    await second.sees(/used up/u)
  })

  it('serves as many as it was made for', async () => {
    const folder = await makePage('--uploads', '2')
    for (const name of ['small', 'big'] as const) {
      const visitor = await enter()
      await visitor.choose(files[name])
      await visitor.sees(DONE)
    }
    expect((await stored(folder)).sort()).to.deep.equal([await md5(files.small), await md5(files.big)].sort())
    const third = await enter()
    await third.choose(files.other)
    await third.sees(/used up/u)
  })

  it('says when it has expired, and when a file is too large, before a byte is sent', async () => {
    await makePage('--size', '1M')
    const visitor = await enter()
    await visitor.choose(files.big)
    await visitor.sees(/64 MiB is more than the 1 MiB/u)
    await visitor.page.clock.setFixedTime(Date.now() + 13 * 3_600_000)
    await visitor.choose(files.small)
    await visitor.sees(/has expired/u)
    expect(proxy.log.filter(each => each.operation === 'part')).to.have.length(0)
  })

  it('tells what to run where CORS refuses it', async () => {
    // Those of earlier pages are let in as well.
    await client.send(new DeleteBucketCorsCommand({Bucket: 'box'}))
    await makePage('--origin', 'https://elsewhere.example')
    const visitor = await enter()
    await visitor.choose(files.small)
    const seen = await visitor.sees(/does not let this page upload/u)
    expect(seen).to.include(`skylift cors set s3://box --preset browser-upload --origin ${server.origin}`)
  })

  it('is served, and has more parts signed when it comes to them', async () => {
    const huge = join(home.folder, 'huge.bin')
    await makeRandomFile(huge, 105 * MIB + 1, 'huge')
    const running = startSkylift(['page', 'serve', 's3://box/served/', '--size', '1G', '-p', '5M'], home)
    try {
      const [url = ''] = /^http:\S+/mu.exec(await running.said(/^http:.*\/\n/mu)) ?? []
      const visitor = await enter(url)
      const asked: string[] = []
      visitor.page.on('request', request => {
        if (request.url().startsWith(url)) asked.push(new URL(request.url()).pathname)
      })
      // The server is away for a moment: nothing is sent again for it.
      await visitor.page.route('**/finish', route => route.abort(), {times: 1})
      await visitor.choose(huge)
      await visitor.sees(DONE)
      expect(asked).to.deep.equal(['/begin', '/sign', '/finish', '/finish'])
      expect(proxy.log.filter(({operation}) => operation === 'part')).to.have.length(22)
      const sum = await md5(huge)
      expect(await stored('served/')).to.deep.equal([sum])
      const download = visitor.page.waitForEvent('download')
      await visitor.page.click('#link')
      expect((await download).suggestedFilename()).to.equal('huge.bin')
      expect(visitor.errors).to.deep.equal([])
    } finally {
      running.child.kill('SIGINT')
    }
    expect((await running.ended).status).to.equal(0)
  })

  it('is used by keyboard, and fits a phone', async () => {
    await makePage()
    const visitor = await enter(server.url, {viewport: {width: 320, height: 568}, colorScheme: 'dark'})
    // Before all else: the browser is told only some time later that we want the chooser.
    const chooser = visitor.page.waitForEvent('filechooser')
    await visitor.page.keyboard.press('Tab')
    expect(await visitor.page.evaluate(() => document.activeElement?.id)).to.equal('file')
    const overflow = await visitor.page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
    expect(overflow).to.be.at.most(0)
    await visitor.page.keyboard.press('Space')
    await (await chooser).setFiles(files.small)
    await visitor.sees(DONE)
    expect(await visitor.page.evaluate(() => document.activeElement?.id)).to.equal('done')
  })
})

const BAD_DIGEST = '<?xml version="1.0"?><Error><Code>BadDigest</Code><Message>no</Message></Error>'
