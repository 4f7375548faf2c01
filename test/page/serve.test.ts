import {randomBytes} from 'node:crypto'
import {request} from 'node:http'
import {setTimeout as sleep} from 'node:timers/promises'
import {setFlagsFromString} from 'node:v8'
import {runInNewContext} from 'node:vm'
import {CreateBucketCommand, ListMultipartUploadsCommand} from '@aws-sdk/client-s3'
import type {S3Client} from '@aws-sdk/client-s3'
import {expect} from 'chai'
import {Failure} from '../../src/core/failure.ts'
import {createAgents} from '../../src/http/agents.ts'
import {DEFAULT_WAITS} from '../../src/http/waits.ts'
import {createSeals} from '../../src/page/serve/seal.ts'
import {startPageServer} from '../../src/page/serve/server.ts'
import type {PageServer} from '../../src/page/serve/server.ts'
import {createUploads} from '../../src/page/serve/uploads.ts'
import type {ServingStore} from '../../src/page/serve/uploads.ts'
import {memoryFindings} from '../../src/stores/findings.ts'
import {hasTickets, openStore} from '../../src/stores/open.ts'
import type {Ticket} from '../../src/stores/ticket/ticket.ts'
import {partUrl} from '../../src/stores/ticket/ticket.ts'
import {planParts} from '../../src/upload/plan.ts'
import {closeAll, openClient, openSandbox} from '../sandbox/support.ts'
import {failureOf} from '../stores/contract/bench.ts'
import {OWNER_TICKET} from '../stores/ticket/samples.ts'

const MIB = 1024 ** 2
const TOKEN = 'the-token-of-this-run'

interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly text: string
}

interface Ask {
  readonly method?: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

describe('page serve', function () {
  this.timeout(60_000)
  let server: PageServer
  let client: S3Client
  const limits: {call: {signal: AbortSignal}} = {call: {signal: new AbortController().signal}}

  before(async () => {
    const sandbox = await openSandbox()
    client = openClient(sandbox)
    await client.send(new CreateBucketCommand({Bucket: 'box'}))
    const {endpoint, region, accessKeyId, secretAccessKey} = sandbox
    const store = await openStore(
      {provider: 's3', name: 's3', endpointUrl: endpoint, region, keys: {accessKeyId, secretAccessKey}},
      {
        surroundings: {env: {}, home: '/nonexistent'},
        wire: {agents: createAgents(), waits: DEFAULT_WAITS},
        findings: memoryFindings(),
        concurrency: 8,
        retry: {retryFor: 0},
      },
    )
    if (!hasTickets(store)) throw new Error('This store makes no tickets.')
    const most = await store.limits(limits.call)
    const uploads = createUploads(
      {
        store,
        folder: {remote: 's3', container: 'box', key: 'in'},
        max: 10_000 * MIB,
        expiresIn: 3_600_000,
        signal: limits.call.signal,
        plan: size => planParts(size, {...most, whole: 0}),
      },
      createSeals(randomBytes(32)),
    )
    server = await startPageServer({
      port: 0,
      host: '127.0.0.1',
      names: ['upload.example.com'],
      token: TOKEN,
      uploads,
      html: '<!doctype html>the page',
      policy: "default-src 'none'",
    })
  })
  after(async () => {
    await server?.close()
    await closeAll()
  })

  /** Asks without any of the manners of a client. */
  function ask({method = 'POST', path, headers = {}, body = ''}: Ask): Promise<Reply> {
    const {hostname, port} = new URL(server.url)
    return new Promise((resolve, reject) => {
      const sent = request({
        host: hostname,
        port,
        method,
        path,
        headers: {'content-length': Buffer.byteLength(body), ...headers},
      })
      sent.on('error', reject)
      sent.on('response', response => {
        let text = ''
        response.setEncoding('utf8').on('data', (piece: string) => (text += piece))
        response.on('end', () => resolve({status: response.statusCode ?? 0, headers: response.headers, text}))
      })
      sent.end(body)
    })
  }

  function manners(): Record<string, string> {
    return {
      origin: new URL(server.url).origin,
      'x-skylift-page': TOKEN,
      'content-type': 'application/json',
      'sec-fetch-site': 'same-origin',
    }
  }

  async function question(path: string, value: unknown): Promise<Record<string, unknown>> {
    const {status, text} = await ask({path, headers: manners(), body: JSON.stringify(value)})
    expect(status, text).to.equal(200)
    return JSON.parse(text) as Record<string, unknown>
  }

  it('serves the page, which nothing may frame', async () => {
    const {status, headers, text} = await ask({method: 'GET', path: '/'})
    expect(status).to.equal(200)
    expect(text).to.equal('<!doctype html>the page')
    expect(headers['content-security-policy']).to.equal("default-src 'none'; frame-ancestors 'none'")
  })

  it('begins an upload under a random key, and signs its parts in batches', async () => {
    const {ticket, session} = (await question('/begin', {size: 1000 * 16 * MIB * 0.5, type: 'image/png'})) as {
      ticket: Ticket & {kind: 's3'}
      session: string
    }
    expect(ticket.target.key).to.match(/^in\/[\da-f-]{36}$/u)
    expect(ticket.contentType).to.equal('image/png')
    expect(ticket.parts.count).to.equal(500)
    expect(ticket.parts.signatures).to.have.length(20)
    const more = await question('/sign', {session, first: 21})
    expect(more['signatures']).to.have.length(20)
    const url = String(more['url'])
      .replace('{number}', '21')
      .replace('{signature}', (more['signatures'] as string[])[0] ?? '')
    const wrong = await fetch(url, {method: 'PUT', body: 'too short'})
    expect([wrong.status, (await wrong.text()).includes('SignatureDoesNotMatch')]).to.deep.equal([403, true])
    const right = await fetch(url, {method: 'PUT', body: Buffer.alloc(16 * MIB)})
    expect(right.status).to.equal(200)
    const resumed = await question('/resume', {session})
    expect((resumed['ticket'] as Ticket).uploadId).to.equal(ticket.uploadId)
  })

  it('signs nothing beyond what the seal is for', async () => {
    const {session} = await question('/begin', {size: 10, type: ''})
    const [body = '', mark = ''] = String(session).split('.')
    const changed = JSON.parse(Buffer.from(body, 'base64url').toString('utf8')) as {target: {key: string}}
    changed.target.key = 'somebody-elses'
    const forged = `${Buffer.from(JSON.stringify(changed)).toString('base64url')}.${mark}`
    for (const bad of [forged, body, '', 'x.y', 7, null, {}]) {
      const reply = await ask({path: '/sign', headers: manners(), body: JSON.stringify({session: bad, first: 1})})
      expect(reply.status, JSON.stringify(bad)).to.equal(403)
    }
  })

  const REFUSED: readonly (readonly [string, Ask, number])[] = [
    ['another Host (DNS rebinding)', {path: '/begin', headers: {host: 'evil.example'}}, 403],
    ['the page under another Host', {method: 'GET', path: '/', headers: {host: 'evil.example:80'}}, 403],
    ['another Origin', {path: '/begin', headers: {origin: 'https://evil.example'}}, 403],
    ['the Origin null', {path: '/begin', headers: {origin: 'null'}}, 403],
    ['another token', {path: '/begin', headers: {'x-skylift-page': 'guessed'}}, 403],
    ['another site', {path: '/begin', headers: {'sec-fetch-site': 'cross-site'}}, 403],
    ['a form (CSRF)', {path: '/begin', headers: {'content-type': 'text/plain'}}, 400],
    ['GET', {method: 'GET', path: '/begin'}, 400],
    ['what is not there', {path: '/../begin'}, 404],
    ['no JSON', {path: '/begin', body: '{'}, 400],
    ['a list', {path: '/begin', body: '[]'}, 400],
    ['no size', {path: '/begin', body: '{"size":"5"}'}, 400],
    ['a size below zero', {path: '/begin', body: '{"size":-1}'}, 400],
    ['too large a file', {path: '/begin', body: '{"size":99999999999999}'}, 413],
    ['too long a question', {path: '/begin', body: `{"size":1,"x":"${'x'.repeat(20_000)}"}`}, 413],
  ]
  for (const [name, what, status] of REFUSED) {
    it(`refuses ${name}`, async () => {
      const reply = await ask({body: '{"size":1}', ...what, headers: {...manners(), ...what.headers}})
      expect(reply.status, reply.text).to.equal(status)
      expect(reply.text).to.not.match(/\.ts:|node_modules/u)
    })
  }

  it('lets in by the name that was said', async () => {
    const headers = {...manners(), host: 'upload.example.com', origin: 'https://upload.example.com'}
    expect((await ask({path: '/begin', headers, body: '{"size":1}'})).status).to.equal(200)
  })

  it('sends whoever asks for localhost to the origin that the store lets in', async () => {
    const host = new URL(server.url).host.replace('127.0.0.1', 'localhost')
    for (const method of ['GET', 'HEAD']) {
      const {status, headers} = await ask({method, path: '/', headers: {host}})
      expect([status, headers['location']]).to.deep.equal([302, server.url])
    }
  })

  it('links to what was uploaded, under its own name', async () => {
    const {ticket, session} = (await question('/begin', {size: 5, type: 'text/plain'})) as {
      ticket: Ticket & {kind: 's3'}
      session: string
    }
    const put = await fetch(partUrl(ticket, 1), {method: 'PUT', body: 'bytes'})
    const etag = put.headers.get('etag')
    const body = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${etag}</ETag></Part></CompleteMultipartUpload>`
    expect((await fetch(ticket.complete, {method: 'POST', body})).status).to.equal(200)
    const {link} = await question('/finish', {session, name: 'a "b".txt'})
    const got = await fetch(String(link))
    expect(await got.text()).to.equal('bytes')
    expect(got.headers.get('content-disposition')).to.include('attachment')
    for (const [name, told] of [
      ['a\tb\u0085c.txt', 'a_b_c.txt'],
      ['\uD83D.txt', '_.txt'],
      [`x${'😀'.repeat(200)}`, `x${'😀'.repeat(199)}`],
      ['', 'download'],
    ]) {
      const again = await question('/finish', {session, name})
      expect((await fetch(String(again['link']))).headers.get('content-disposition')).to.include(
        told === 'download' ? told : encodeURIComponent(told ?? ''),
      )
    }
  })

  it('goes on with the end of an upload after the patience for a question, and whoever asks again waits for the same', async () => {
    let end = (): void => {}
    const signals: AbortSignal[] = []
    const ended = new Promise<void>(resolve => (end = resolve))
    const store = {
      mintTicket: () => Promise.resolve({ticket: OWNER_TICKET, notes: []}),
      finishTicket: async (_: Ticket, {signal}: {signal: AbortSignal}) => {
        signals.push(signal)
        await ended
        return {target: OWNER_TICKET.target, size: 1, etag: 'e', verified: {by: 'md5'}}
      },
      link: () => Promise.resolve({url: 'https://store.example/it'}),
    } as unknown as ServingStore
    const settings = {store, folder: OWNER_TICKET.target, max: 10, expiresIn: 1000, assemble: 'owner'} as const
    const uploads = createUploads(
      {...settings, plan: size => ({size, partSize: size, count: 1}), signal: limits.call.signal},
      createSeals(randomBytes(32)),
    )
    const {session} = await uploads.begin({size: 1}, limits.call)
    const impatient = new AbortController()
    const first = uploads.finish({session, name: 'a'}, {signal: impatient.signal})
    impatient.abort(new Failure('busy', 'The store did not answer in time.'))
    expect((await failureOf(first, 'busy')).message).to.include('in time')
    const second = uploads.finish({session, name: 'a'}, limits.call)
    end()
    expect(await second).to.deep.equal({link: 'https://store.example/it'})
    expect(signals.map(({aborted}) => aborted)).to.deep.equal([false])
  })

  it('opens hundreds of uploads', async () => {
    const many = 300
    for (let count = 0; count < many; count += 10) {
      await Promise.all(Array.from({length: 10}, () => question('/begin', {size: 100 * MIB, type: ''})))
      await sleep(1)
    }
    const {Uploads = []} = await client.send(new ListMultipartUploadsCommand({Bucket: 'box'}))
    expect(Uploads.length).to.be.at.least(many)
  })

  it('tells a visitor in time that the store does not answer, whatever is collected as garbage meanwhile', async () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const never = (_: unknown, {signal}: {signal: AbortSignal}): Promise<never> =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
    const uploads = {begin: never, resume: never, sign: never, finish: never}
    const options = {port: 0, host: '127.0.0.1', names: [], token: TOKEN, uploads, html: '', policy: ''}
    const slow = await startPageServer({...options, patience: 500})
    const collecting = setInterval(collect, 50)
    try {
      const reply = await fetch(`${slow.url}begin`, {
        method: 'POST',
        headers: {...manners(), origin: new URL(slow.url).origin},
        body: '{}',
      })
      expect(reply.status).to.equal(503)
      expect(await reply.json()).to.include({code: 'busy'})
    } finally {
      clearInterval(collecting)
      await slow.close()
    }
  })
})
