import {existsSync} from 'node:fs'
import {mkdtemp, readdir, readFile} from 'node:fs/promises'
import {join} from 'node:path'
import {CreateBucketCommand, PutObjectCommand} from '@aws-sdk/client-s3'
import {expect} from 'chai'
import {chromium} from 'playwright-core'
import type {Browser, CDPSession, Page} from 'playwright-core'
import {closeAll, openClient, openSandbox} from '../sandbox/support.ts'
import {accessEnv, callSkylift, makeHome, readJson} from '../support/run-skylift.ts'
import type {Home} from '../support/run-skylift.ts'
import {skipUnless} from '../support/skip.ts'

const CHROMIUM = '/usr/bin/chromium'
const ARGS = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync'],
  ...['--disable-background-networking', '--disable-component-update'],
]

/** Names that Chromium saves as they are. */
const KEPT = [
  'plain.txt',
  'no extension',
  'a b  c.txt',
  'résumé, v2.tar',
  'a,b;c=d.txt',
  "it's (1) [2] {3}.txt",
  "a'b''c.txt",
  '100%.txt',
  '%41%2F%zz.txt',
  'a+b.txt',
  'a&b#c.txt',
  'a`b$c!d@e^f.txt',
  'a~b.txt',
  '-x.txt',
  '_x.txt',
  'a..b.txt',
  'a.b.c.tar.gz',
  'größe.txt',
  'Ω≈ç√∫.txt',
  'İi ß.txt',
  '日本語のファイル.pdf',
  '한국어.txt',
  '中文,文件;名.txt',
  'ไทย.txt',
  'עברית.txt',
  'العربية.txt',
  'עברית and English.txt',
  '😀.txt',
  '🇩🇪 and 👍🏽.txt',
  'a\u00A0b.txt',
  'a\u3000b.txt',
  'a…b.txt',
  'full／width.txt',
  '\uE000.txt',
  'ﷺ.txt',
  'page.html',
  'picture.svg',
  'archive.zip',
  'CON.txt',
  `${'x'.repeat(240)}.txt`,
  'x'.repeat(244),
  `${'語'.repeat(80)}.txt`,
  `${'😀'.repeat(60)}.txt`,
]

/** What Chromium makes of the others: the command has to tell beforehand. */
const CHANGED: readonly (readonly [name: string, onDisk: string])[] = [
  ['a/b.txt', 'a_b.txt'],
  ['../a.txt', '_a.txt'],
  ['a\\b.txt', 'a_b.txt'],
  ['a:b.txt', 'a_b.txt'],
  ['*.txt', '_.txt'],
  ['a?b.txt', 'a_b.txt'],
  ['"a".txt', '_a_.txt'],
  ['<a>|b.txt', '_a__b.txt'],
  ['=?utf-8?q?abc?=.txt', '=_utf-8_q_abc_=.txt'],
  ['.hidden', 'hidden'],
  ['...', 'download'],
  ['trailing.', 'trailing'],
  ['trailing ', 'trailing_'],
  [' leading.txt', 'leading.txt'],
  ['~a.txt~', '_a.txt_'],
  ['a\u202Etxt.exe', 'a_txt.exe'],
  ['a\u200Bb.txt', 'a_b.txt'],
  ['\uFEFFa.txt', '_a.txt'],
  ['👩\u200D👧.txt', '👩_👧.txt'],
  ['n\u0303.txt', '\u00F1.txt'],
  ['a\uFFFEb.txt', 'a_b.txt'],
]

const LONG = [`${'x'.repeat(251)}.txt`, 'x'.repeat(245), `${'語'.repeat(81)}.txt`]

describe('links in Chromium', function () {
  this.timeout(60_000)
  let home: Home
  let browser: Browser
  let page: Page
  let session: CDPSession

  before(async function () {
    skipUnless(this, existsSync(CHROMIUM), 'no browser to download with: apt-get install chromium')
    const sandbox = await openSandbox()
    home = await makeHome(accessEnv(sandbox))
    const client = openClient(sandbox)
    await client.send(new CreateBucketCommand({Bucket: 'box'}))
    await client.send(new PutObjectCommand({Bucket: 'box', Key: '3f2a', Body: 'the bytes'}))
    browser = await chromium.launch({executablePath: CHROMIUM, args: ARGS})
    page = await (await browser.newContext({acceptDownloads: true})).newPage()
    session = await browser.newBrowserCDPSession()
  })
  after(async () => {
    await browser?.close()
    await closeAll()
  })

  async function makeLink(name: string): Promise<{url: string; notes: readonly string[]}> {
    const ending = await callSkylift(['link', 's3://box/3f2a', `-f=${name}`, '--json'], home)
    const {url, notes} = readJson<{url: string; notes: readonly string[]}>(ending)
    // The first is about whoever holds the link.
    return {url, notes: notes.slice(1)}
  }

  /** Lets Chromium name the file itself, where Playwright would give it a random name. */
  async function download(url: string): Promise<{suggested: string; folder: string}> {
    const folder = await mkdtemp(join(home.folder, 'downloads-'))
    const {browserContextIds} = await session.send('Target.getBrowserContexts')
    for (const browserContextId of browserContextIds) {
      const how = {behavior: 'allow', browserContextId, downloadPath: folder, eventsEnabled: true} as const
      await session.send('Browser.setDownloadBehavior', how)
    }
    const begun = new Promise<string>(resolve =>
      session.once('Browser.downloadWillBegin', ({suggestedFilename}) => resolve(suggestedFilename)),
    )
    const ended = new Promise<void>(resolve => {
      const watch = ({state}: {state: string}): void => {
        if (state === 'inProgress') return
        session.off('Browser.downloadProgress', watch)
        resolve()
      }
      session.on('Browser.downloadProgress', watch)
    })
    // A page that becomes a download counts as one that did not load.
    await page.goto(url).catch(() => {})
    const suggested = await begun
    await ended
    return {suggested, folder}
  }

  it('the table has at least 40 names that are kept', () => expect(new Set(KEPT).size).to.be.at.least(40))

  for (const name of KEPT) {
    it(`saves ${JSON.stringify(name.slice(0, 40))} under that very name`, async () => {
      const {url, notes} = await makeLink(name)
      const {suggested, folder} = await download(url)
      expect(suggested).to.equal(name)
      expect(await readdir(folder)).to.deep.equal([name])
      expect(await readFile(join(folder, name), 'utf8')).to.equal('the bytes')
      expect(notes.filter(note => !note.startsWith('Windows '))).to.deep.equal([])
    })
  }

  for (const [name, onDisk] of CHANGED) {
    it(`tells that ${JSON.stringify(name)} will be changed`, async () => {
      const {url, notes} = await makeLink(name)
      expect(notes.join(' ')).to.match(/Browsers/u)
      const {suggested, folder} = await download(url)
      expect(suggested).to.equal(onDisk)
      expect(await readdir(folder)).to.deep.equal([onDisk])
    })
  }

  for (const name of LONG) {
    it(`tells that ${Buffer.byteLength(name)} bytes are too many for a browser`, async () => {
      const {url, notes} = await makeLink(name)
      expect(notes.join(' ')).to.match(/The file name has \d+ bytes; browsers cut or refuse what is over 244\./u)
      const {folder} = await download(url)
      expect(await readdir(folder)).not.to.include(name)
    })
  }

  it('shows an inline one in the page', async () => {
    const ending = await callSkylift(
      ['link', 's3://box/3f2a', '--inline', '--content-type', 'text/plain', '--json'],
      home,
    )
    await page.goto(readJson<{url: string}>(ending).url)
    expect(await page.textContent('body')).to.equal('the bytes')
  })
})
