import {existsSync} from 'node:fs'
import {createServer} from 'node:http'
import type {IncomingMessage, Server, ServerResponse} from 'node:http'
import type {AddressInfo} from 'node:net'
import {CreateBucketCommand} from '@aws-sdk/client-s3'
import {expect} from 'chai'
import {chromium} from 'playwright-core'
import type {Browser, Frame, Page} from 'playwright-core'
import {closeAll, openClient, openSandbox} from '../sandbox/support.ts'
import type {Access} from '../sandbox/support.ts'
import {accessEnv, callSkylift, makeHome, readJson} from '../support/run-skylift.ts'
import type {Home} from '../support/run-skylift.ts'
import {skipUnless} from '../support/skip.ts'

const CHROMIUM = '/usr/bin/chromium'
const ARGS = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync'],
  ...['--disable-background-networking', '--disable-component-update'],
]

type Headers = Readonly<Record<string, string | readonly string[]>>

/** One answer; `cut` closes the connection instead. */
type Reply = readonly [status: number, headers?: Headers] | 'cut'

/** What a server says, what a page asks for, and what must come of it. */
interface Case {
  readonly what: string
  readonly preflight: Reply
  readonly answer: Reply
  readonly method?: string
  /** As the page sets them. */
  readonly headers?: Readonly<Record<string, string>>
  /** A page in a sandboxed frame, whose origin is null. */
  readonly isNull?: boolean
  readonly reads?: readonly string[]
  readonly isAllowed: boolean
  /** The step and the words of the refusal. */
  readonly words?: RegExp
}

/** Stands for the page's origin in a header. */
const ORIGIN = '{origin}'
/** Stands for another address of this very server. */
const ELSEWHERE = '{elsewhere}'
const AC = 'access-control-'
const allow = (more: Headers = {}): Headers => ({[`${AC}allow-origin`]: ORIGIN, ...more})
const OPEN = allow({[`${AC}allow-methods`]: 'GET, PUT', [`${AC}allow-headers`]: 'content-type'})
const SEEN = allow({[`${AC}expose-headers`]: 'ETag', etag: '"x"'})
const good = {preflight: [200, OPEN], answer: [200, SEEN]} as const

const CASES: readonly Case[] = [
  // Good ones.
  {...good, what: 'all that is asked for', isAllowed: true},
  {...good, what: 'a preflight with status 204', preflight: [204, OPEN], isAllowed: true},
  {
    what: '* for everything',
    preflight: [200, {[`${AC}allow-origin`]: '*', [`${AC}allow-methods`]: '*', [`${AC}allow-headers`]: '*'}],
    answer: [200, {[`${AC}allow-origin`]: '*', [`${AC}expose-headers`]: '*', etag: '"x"'}],
    isAllowed: true,
  },
  {
    ...good,
    what: 'headers in capital letters, in lines of their own',
    preflight: [
      200,
      allow({[`${AC}allow-methods`]: ['GET', 'PUT'], [`${AC}allow-headers`]: ['X-Other', 'Content-Type']}),
    ],
    isAllowed: true,
  },
  {...good, what: 'an answer with status 500', answer: [500, SEEN], isAllowed: true},
  {...good, what: 'a GET without a preflight', method: 'GET', headers: {}, preflight: 'cut', isAllowed: true},
  {
    ...good,
    what: 'a POST of plain text without a preflight',
    method: 'POST',
    headers: {'content-type': 'text/plain'},
    preflight: 'cut',
    isAllowed: true,
  },
  {
    ...good,
    what: 'a header that needs no leave',
    method: 'GET',
    headers: {range: 'bytes=0-9', accept: 'a/b'},
    preflight: 'cut',
    isAllowed: true,
  },
  {
    ...good,
    what: 'null for a page from a file',
    isNull: true,
    preflight: [200, {...OPEN, [`${AC}allow-origin`]: 'null'}],
    answer: [200, {...SEEN, [`${AC}allow-origin`]: 'null'}],
    isAllowed: true,
  },
  {
    ...good,
    what: 'a header that is readable anyway',
    reads: ['content-type'],
    answer: [200, allow({'content-type': 'a/b'})],
    isAllowed: true,
  },
  {
    ...good,
    what: 'a redirect of the request to the same server',
    answer: [307, {...SEEN, location: '/again/k'}],
    isAllowed: true,
  },
  {
    ...good,
    what: 'credentials allowed for nobody',
    preflight: [200, {...OPEN, [`${AC}allow-credentials`]: 'false'}],
    isAllowed: true,
  },
  {
    ...good,
    what: 'authorization that is named',
    headers: {authorization: 'x'},
    preflight: [200, {...OPEN, [`${AC}allow-headers`]: 'Authorization'}],
    isAllowed: true,
  },

  {
    ...good,
    what: '* for authorization, though the standard does not',
    headers: {authorization: 'x'},
    preflight: [200, {...OPEN, [`${AC}allow-headers`]: '*'}],
    isAllowed: true,
  },

  // Broken ones.
  {
    ...good,
    what: 'nothing at all',
    preflight: [200],
    answer: [200],
    isAllowed: false,
    words: /preflight.*no Access-Control-Allow-Origin/u,
  },
  {
    ...good,
    what: 'nothing in the answer',
    answer: [200, {etag: '"x"'}],
    isAllowed: false,
    words: /answer.*no Access-Control-Allow-Origin/u,
  },
  {
    ...good,
    what: 'a GET whose answer says nothing',
    method: 'GET',
    headers: {},
    answer: [200],
    isAllowed: false,
    words: /answer.*GET \(status 200\) has no/u,
  },
  {
    ...good,
    what: 'another origin',
    preflight: [200, {...OPEN, [`${AC}allow-origin`]: 'https://other.example'}],
    isAllowed: false,
    words: /preflight.*allows "https:\/\/other\.example"/u,
  },
  {
    ...good,
    what: 'another origin in the answer',
    answer: [200, {...SEEN, [`${AC}allow-origin`]: 'https://other.example'}],
    isAllowed: false,
    words: /answer.*allows "https:\/\/other\.example"/u,
  },
  {
    ...good,
    what: 'the origin with a slash',
    preflight: [200, {...OPEN, [`${AC}allow-origin`]: `${ORIGIN}/`}],
    isAllowed: false,
    words: /without the slash/u,
  },
  {
    ...good,
    what: 'the origin in capital letters',
    preflight: [200, {...OPEN, [`${AC}allow-origin`]: `{ORIGIN}`}],
    isAllowed: false,
    words: /small letters/u,
  },
  {
    ...good,
    what: 'a pattern',
    preflight: [200, {...OPEN, [`${AC}allow-origin`]: 'http://*'}],
    isAllowed: false,
    words: /no patterns/u,
  },
  {
    ...good,
    what: 'two origins in one header',
    preflight: [200, {...OPEN, [`${AC}allow-origin`]: `${ORIGIN}, https://other.example`}],
    isAllowed: false,
    words: /several origins/u,
  },
  {
    ...good,
    what: 'two headers, as a proxy adds one',
    answer: [200, {...SEEN, [`${AC}allow-origin`]: [ORIGIN, '*']}],
    isAllowed: false,
    words: /several origins/u,
  },
  {
    ...good,
    what: 'the same header twice',
    answer: [200, {...SEEN, [`${AC}allow-origin`]: [ORIGIN, ORIGIN]}],
    isAllowed: false,
    words: /several origins/u,
  },
  {
    ...good,
    what: 'null for a page with an origin',
    preflight: [200, {...OPEN, [`${AC}allow-origin`]: 'null'}],
    isAllowed: false,
    words: /opened from a file/u,
  },
  {
    ...good,
    what: 'another origin than null for a page from a file',
    isNull: true,
    preflight: [200, {...OPEN, [`${AC}allow-origin`]: 'file://'}],
    isAllowed: false,
    words: /allows "file:\/\/"/u,
  },
  {
    ...good,
    what: 'no methods',
    preflight: [200, allow({[`${AC}allow-headers`]: 'content-type'})],
    isAllowed: false,
    words: /Allow-Methods does not name PUT/u,
  },
  {
    ...good,
    what: 'another method',
    preflight: [200, {...OPEN, [`${AC}allow-methods`]: 'GET, POST'}],
    isAllowed: false,
    words: /does not name PUT: it has GET, POST/u,
  },
  {
    ...good,
    what: 'methods that are no list',
    preflight: [200, {...OPEN, [`${AC}allow-methods`]: 'GET PUT'}],
    isAllowed: false,
    words: /Allow-Methods is not a list/u,
  },
  {
    ...good,
    what: 'no headers',
    preflight: [200, allow({[`${AC}allow-methods`]: 'PUT'})],
    isAllowed: false,
    words: /Allow-Headers does not name content-type/u,
  },
  {
    ...good,
    what: 'one header of two',
    headers: {'content-type': 'a/b', 'content-md5': 'x'},
    isAllowed: false,
    words: /Allow-Headers does not name content-md5\./u,
  },
  {
    ...good,
    what: 'headers in quotes',
    preflight: [200, {...OPEN, [`${AC}allow-headers`]: '"content-type"'}],
    isAllowed: false,
    words: /Allow-Headers is not a list/u,
  },
  {
    ...good,
    what: 'a preflight that wants a sign-in',
    preflight: [403, OPEN],
    isAllowed: false,
    words: /status 403, and only 200 to 299/u,
  },
  {
    ...good,
    what: 'a preflight that is not found',
    preflight: [404],
    isAllowed: false,
    words: /no Access-Control-Allow-Origin, and its status is 404/u,
  },
  {
    ...good,
    what: 'a preflight that is redirected',
    preflight: [307, {...OPEN, location: '/again/k'}],
    isAllowed: false,
    words: /redirected \(status 307\)/u,
  },
  {
    ...good,
    what: 'a preflight that nobody answers',
    preflight: 'cut',
    isAllowed: false,
    words: /preflight.*cut the connection/u,
  },
  {
    ...good,
    what: 'a request that nobody answers',
    answer: 'cut',
    isAllowed: false,
    words: /answer.*cut the connection/u,
  },
  {
    ...good,
    what: 'no ETag for the page',
    answer: [200, allow({etag: '"x"'})],
    isAllowed: false,
    words: /expose.*does not name ETag/u,
  },
  {
    ...good,
    what: 'another header for the page',
    answer: [200, {...SEEN, [`${AC}expose-headers`]: 'x-amz-request-id'}],
    isAllowed: false,
    words: /expose.*does not name ETag/u,
  },
  {
    ...good,
    what: 'a redirect without leave',
    answer: [307, {location: '/again/k'}],
    isAllowed: false,
    words: /answer.*\(status 307\) has no/u,
  },
  {
    ...good,
    what: 'a redirect to another server, which knows no null',
    answer: [307, {...SEEN, location: `${ELSEWHERE}/again/k`}],
    isAllowed: false,
    words: /no CORS rule|allows|has no/iu,
  },
  {
    ...good,
    what: 'a method in small letters',
    preflight: [200, {...OPEN, [`${AC}allow-methods`]: 'put'}],
    isAllowed: false,
    words: /does not name PUT: it has put/u,
  },
  {
    ...good,
    what: 'an empty origin',
    preflight: [200, {...OPEN, [`${AC}allow-origin`]: ''}],
    isAllowed: false,
    words: /allows ""/u,
  },
  {
    ...good,
    what: 'a redirect to no place',
    answer: [307, {...SEEN, location: 'mailto:jane'}],
    isAllowed: false,
    words: /redirected to "mailto:jane"/u,
  },
  {
    ...good,
    what: 'a redirect for ever',
    answer: [307, {...SEEN, location: '/{again}/k'}],
    isAllowed: false,
    words: /for ever/u,
  },
  {
    ...good,
    what: 'a text that is no plain one',
    method: 'POST',
    headers: {'content-type': 'application/json'},
    preflight: [200, allow({[`${AC}allow-methods`]: 'POST'})],
    isAllowed: false,
    words: /does not name content-type/u,
  },
]

describe('cors test judges as Chromium does', function () {
  this.timeout(60_000)
  let server: Server
  let pages: Server
  let origin: string
  let home: Home
  let browser: Browser
  let page: Page
  let frame: Frame
  let endpoint: string

  before(async function () {
    skipUnless(this, existsSync(CHROMIUM), 'no browser to compare with: apt-get install chromium')
    server = createServer(answerCase)
    pages = createServer((request, response) => {
      const inner = `<iframe sandbox="allow-scripts" srcdoc="<p>null</p>"></iframe>`
      response.writeHead(200, {'content-type': 'text/html'}).end(request.url === '/' ? `<p>page</p>${inner}` : '')
    })
    // All of loopback: the redirects lead to another address of it.
    for (const each of [server, pages]) await new Promise<void>(resolve => each.listen(0, '0.0.0.0', resolve))
    endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    origin = `http://localhost:${(pages.address() as AddressInfo).port}`
    const access = {endpoint, accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI', region: 'us-east-1'}
    home = await makeHome(accessEnv(access))
    browser = await chromium.launch({executablePath: CHROMIUM, args: ARGS})
    page = await (await browser.newContext()).newPage()
    await page.goto(`${origin}/`)
    frame = page.frames()[1] ?? page.mainFrame()
  })
  after(async () => {
    await browser?.close()
    for (const each of [server, pages]) {
      each?.closeAllConnections()
      each?.close()
    }
    await closeAll()
  })

  /** Answers by the case whose number stands first in the path; `/again/` is where redirects lead. */
  function answerCase(request: IncomingMessage, response: ServerResponse): void {
    request.resume()
    const [, first = ''] = request.url?.split('/') ?? []
    const found = first === 'again' ? good : CASES[Number(first.replace('case-', ''))]
    const reply = request.method === 'OPTIONS' ? found?.preflight : found?.answer
    if (reply === undefined || reply === 'cut') return void request.socket.destroy()
    const [status, headers = {}] = reply
    const {host = ''} = request.headers
    const fill = (text: string): string =>
      text
        .replaceAll(ORIGIN, origin)
        .replaceAll('{again}', first)
        .replaceAll('{ORIGIN}', origin.toUpperCase())
        .replaceAll(ELSEWHERE, `http://${host.replace('127.0.0.1', '127.0.0.2')}`)
    for (const [name, value] of Object.entries(headers)) {
      response.setHeader(name, typeof value === 'string' ? fill(value) : value.map(fill))
    }
    response.writeHead(status).end()
  }

  /** What a page gets: whether its request succeeds, and it can read what it wants to. */
  async function askChromium(
    {method, headers, reads, isNull}: Required<Pick<Case, 'method' | 'headers' | 'reads' | 'isNull'>>,
    url: string,
  ): Promise<boolean> {
    const where = isNull ? frame : page.mainFrame()
    return where.evaluate(
      async wish => {
        const body = ['PUT', 'POST'].includes(wish.method) ? 'bytes' : null
        try {
          const response = await fetch(wish.url, {method: wish.method, headers: wish.headers, body, cache: 'no-store'})
          return wish.reads.every(name => response.headers.get(name) !== null)
        } catch {
          return false
        }
      },
      {method, headers: {...headers}, reads: [...reads], url},
    )
  }

  interface Verdict {
    readonly ok: boolean
    readonly tests: readonly {
      readonly allowed: boolean
      readonly steps: readonly {
        readonly step: string
        readonly allowed: boolean
        readonly message: string
        readonly suggestion?: string
      }[]
    }[]
    readonly failures?: readonly {readonly message: string; readonly suggestion: string}[]
  }

  it('the table has enough of both', () => {
    expect(CASES.filter(({isAllowed}) => isAllowed).length).to.be.at.least(3)
    expect(CASES.filter(({isAllowed}) => !isAllowed).length).to.be.at.least(10)
  })

  for (const [index, each] of CASES.entries()) {
    it(`${each.isAllowed ? 'lets pass' : 'refuses'}: ${each.what}`, async () => {
      const {
        method = 'PUT',
        headers = {'content-type': 'a/b'},
        reads = method === 'PUT' ? ['ETag'] : [],
        isNull = false,
      } = each
      const ending = await callSkylift(
        [
          ...['cors', 'test', `s3://case-${index}`, '--origin', isNull ? 'null' : origin, '--method', method, '--json'],
          ...Object.entries(headers).flatMap(([name, value]) => ['--header', `${name}: ${value}`]),
          ...reads.flatMap(name => ['--expose', name]),
        ],
        home,
      )
      const verdict = readJson<Verdict>(ending)
      const theirs = await askChromium({method, headers, reads, isNull}, `${endpoint}/case-${index}/k`)
      expect({chromium: theirs, skylift: verdict.ok}).to.deep.equal({chromium: each.isAllowed, skylift: each.isAllowed})
      if (each.words === undefined) return expect(ending.status).to.equal(0)
      const refused = verdict.tests.flatMap(({steps}) => steps).filter(({allowed}) => !allowed)
      expect(refused).to.have.length(1)
      expect(`${refused[0]?.step}: ${refused[0]?.message} ${refused[0]?.suggestion}`).to.match(each.words)
      expect(refused[0]?.message).to.match(/^[^\n]+\.$/u)
      return expect(ending.status).to.be.oneOf([4, 8])
    })
  }

  describe('at the sandbox', () => {
    let sandbox: Access
    let own: Home

    before(async () => {
      sandbox = await openSandbox()
      own = await makeHome(accessEnv(sandbox))
      await openClient(sandbox).send(new CreateBucketCommand({Bucket: 'box'}))
    })

    const both = async (...flags: string[]): Promise<{ours: boolean; theirs: boolean}> => {
      const made = readJson<{url: string}>(await callSkylift(['temp-url', 's3://box/k', '-X', 'PUT', '--json'], own))
      const ending = await callSkylift(['cors', 'test', 's3://box', '--origin', origin, '--json', ...flags], own)
      const theirs = await askChromium(
        {method: 'PUT', headers: {'content-type': 'a/b'}, reads: ['ETag'], isNull: false},
        made.url,
      )
      return {ours: readJson<Verdict>(ending).ok, theirs}
    }

    it('finds the rules that cors set makes to be enough, and others not', async () => {
      const set = (...flags: string[]) => callSkylift(['cors', 'set', 's3://box', ...flags], own)
      expect(await both()).to.deep.equal({ours: false, theirs: false})
      await set('--origin', 'http://localhost:1', '--preset', 'browser-upload')
      expect(await both()).to.deep.equal({ours: false, theirs: false})
      await set('--origin', origin, '--method', 'PUT')
      expect(await both()).to.deep.equal({ours: false, theirs: false})
      await set('--origin', origin, '--method', 'PUT', '--header', 'content-type')
      expect(await both()).to.deep.equal({ours: false, theirs: false})
      await set('--origin', origin, '--method', 'PUT', '--header', 'content-type', '--expose', 'ETag')
      expect(await both()).to.deep.equal({ours: true, theirs: true})
      await set('--origin', origin, '--preset', 'browser-upload')
      expect(await both()).to.deep.equal({ours: true, theirs: true})
      await set('--origin', '*', '--preset', 'browser-upload')
      expect(await both()).to.deep.equal({ours: true, theirs: true})
    })

    it('leaves nothing behind', async () => {
      await callSkylift(['cors', 'set', 's3://box', '--origin', '*', '--preset', 'browser-upload'], own)
      const {length} = await keysOf(sandbox)
      await callSkylift(
        [
          'cors',
          'test',
          's3://box/a/',
          '--origin',
          origin,
          '--method',
          'PUT',
          '--method',
          'POST',
          '--method',
          'GET',
          '--method',
          'HEAD',
        ],
        own,
      )
      expect(await keysOf(sandbox)).to.have.length(length)
    })
  })
})

async function keysOf(sandbox: Access): Promise<string[]> {
  const {ListObjectsV2Command} = await import('@aws-sdk/client-s3')
  const {Contents = []} = await openClient(sandbox).send(new ListObjectsV2Command({Bucket: 'box'}))
  return Contents.map(({Key}) => Key ?? '')
}
