import {randomBytes} from 'node:crypto'
import {once} from 'node:events'
import {connect} from 'node:net'
import {expect} from 'chai'
import * as fc from 'fast-check'
import {Failure} from '../../src/core/failure.ts'
import {createSeals} from '../../src/page/serve/seal.ts'
import {startPageServer} from '../../src/page/serve/server.ts'
import type {PageServer} from '../../src/page/serve/server.ts'
import {createUploads} from '../../src/page/serve/uploads.ts'
import type {ServingStore} from '../../src/page/serve/uploads.ts'
import type {Target} from '../../src/stores/store.ts'
import {fuzz, fuzzAsync} from '../fuzz/fuzz.ts'
import {anyDocument, anyText, mutated} from '../fuzz/inputs.ts'
import {S3_TICKET} from '../stores/ticket/samples.ts'
import {SMUGGLING, speak, statusesOf} from './raw-http.ts'
import {SOON} from '../support/soon.ts'

const TOKEN = 'the-token-of-this-run'

describe('page serve against tricks on the wire', function () {
  this.timeout(120_000)
  let server: PageServer
  let port: number
  let slow: Promise<number>
  const failures: Failure[] = []
  const minted: Target[] = []
  const seals = createSeals(randomBytes(32))
  const session = seals.seal(S3_TICKET)

  before(async () => {
    // Questions are what is tried here; what a store would be asked is tried with real ones.
    const store: ServingStore = {
      mintTicket(target) {
        minted.push(target)
        return Promise.resolve({ticket: {...S3_TICKET, target}, notes: []})
      },
      renewTicket: ticket => Promise.resolve({ticket, notes: []}),
      signTicketParts: (_, {first}) => Promise.resolve({first, url: '', signatures: []}),
      finishTicket: () => Promise.reject(new Failure('busy', 'No.')),
      link: () =>
        Promise.resolve({url: 'https://s3.example.com/x', method: 'GET', expires: new Date(0), headers: {}, notes: []}),
    }
    const folder = {remote: 's3', container: 'box', key: 'in/'}
    const plan = (size: number) => ({size, partSize: size, count: 1})
    server = await startPageServer({
      port: 0,
      host: '127.0.0.1',
      names: ['upload.example.com'],
      token: TOKEN,
      uploads: createUploads(
        {store, folder, max: 1000, expiresIn: 3_600_000, plan, signal: new AbortController().signal},
        seals,
      ),
      html: '<!doctype html>the page',
      policy: "default-src 'none'",
      onFailure: failure => failures.push(failure),
    })
    port = Number(new URL(server.url).port)
    slow = sendSlowly(port)
  })
  after(() => server?.close())

  const manners = (host = `127.0.0.1:${port}`): string[] => [
    `Host: ${host}`,
    `Origin: http://127.0.0.1:${port}`,
    `X-Skylift-Page: ${TOKEN}`,
    'Content-Type: application/json',
  ]
  const ask = (path: string, body: string): string =>
    [
      `POST ${path} HTTP/1.1`,
      ...manners(),
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Connection: close',
      '',
      body,
    ].join('\r\n')
  const utf8 = (text: string): string => Buffer.from(text).toString('latin1')

  it('answers the page itself (or nothing below would mean anything)', async () => {
    expect(statusesOf(await speak(port, ask('/begin', '{"size":5}')))).to.deep.equal([200])
    expect(minted.at(-1)?.key).to.match(/^in\/[\da-f-]{36}$/u)
  })

  for (const {name, headers = [], body = ''} of SMUGGLING) {
    it(`smuggles no second request by ${name}`, async () => {
      const before = minted.length
      const first = ['POST /begin HTTP/1.1', ...manners(), ...headers, '', body].join('\r\n')
      const answer = await speak(port, first + ask('/begin', '{"size":5}'), {end: true})
      expect(statusesOf(answer)).to.deep.equal([400])
      expect(minted.length).to.equal(before)
    })
  }

  for (const [name, line, host, statuses] of [
    ['two hosts', 'GET / HTTP/1.1\r\nHost: evil.example', undefined, [400, 403]],
    [
      'two hosts, the true one first',
      'GET / HTTP/1.1\r\nHost: upload.example.com\r\nHost: evil.example',
      null,
      [400, 403],
    ],
    ['an absolute target', 'GET http://evil.example/ HTTP/1.1', undefined, [404]],
    ['an absolute target of a question', 'POST http://evil.example/begin HTTP/1.1', undefined, [404]],
    ['a path above the root', 'GET /../ HTTP/1.1', undefined, [404]],
    ['an encoded path', 'GET /%2e%2e/ HTTP/1.1', undefined, [404]],
    ['two slashes', 'GET // HTTP/1.1', undefined, [404]],
    ['a query', 'GET /?x HTTP/1.1', undefined, [404]],
    ['a zero byte', 'GET /\0 HTTP/1.1', undefined, [400]],
    ['a name of a prototype', 'POST /__proto__ HTTP/1.1', undefined, [404]],
    ['a tunnel', 'CONNECT evil.example:443 HTTP/1.1', undefined, []],
    ['a head beyond 8 KiB', `GET / HTTP/1.1\r\nX: ${'x'.repeat(20_000)}`, undefined, [431]],
  ] as const) {
    it(`serves nothing for ${name}`, async () => {
      const own = host === null ? [] : manners()
      const answer = await speak(port, [line, ...own, 'Content-Length: 0', 'Connection: close', '', ''].join('\r\n'))
      const found = statusesOf(answer)
      if (statuses.length === 0) expect(found).to.deep.equal([])
      else expect(found).to.have.length(1)
      if (found.length > 0) expect(statuses).to.include(found[0])
      expect(answer).to.not.include('the page')
    })
  }

  it('does not wait for what is left of a question that it refused', async () => {
    const started = performance.now()
    const head = ['POST /begin HTTP/1.1', ...manners(), `Content-Length: ${2 ** 30}`, '', ''].join('\r\n')
    const answer = await speak(port, `${head}{"x":"${'x'.repeat(20_000)}`)
    expect(statusesOf(answer)).to.deep.equal([413])
    expect(performance.now() - started).to.be.below(SOON)
  })

  it('answers any question of the page, or refuses it by name', async () => {
    const samples = [{size: 5, type: 'text/plain'}, {session}, {session, first: 21}, {session, name: 'a.txt'}]
    const paths = fc.constantFrom('/begin', '/resume', '/sign', '/finish')
    await fuzzAsync(fc.tuple(paths, anyDocument(samples)), async ([path, body]) => {
      const [status] = statusesOf(
        await speak(
          port,
          ask(path, utf8(body)).replace(/Content-Length: \d+/u, `Content-Length: ${Buffer.byteLength(body)}`),
        ),
      )
      expect([200, 400, 403, 413]).to.include(status)
    })
    for (const {key} of minted) expect(key).to.match(/^in\/[\da-f-]{36}$/u)
    expect(failures.filter(({code}) => code === 'unexpected')).to.deep.equal([])
  })

  it('opens no seal but its own', () => {
    const other = createSeals(randomBytes(32)).seal(S3_TICKET)
    fuzz(fc.oneof(mutated([session, other], ['.', '=', '-', '_']), anyText(['.'])), text => {
      if (text === session) return
      const opened = seals.open(text)
      throw new Error(`It opened to ${JSON.stringify(opened)}.`)
    })
  })

  it('survives any bytes', async () => {
    const words = ['\r\n', '\n', ': ', 'Host', 'chunked', '/', 'HTTP/1.1', '{', '}']
    const samples = [ask('/begin', '{"size":5}'), `GET / HTTP/1.1\r\nHost: localhost:${port}\r\n\r\n`]
    await fuzzAsync(fc.oneof(mutated(samples, words), anyText(words)), async text => {
      expect(await speak(port, utf8(text), {end: true})).to.not.match(/^HTTP\/1\.1 500/mu)
    })
  })

  it('holds no connection for whoever sends a question without end', async () => {
    expect(await slow).to.be.below(90_000)
  })
})

/** Sends a header a second and never comes to an end; resolves to how long that was borne. */
async function sendSlowly(port: number): Promise<number> {
  const started = performance.now()
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {}).resume()
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n')
  const timer = setInterval(() => socket.write('X: y\r\n'), 1000)
  await once(socket, 'close')
  clearInterval(timer)
  return performance.now() - started
}
