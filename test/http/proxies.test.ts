import http from 'node:http'
import type {IncomingMessage} from 'node:http'
import net from 'node:net'
import {expect} from 'chai'
import {bufferBody} from '../../src/core/buffer-body.ts'
import {makeCertificate} from '../support/certificate.ts'
import {closeAll, failureOf, MIB, openWire, patternAt, patternBody, readAll, sendTo, startServer} from './support.ts'
import type {TestServer} from './support.ts'

const NAMES = ['http_proxy', 'https_proxy', 'all_proxy', 'no_proxy'].flatMap(name => [name, name.toUpperCase()])
const before = new Map(NAMES.map(name => [name, process.env[name]]))

function setProxies(values: Readonly<Record<string, string>>): void {
  for (const name of NAMES) delete process.env[name]
  Object.assign(process.env, values)
}

beforeEach(() => setProxies({}))
afterEach(async () => {
  await closeAll()
  setProxies({})
  for (const [name, value] of before) if (value !== undefined) process.env[name] = value
})

interface TestProxy extends TestServer {
  /** First lines of what it was asked. */
  readonly asked: string[]
  readonly credentials: (string | undefined)[]
}

/** A proxy that forwards and tunnels everything to one server, whatever the name. */
async function startProxy(to: {readonly port: number}, refuse?: number): Promise<TestProxy> {
  const asked: string[] = []
  const credentials: (string | undefined)[] = []
  function note(request: IncomingMessage): void {
    asked.push(`${request.method} ${request.url}`)
    credentials.push(request.headers['proxy-authorization'])
  }
  const server = await startServer((request, response) => {
    note(request)
    if (refuse !== undefined) {
      response.writeHead(refuse).end()
      return
    }
    const path = /^http:\/\/[^/]+(?<path>.*)$/u.exec(request.url ?? '')?.groups?.['path'] ?? ''
    const {'proxy-authorization': _, 'proxy-connection': __, ...headers} = request.headers
    const onward = http.request({port: to.port, host: '127.0.0.1', method: request.method, path, headers}, answer => {
      response.writeHead(answer.statusCode ?? 0, answer.headers)
      answer.pipe(response)
    })
    request.pipe(onward)
  })
  // `startServer` serves requests; a tunnel is a request of its own kind.
  server.server.on('connect', (request: IncomingMessage, socket: net.Socket, head: Buffer) => {
    note(request)
    if (refuse !== undefined) {
      socket.end(`HTTP/1.1 ${refuse} No\r\nContent-Length: 0\r\n\r\n`)
      return
    }
    const onward = net.connect(to.port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      onward.write(head)
      socket.pipe(onward).pipe(socket)
    })
    for (const each of [socket, onward]) {
      each.on('error', () => {})
      each.on('close', () => [socket, onward].forEach(other => other.destroy()))
    }
  })
  return {...server, asked, credentials}
}

/** Says what arrived: path, host and whether the body was whole. */
function startStore(tls?: {key: string; cert: string}): Promise<TestServer> {
  return startServer(
    async (request, response) => {
      const bytes = await readAll(request)
      const isWhole = bytes.every((byte, at) => byte === patternAt(at))
      response.end(`${request.url} ${request.headers.host} ${bytes.length} ${isWhole}`)
    },
    {tls},
  )
}

describe('a plain proxy for http', () => {
  it('gets the path as it is, the body whole, and keeps its connections', async () => {
    const store = await startStore()
    const proxy = await startProxy(store)
    setProxies({HTTP_PROXY: proxy.origin})
    const wire = openWire()
    for (const path of ['/a/../b', '/%2e%2e/x?y=%2B&z', '//a//', '/..', '/a?b=http%3A%2F%2Fc']) {
      const body = patternBody(2 * MIB + 1)
      const answer = await sendTo(wire, 'http://store.example', {path, body, headers: {host: 'store.example'}})
      expect(answer.text).to.equal(`${path} store.example ${body.size} true`)
      expect(proxy.asked.at(-1)).to.equal(`PUT http://store.example${path}`)
    }
    expect((await sendTo(wire, 'http://store.example:8080', {path: '/a/../b'})).text).to.equal(
      '/a/../b store.example:8080 0 true',
    )
    expect(proxy.asked.at(-1)).to.equal('GET http://store.example:8080/a/../b')
    expect(proxy.sockets.length).to.be.at.most(2)
    expect(proxy.credentials.every(each => each === undefined)).to.equal(true)
  })

  it('is told its credentials, decoded', async () => {
    const proxy = await startProxy(await startStore())
    setProxies({http_proxy: proxy.origin.replace('//', '//me:p%40ss@')})
    await sendTo(openWire(), 'http://store.example')
    expect(proxy.credentials).to.deep.equal([`Basic ${Buffer.from('me:p@ss').toString('base64')}`])
  })
})

describe('a tunnel for https', () => {
  const tls = makeCertificate(['store.example'])

  it('carries what TLS protects: the proxy sees the host and nothing else', async () => {
    const store = await startStore(tls)
    const proxy = await startProxy(store)
    setProxies({HTTPS_PROXY: proxy.origin.replace('//', '//me:secret@')})
    const wire = openWire({extraCa: [tls.cert]})
    for (const path of ['/a/../b', '//x']) {
      const body = patternBody(2 * MIB)
      const answer = await sendTo(wire, 'https://store.example', {path, body, headers: {host: 'store.example'}})
      expect(answer.text).to.equal(`${path} store.example ${body.size} true`)
    }
    expect(proxy.asked).to.deep.equal(['CONNECT store.example:443'])
    expect(proxy.credentials).to.deep.equal([`Basic ${Buffer.from('me:secret').toString('base64')}`])
    expect(store.sockets).to.have.length(1)
  })

  it('checks the certificate of the store, behind the proxy too', async () => {
    const proxy = await startProxy(await startStore(tls))
    setProxies({ALL_PROXY: proxy.origin})
    expect(await failureOf(sendTo(openWire(), 'https://store.example'))).to.have.property('code', 'config')
    expect((await sendTo(openWire({verifyTls: false}), 'https://store.example')).status).to.equal(200)
    const trusting = openWire({extraCa: [tls.cert]})
    expect(await failureOf(sendTo(trusting, 'https://other.example'))).to.have.property('code', 'config')
  })

  it('that the proxy refuses is answered as such, and nothing secret is said', async () => {
    const proxy = await startProxy(await startStore(tls), 407)
    setProxies({HTTPS_PROXY: proxy.origin.replace('//', '//me:secret@')})
    const outcome = await sendTo(openWire(), 'https://store.example').catch((error: unknown) => error)
    expect(outcome).to.satisfy(
      (each: {status?: number; code?: string}) => each.status === 407 || each.code === 'network',
    )
    expect(JSON.stringify(outcome)).to.not.include('secret')
  })
})

describe('the proxy variables', () => {
  it('are passed over for loopback and for what NO_PROXY names', async () => {
    const store = await startStore()
    const proxy = await startProxy(store)
    setProxies({HTTP_PROXY: proxy.origin, ALL_PROXY: proxy.origin})
    const wire = openWire()
    for (const host of ['127.0.0.1', 'localhost', '127.1.2.3']) {
      const outcome = sendTo(wire, `http://${host}:${store.port}`).catch((error: unknown) => error)
      // Only 127.0.0.1 is listened to; what matters is who was asked.
      if (host === '127.0.0.1') expect(await outcome).to.have.property('status', 200)
      await outcome
    }
    expect(proxy.asked).to.deep.equal([])
    setProxies({HTTP_PROXY: proxy.origin, NO_PROXY: 'store.invalid,.inner.invalid'})
    for (const host of ['store.invalid', 'a.inner.invalid']) {
      expect(await failureOf(sendTo(openWire(), `http://${host}`))).to.have.property('code', 'network')
    }
    expect(proxy.asked).to.deep.equal([])
    expect((await sendTo(openWire(), 'http://other.invalid')).status).to.equal(200)
    expect(proxy.asked).to.deep.equal(['GET http://other.invalid/'])
  })

  it('are chosen by scheme, with ALL_PROXY for the rest', async () => {
    const store = await startStore()
    const [special, general] = [await startProxy(store), await startProxy(store)]
    setProxies({HTTP_PROXY: special.origin, ALL_PROXY: general.origin})
    await sendTo(openWire(), 'http://store.example')
    expect([special.asked.length, general.asked.length]).to.deep.equal([1, 0])
    setProxies({HTTPS_PROXY: special.origin, ALL_PROXY: general.origin})
    await sendTo(openWire(), 'http://store.example')
    expect([special.asked.length, general.asked.length]).to.deep.equal([1, 1])
    setProxies({HTTP_PROXY: general.origin.replace('http://', '')})
    await sendTo(openWire(), 'http://store.example')
    expect(general.asked).to.have.length(2)
  })

  for (const value of ['socks5://127.0.0.1:1', 'http://', 'http://[', 'ftp://h']) {
    it(`that say "${value}" fail config, and do not repeat it`, async () => {
      setProxies({ALL_PROXY: value})
      const failure = await failureOf(sendTo(openWire(), 'http://store.example', {body: bufferBody(Buffer.alloc(1))}))
      expect(failure).to.include({code: 'config', retryable: false})
      expect(failure.message).to.not.include(value)
    })
  }

  it('that name a proxy which is not there fail as a network does', async () => {
    setProxies({ALL_PROXY: 'http://127.0.0.1:1'})
    for (const origin of ['http://store.example', 'https://store.example']) {
      expect(await failureOf(sendTo(openWire(), origin))).to.include({code: 'network', retryable: true})
    }
  })
})

describe('createAgents', () => {
  it('has one agent for each way, even when many ask at once', async () => {
    setProxies({HTTPS_PROXY: 'http://proxy.example:3128'})
    const {agents} = openWire()
    const origins = [
      'http://a.example',
      'http://b.example',
      'https://a.example',
      'https://b.example',
      'https://127.0.0.1',
    ]
    const all = await Promise.all([...origins, ...origins].map(origin => agents.agentFor(origin)))
    expect(new Set(all).size).to.equal(3)
    expect(all[0]).to.equal(all[1])
    expect(all[2]).to.equal(all[3])
  })

  it('ends idle connections when it is closed', async () => {
    const server = await startServer((_, response) => response.end())
    const wire = openWire()
    await sendTo(wire, server.origin)
    const [socket] = server.sockets
    const closed = new Promise(resolve => socket?.once('close', resolve))
    wire.agents.close()
    await closed
  })
})
