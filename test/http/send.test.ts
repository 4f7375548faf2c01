import {readFileSync} from 'node:fs'
import {expect} from 'chai'
import {bufferBody} from '../../src/core/buffer-body.ts'
import type {RequestRecord} from '../../src/http/send.ts'
import {makeCertificate} from '../support/certificate.ts'
import {skipUnless} from '../support/skip.ts'
import {
  closeAll,
  failureOf,
  MIB,
  openWire,
  patternAt,
  patternBody,
  readAll,
  sendTo,
  startServer,
  startTcpServer,
  zeroBody,
} from './support.ts'

afterEach(closeAll)

describe('send', () => {
  const paths = [
    '/a/../b',
    '/..',
    '/./a/.',
    '/a//b',
    '//a',
    '///',
    '/%2e%2e/x',
    '/%2E/%2f',
    "/a'b(c)*!$&,;=:@",
    '/a%20b?x=%2B&y=+&z',
    '/%F0%9F%9A%80?a=../../b',
    '/a%5Cb',
  ]
  it('puts the path on the wire as it is: dots, double slashes, escapes', async () => {
    const lines: string[] = []
    const server = await startTcpServer(socket => {
      socket.on('data', data => {
        lines.push(data.toString('latin1').split('\r\n', 1)[0] ?? '')
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
      })
    })
    const wire = openWire()
    for (const path of paths) expect((await sendTo(wire, server.origin, {path})).status).to.equal(200)
    expect(lines).to.deep.equal(paths.map(path => `GET ${path} HTTP/1.1`))
  })

  it('sends every byte once, in order, with an exact Content-Length and no chunks', async () => {
    const wrong: number[] = []
    const seen: {length: string | undefined; encoding: string | undefined; expect: string | undefined; size: number}[] =
      []
    const server = await startServer(async (request, response) => {
      const bytes = await readAll(request)
      for (let at = 0; at < bytes.length; at += 997) if (bytes[at] !== patternAt(at)) wrong.push(at)
      const {'content-length': length, 'transfer-encoding': encoding, expect} = request.headers
      seen.push({length, encoding, expect, size: bytes.length})
      response.end('stored')
    })
    const sizes = [0, 1, 65_535, 65_536, 512 * 1024, 512 * 1024 + 1, 5 * MIB + 3]
    const wire = openWire()
    for (const size of sizes) {
      const sent: number[] = []
      const windows: [number, number][] = []
      const answer = await sendTo(
        wire,
        server.origin,
        {body: patternBody(size)},
        {onSent: bytes => sent.push(bytes), onWindow: (bytes, position) => windows.push([position, bytes.length])},
      )
      expect(answer).to.include({status: 200, text: 'stored'})
      expect(sent).to.deep.equal(sent.toSorted((a, b) => a - b))
      expect(sent.at(-1) ?? 0).to.equal(size)
      const met = windows.reduce((end, [position, length]) => (position === end ? end + length : Number.NaN), 0)
      expect(met, 'windows meet').to.equal(size)
    }
    expect(wrong).to.deep.equal([])
    expect(seen).to.deep.equal(
      sizes.map(size => ({length: String(size), encoding: undefined, expect: undefined, size})),
    )
    // One for small bodies, one for large.
    expect(server.sockets).to.have.length(2)
  })

  it('says the length 0 where a PUT or POST has no body, and none for GET, HEAD and DELETE', async () => {
    const server = await startServer((request, response) => {
      response.end(`${request.headers['content-length']} ${request.headers['transfer-encoding']}`)
    })
    const wire = openWire()
    for (const [method, text] of [
      ['PUT', '0 undefined'],
      ['POST', '0 undefined'],
      ['GET', 'undefined undefined'],
      ['DELETE', 'undefined undefined'],
      ['HEAD', ''],
    ] as const) {
      expect((await sendTo(wire, server.origin, {method})).text, method).to.equal(text)
    }
  })

  it('says one length, that of the body, whatever the headers say', async () => {
    const server = await startServer(async (request, response) => {
      const {length} = await readAll(request)
      const said = request.rawHeaders.filter((_, index, all) => all[index - 1]?.toLowerCase() === 'content-length')
      response.end(`${said.join()} ${length}`)
    })
    const headers = {'Content-Length': '7'}
    for (const size of [1, MIB]) {
      const {text} = await sendTo(openWire(), server.origin, {headers, body: zeroBody(size)})
      expect(text).to.equal(`${size} ${size}`)
    }
  })

  it('sends the headers as given and hands back those of the answer, whatever the status', async () => {
    const server = await startServer((request, response) => {
      response.writeHead(Number(request.headers['x-want']), {etag: '"e"', 'x-amz-meta-a': 'b'})
      response.end(request.headers['x-value'])
    })
    const wire = openWire()
    for (const status of [200, 301, 404, 412, 500, 503]) {
      const answer = await sendTo(wire, server.origin, {
        headers: {'x-want': String(status), 'x-value': 'ä'.normalize('NFD').slice(0, 1)},
      })
      expect(answer).to.include({status, text: 'a'})
      expect(answer.headers).to.include({etag: '"e"', 'x-amz-meta-a': 'b'})
    }
  })

  it('reads every answer to its end and uses one connection for one request after the other', async () => {
    const server = await startServer((request, response) => {
      // Node's own server closes the connection of a HEAD whose answer has no length.
      response.writeHead(request.url === '/missing' ? 404 : 200, {'content-length': '100000'})
      for (let line = 0; line < 100; line++) response.write('x'.repeat(1000))
      response.end()
    })
    const wire = openWire()
    for (const path of ['/', '/missing', '/', '/missing']) {
      expect((await sendTo(wire, server.origin, {path})).text).to.have.length(100_000)
    }
    expect((await sendTo(wire, server.origin, {method: 'HEAD'})).text).to.equal('')
    expect(server.sockets).to.have.length(1)
    for (const path of ['/', '/missing', '/', '/missing']) {
      const answer = await sendTo(wire, server.origin, {path, body: bufferBody(Buffer.from('x'))})
      expect(answer.text).to.have.length(100_000)
    }
    expect(server.sockets).to.have.length(2)
  })

  for (const [what, request] of [
    ['without a body', {}],
    ['with a small body', {body: bufferBody(Buffer.alloc(10))}],
    ['with a large body', {body: zeroBody(MIB)}],
  ] as const) {
    it(`${what}: opens another connection when the store closed an idle one`, async () => {
      const server = await startServer((incoming, response) => {
        incoming.resume().once('end', () => response.end('ok'))
      })
      const wire = openWire()
      await sendTo(wire, server.origin, request)
      const [first] = server.sockets
      const gone = new Promise(resolve => first?.once('close', resolve))
      first?.end()
      await gone
      expect((await sendTo(wire, server.origin, request)).text).to.equal('ok')
      expect(server.sockets).to.have.length(2)
    })

    it(`${what}: fails retryable when the store closes a kept connection at the very moment it is used again`, async () => {
      let used = 0
      const server = await startServer((incoming, response) => {
        if (used++ === 1) incoming.socket.destroy()
        else incoming.resume().once('end', () => response.end('ok'))
      })
      const wire = openWire()
      await sendTo(wire, server.origin, request)
      expect(await failureOf(sendTo(wire, server.origin, request))).to.include({
        code: 'network',
        retryable: true,
        message: `${new URL(server.origin).host} cut the connection.`,
      })
      expect((await sendTo(wire, server.origin, request)).status).to.equal(200)
      expect(server.sockets).to.have.length(2)
    })
  }

  for (const tls of [undefined, makeCertificate()]) {
    it(`has a kept connection probed, over ${tls ? 'https' : 'http'}`, async function () {
      skipUnless(this, process.platform === 'linux', 'Only Linux shows the timers of connections')
      const server = await startServer((request, response) => void request.resume().once('end', () => response.end()), {
        tls,
      })
      await sendTo(openWire({verifyTls: false}), server.origin, {body: bufferBody(Buffer.alloc(10))})
      // By both ends: a connection that has ended stays in the list for a minute, and its server's port is given again.
      const [local, remote] = [server.sockets[0]?.remotePort ?? 0, server.port].map(
        port => `:${port.toString(16).toUpperCase().padStart(4, '0')}`,
      ) as [string, string]
      const rows = readFileSync('/proc/self/net/tcp', 'latin1').split('\n')
      const [row = []] = rows
        .map(each => each.trim().split(/\s+/u))
        .filter(([, from, to]) => from?.endsWith(local) && to?.endsWith(remote))
      // A timer of the second kind, and hundredths of a second until it runs out.
      const [kind, left = ''] = row[5]?.split(':') ?? []
      expect(kind).to.equal('02')
      expect(Number.parseInt(left, 16)).to.be.at.most(100)
    })
  }

  it('hands the bytes of a 2xx answer to onBytes, one piece after the other, and collects any other', async () => {
    const server = await startServer((request, response) => {
      response.writeHead(request.url === '/missing' ? 404 : 206)
      response.end(Buffer.alloc(3 * MIB, request.url === '/missing' ? 'm' : 'x'))
    })
    const wire = openWire()
    let size = 0
    let busy = 0
    const onBytes = async (bytes: Buffer): Promise<void> => {
      expect(++busy).to.equal(1)
      await new Promise(resolve => setImmediate(resolve))
      size += bytes.length
      busy--
    }
    expect(await sendTo(wire, server.origin, {}, {onBytes})).to.include({status: 206, text: ''})
    expect(size).to.equal(3 * MIB)
    expect((await sendTo(wire, server.origin, {path: '/missing'}, {onBytes})).text).to.have.length(3 * MIB)
    expect(size).to.equal(3 * MIB)
    const failing = sendTo(wire, server.origin, {}, {onBytes: () => Promise.reject(new Error('disk full'))})
    expect((await failureOf(failing)).message).to.include('disk full')
  })

  it('fails when an answer is cut, or larger than what is collected', async () => {
    const server = await startServer((request, response) => {
      response.writeHead(200, {'content-length': String(20 * MIB)})
      if (request.url === '/cut') response.write('half', () => response.destroy())
      else response.end(Buffer.alloc(20 * MIB))
    })
    const wire = openWire()
    expect(await failureOf(sendTo(wire, server.origin, {path: '/cut'}))).to.include({code: 'network', retryable: true})
    expect((await failureOf(sendTo(wire, server.origin))).message).to.include('larger than 16 MiB')
  })

  it('fails source-changed when the body is shorter than it said, and the store gets no whole body', async () => {
    let arrived = 0
    let isWhole = false
    const server = await startServer(request => {
      request.on('data', (piece: Buffer) => (arrived += piece.length))
      request.on('end', () => (isWhole = true))
      request.on('error', () => {})
    })
    const shrinking = {...patternBody(3 * MIB)}
    const body = {
      size: shrinking.size,
      read: (into: Buffer, position: number) =>
        position >= MIB ? Promise.resolve(into.length - 1) : shrinking.read(into, position),
    }
    const failure = await failureOf(sendTo(openWire(), server.origin, {body}))
    expect(failure).to.include({code: 'source-changed', retryable: false})
    const [socket] = server.sockets
    if (socket?.destroyed === false) await new Promise(resolve => socket.once('close', resolve))
    expect(isWhole).to.equal(false)
    expect(arrived).to.be.at.most(MIB)
  })

  it('waits for the pace, which is told what is about to leave', async () => {
    const server = await startServer(async (request, response) => {
      await readAll(request)
      response.end()
    })
    const asked: number[] = []
    const left: number[] = []
    let isPacing = false
    const pace = async (bytes: number): Promise<void> => {
      isPacing = true
      asked.push(bytes)
      await new Promise(resolve => setTimeout(resolve, 5))
      isPacing = false
    }
    await sendTo(
      openWire(),
      server.origin,
      {body: patternBody(2 * MIB)},
      {
        pace,
        onWindow(bytes) {
          expect(isPacing).to.equal(false)
          left.push(bytes.length)
        },
      },
    )
    expect(asked).to.deep.equal(left)
    expect(asked.reduce((sum, bytes) => sum + bytes, 0)).to.equal(2 * MIB)
  })

  it('records each request without its query', async () => {
    const server = await startServer((_, response) => {
      response.setHeader('x-amz-request-id', 'R1')
      response.end()
    })
    const records: RequestRecord[] = []
    const wire = openWire({onRequest: record => records.push(record)})
    await sendTo(wire, server.origin, {path: '/a/../b?X-Amz-Signature=secret'})
    await failureOf(sendTo(wire, 'http://127.0.0.1:1', {path: '/x?secret'}))
    expect(records).to.have.length(2)
    expect(records[0]).to.include({method: 'GET', origin: server.origin, path: '/a/../b', status: 200, requestId: 'R1'})
    expect(records[1]).to.include({path: '/x', problem: 'not reached'})
    expect(JSON.stringify(records)).to.not.include('secret')
  })

  it('reaches a literal IPv6 address', async function () {
    const server = await startServer((request, response) => response.end(request.headers.host), {host: '::1'})
    expect(server.origin).to.match(/^http:\/\/\[::1\]:\d+$/u)
    const answer = await sendTo(openWire(), server.origin)
    expect(answer.text).to.equal(`[::1]:${server.port}`)
  })
})
