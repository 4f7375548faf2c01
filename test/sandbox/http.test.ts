import {once} from 'node:events'
import {Agent, request as httpRequest} from 'node:http'
import type {IncomingMessage} from 'node:http'
import {connect} from 'node:net'
import {CreateBucketCommand, GetObjectCommand, HeadObjectCommand, PutObjectCommand} from '@aws-sdk/client-s3'
import type {S3Client} from '@aws-sdk/client-s3'
import {expect} from 'chai'
import {closeAll, codeOf, openClient, openSandbox, presign, sendRaw, sendSigned, signHeaders} from './support.ts'
import {reset} from '../support/reset.ts'

const MIB = 1024 * 1024

describe('sandbox over HTTP', () => {
  let sandbox: Awaited<ReturnType<typeof openSandbox>>
  let client: S3Client
  const log: {method: string; path: string; status: number}[] = []

  before(async () => {
    sandbox = await openSandbox({requestLog: line => log.push(line)})
    client = openClient(sandbox)
    await client.send(new CreateBucketCommand({Bucket: 'http'}))
  })
  after(closeAll)

  /** Writes bytes as they stand and returns all that comes back until the connection ends. */
  const speak = async (text: string, options: {end?: boolean} = {}): Promise<string> => {
    const socket = connect(sandbox.port, '127.0.0.1')
    let answer = ''
    socket.on('data', (piece: Buffer) => (answer += piece.toString('latin1')))
    socket.on('error', () => undefined)
    socket.write(text)
    if (options.end) socket.end()
    await once(socket, 'close')
    return answer
  }
  const head = async (method: string, path: string, more: Record<string, string> = {}): Promise<string> => {
    const headers = {...(await signHeaders(sandbox, {method, path})), ...more}
    return `${method} ${path} HTTP/1.1\r\n${Object.entries(headers)
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join('')}`
  }

  it('listens on the loopback only', async () => {
    expect(sandbox.endpoint).to.equal(`http://127.0.0.1:${sandbox.port}`)
    const {networkInterfaces} = await import('node:os')
    const outside = Object.values(networkInterfaces())
      .flat()
      .find(each => each?.family === 'IPv4' && !each.internal)
    if (outside === undefined) return
    const socket = connect(sandbox.port, outside.address)
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException]
    expect(error.code).to.equal('ECONNREFUSED')
  })

  for (const host of [
    'evil.example',
    'evil.example:80',
    '127.0.0.1.evil.example',
    'localhost.evil',
    '10.0.0.1',
    '[::2]',
    '127.0.0.1:80@evil',
    '0.0.0.0',
  ]) {
    it(`refuses the host "${host}"`, async () => {
      const path = await presign(sandbox, {path: '/'})
      const reply = await sendRaw(sandbox, {path, headers: {host}})
      expect(reply.status).to.equal(403)
      expect(reply.code).to.equal('AccessDenied')
    })
  }

  it('refuses a request without a host', async () => {
    expect(await speak('GET / HTTP/1.0\r\n\r\n')).to.match(/^HTTP\/1\.1 403 /u)
    expect(await speak('GET / HTTP/1.1\r\nhost:\r\nconnection: close\r\n\r\n')).to.match(/^HTTP\/1\.1 403 /u)
    expect(await speak('GET / HTTP/1.1\r\nconnection: close\r\n\r\n')).to.match(/^HTTP\/1\.1 400 /u)
  })

  it('answers to the names of this machine', async () => {
    for (const host of [
      `localhost:${sandbox.port}`,
      `[::1]:${sandbox.port}`,
      'LOCALHOST',
      `127.0.0.1:${sandbox.port}`,
    ]) {
      // A signature covers the host: that it is asked for at all shows that the host passed.
      expect((await sendRaw(sandbox, {path: '/', headers: {host}})).text).to.include('<Message>Access Denied</Message>')
    }
  })

  it("gives every answer an id, a date, and S3's form of an error", async () => {
    const reply = await sendSigned(sandbox, {path: '/http/none%3C%26%3E'})
    expect(reply.status).to.equal(404)
    expect(reply.headers['x-amz-request-id']).to.match(/^[\dA-F]{16}$/u)
    expect(Date.parse(reply.headers.date ?? '')).to.be.closeTo(Date.now(), 60_000)
    expect(reply.headers['content-type']).to.equal('application/xml')
    expect(reply.text).to.match(
      /^<\?xml .*<Error><Code>NoSuchKey<\/Code><Message>.*<\/Message><Key>none&lt;&amp;&gt;<\/Key><Resource>.*<\/Resource><RequestId>.*<\/RequestId><\/Error>$/su,
    )
    const headOnly = await sendSigned(sandbox, {method: 'HEAD', path: '/http/none'})
    expect([headOnly.status, headOnly.body.length]).to.deep.equal([404, 0])
  })

  it('logs method, path and status, and no signature', async () => {
    log.length = 0
    const path = await presign(sandbox, {path: '/http/secret'})
    await sendRaw(sandbox, {path})
    for (let wait = 0; log.length === 0 && wait < 100; wait++) await new Promise(resolve => setTimeout(resolve, 5))
    expect(log).to.deep.equal([{method: 'GET', path: '/http/secret', status: 404}])
  })

  it('wants a length', async () => {
    const answer = await speak(`${await head('PUT', '/http/x')}connection: close\r\n\r\n`)
    expect(answer).to.match(/^HTTP\/1\.1 411 .*MissingContentLength/su)
  })

  it('refuses more than 5 GiB before the body', async () => {
    const answer = await speak(`${await head('PUT', '/http/x', {'content-length': String(5 * 1024 * MIB + 1)})}\r\n`)
    expect(answer).to.match(/^HTTP\/1\.1 400 .*EntityTooLarge/su)
  })

  it('refuses a body that ends early, and keeps the old object', async () => {
    await client.send(new PutObjectCommand({Bucket: 'http', Key: 'early', Body: 'old'}))
    const begun = `${await head('PUT', '/http/early', {'content-length': '100'})}\r\nonly this`
    expect(await speak(begun, {end: true})).to.match(/^HTTP\/1\.1 400 .*IncompleteBody/su)
    const socket = connect(sandbox.port, '127.0.0.1')
    socket.write(begun, () => reset(socket))
    await once(socket, 'close')
    const got = await client.send(new GetObjectCommand({Bucket: 'http', Key: 'early'}))
    expect(await got.Body?.transformToString()).to.equal('old')
  })

  const smuggled: [string, string][] = [
    ['two lengths', 'content-length: 3\r\ncontent-length: 30\r\n\r\nabc'],
    ['a length and chunks', 'content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['a length that is none', 'content-length: 3x\r\n\r\nabc'],
    ['chunks that are none', 'transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n'],
    ['a header without a colon', 'nonsense\r\n\r\n'],
  ]
  for (const [what, rest] of smuggled) {
    it(`refuses ${what}, and closes`, async () => {
      const answer = await speak(
        `${await head('PUT', '/http/smuggled')}${rest}GET /http/second HTTP/1.1\r\nhost: localhost\r\n\r\n`,
      )
      expect(answer).to.match(/^HTTP\/1\.1 400 /u)
      expect(answer.match(/HTTP\/1\.1 /gu)).to.have.length(1)
      expect(await codeOf(client.send(new HeadObjectCommand({Bucket: 'http', Key: 'smuggled'})))).to.equal('NotFound')
    })
  }

  it('refuses headers of more than 32 KiB', async () => {
    const answer = await speak(`GET / HTTP/1.1\r\nhost: localhost\r\nx-long: ${'x'.repeat(40_000)}\r\n\r\n`)
    expect(answer).to.match(/^HTTP\/1\.1 400 /u)
  })

  it('refuses what is not HTTP', async () => {
    expect(await speak('nonsense\r\n\r\n')).to.match(/^HTTP\/1\.1 400 /u)
  })

  describe('Expect: 100-continue', () => {
    const expectPut = async (headers: Record<string, string>, body: Buffer) => {
      const request = httpRequest({
        host: '127.0.0.1',
        port: sandbox.port,
        method: 'PUT',
        path: '/http/expect',
        headers: {...headers, expect: '100-continue', 'content-length': body.length},
        agent: false,
      })
      let continued = false
      request.on('continue', () => {
        continued = true
        request.end(body)
      })
      request.flushHeaders()
      const [response] = (await once(request, 'response')) as [IncomingMessage]
      response.resume()
      await once(response, 'end')
      request.destroy()
      return {status: response.statusCode, continued, connection: response.headers.connection}
    }

    it('is answered when access is granted', async () => {
      const headers = await signHeaders(sandbox, {method: 'PUT', path: '/http/expect'})
      expect(await expectPut(headers, Buffer.alloc(3 * MIB))).to.deep.include({status: 200, continued: true})
    })

    it('is answered by a refusal, and no byte is asked for', async () => {
      const wrong = await signHeaders({...sandbox, secretAccessKey: 'wrong'}, {method: 'PUT', path: '/http/expect'})
      expect(await expectPut(wrong, Buffer.alloc(3 * MIB))).to.deep.equal({
        status: 403,
        continued: false,
        connection: 'close',
      })
      const condition = await signHeaders(sandbox, {
        method: 'PUT',
        path: '/http/expect',
        headers: {'if-none-match': '*'},
      })
      expect(await expectPut(condition, Buffer.alloc(3 * MIB))).to.deep.include({status: 412, continued: false})
    })
  })

  it('lets a client that sends on read the refusal', async () => {
    for (const size of [1000, 3 * MIB, 20 * MIB]) {
      const reply = await sendRaw(sandbox, {method: 'PUT', path: '/http/denied', body: Buffer.alloc(size)})
      expect([reply.status, reply.code], String(size)).to.deep.equal([403, 'AccessDenied'])
    }
  })

  it('does not swallow without end what it refused', async function () {
    const socket = connect(sandbox.port, '127.0.0.1')
    socket.on('error', () => undefined).resume()
    socket.write(`PUT /http/endless HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${1024 * MIB}\r\n\r\n`)
    let written = 0
    const piece = Buffer.alloc(MIB)
    while (!socket.destroyed && written < 1024 * MIB) {
      written += piece.length
      if (!socket.write(piece)) {
        await new Promise<void>(resolve => {
          const go = () => {
            socket.off('drain', go).off('close', go)
            resolve()
          }
          socket.on('drain', go).on('close', go)
        })
      }
    }
    expect(written).to.be.below(200 * MIB)
  })

  it('survives clients that go away in the middle of a download', async () => {
    await client.send(new PutObjectCommand({Bucket: 'http', Key: 'download', Body: Buffer.alloc(8 * MIB, 'd')}))
    const text = `${await head('GET', '/http/download')}\r\n`
    for (let round = 0; round < 20; round++) {
      const socket = connect(sandbox.port, '127.0.0.1')
      socket.on('error', () => undefined)
      // Two at once: the second answer is still to be written when the first one's reader is gone.
      socket.write(text + text)
      await once(socket, 'data')
      reset(socket)
    }
    const got = await client.send(new GetObjectCommand({Bucket: 'http', Key: 'download'}))
    expect((await got.Body?.transformToByteArray())?.length).to.equal(8 * MIB)
  })

  it('uses a connection again, also after a refusal of a small body', async () => {
    const agent = new Agent({keepAlive: true, maxSockets: 1})
    const ports = new Set<number | undefined>()
    for (let i = 0; i < 4; i++) {
      const request = httpRequest({
        host: '127.0.0.1',
        port: sandbox.port,
        method: 'PUT',
        path: '/http/denied',
        agent,
        headers: {'content-length': 5},
      })
      request.end('12345')
      const [response] = (await once(request, 'response')) as [IncomingMessage]
      ports.add(request.socket?.localPort)
      response.resume()
      await once(response, 'end')
    }
    agent.destroy()
    expect(ports.size).to.equal(1)
  })

  it('keeps idle connections for 65 s', async () => {
    const reply = await sendSigned(sandbox, {path: '/', headers: {connection: 'keep-alive'}})
    expect(reply.headers['keep-alive']).to.equal('timeout=65')
  })
})
