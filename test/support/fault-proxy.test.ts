import {createHash} from 'node:crypto'
import http, {type IncomingMessage} from 'node:http'
import https from 'node:https'
import {once} from 'node:events'
import {expect} from 'chai'
import {makeCertificate} from './certificate.ts'
import * as answers from './fault-answers.ts'
import {type FaultProxy, startFaultProxy} from './fault-proxy.ts'
import {closeIdle, closeOnNextRequest, cut, type Fault, reset, silence, slow, stall} from './faults.ts'
import type {Operation} from './operations.ts'
import {type PlainStore, startPlainStore} from './plain-store.ts'

const complete = '/c/k?uploadId=u'
const part = '/c/k?partNumber=2&uploadId=u'
const mebi = 1024 * 1024

interface Reply {
  status: number
  headers: http.IncomingHttpHeaders
  body: string
}

describe('fault proxy', () => {
  let store: PlainStore
  let proxy: FaultProxy
  let agent: http.Agent

  beforeEach(async () => {
    store = await startPlainStore()
    proxy = await startFaultProxy({upstream: store.endpoint})
    agent = new http.Agent({keepAlive: true, maxSockets: 1})
  })

  afterEach(async () => {
    agent.destroy()
    await proxy.close()
    await store.close()
  })

  /** Sends and gives the answer, also one that comes before the body has left. */
  function send(method: string, path: string, body: Buffer = Buffer.alloc(0), signal?: AbortSignal): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const headers = {'content-length': body.length, 'x-odd-Case': 'Yes'}
      const options = {port: proxy.port, host: '127.0.0.1', method, path, headers, agent, ...(signal ? {signal} : {})}
      const request = http.request(options, reply => void readReply(reply).then(resolve, reject))
      request.on('error', reject)
      request.end(body)
    })
  }

  async function failure(promise: Promise<unknown>): Promise<string> {
    const error = await promise.then(
      value => expect.fail(`no failure but ${JSON.stringify(value)}`),
      (reason: NodeJS.ErrnoException) => reason,
    )
    return error.code ?? error.message
  }

  function strike(operation: Operation, fault: Fault): void {
    proxy.inject({operation, fault})
  }

  it('passes requests on as they are: path, Host, case and order of headers, body', async () => {
    const body = Buffer.alloc(3 * mebi, 7)
    const path = '/c/a/../b%2e?partNumber=1&uploadId=x'
    const reply = await send('PUT', path, body)
    expect(reply.status).to.equal(200)
    const [seen] = store.requests
    expect(seen?.url).to.equal(path)
    expect(seen?.headers.host).to.equal(`127.0.0.1:${proxy.port}`)
    expect(seen?.rawHeaders).to.include('x-odd-Case')
    expect(seen?.md5).to.equal(createHash('md5').update(body).digest('hex'))
    const [entry] = proxy.log
    const sizes = {bytesReceived: body.length, bytesForwarded: body.length, status: 200, storeStatus: 200}
    expect(entry).to.include({operation: 'part', method: 'PUT', path, partNumber: 1, ...sizes})
    expect(proxy.bytesReceived('part')).to.equal(body.length)
    expect(proxy.bytesReceived('put')).to.equal(0)
  })

  it('passes answers on as they are, HEAD too', async () => {
    const reply = await send('HEAD', '/c/k')
    expect(reply.headers).to.include({'content-length': '12345', 'x-amz-checksum-crc32': 'AAAAAA=='})
  })

  it('keeps the connection of the client', async () => {
    for (let i = 0; i < 3; i++) await send('PUT', '/c/k', Buffer.alloc(10))
    expect(proxy.connections).to.deep.equal({total: 1, open: 1})
  })

  it('strikes after `skip` requests, `times` times, only what matches', async () => {
    const match = ({partNumber}: {partNumber?: number}) => partNumber === 2
    const rule = proxy.inject({operation: 'part', fault: answers.slowDown(), skip: 1, times: 2, match})
    const statuses: number[] = []
    for (let i = 0; i < 5; i++) {
      await send('PUT', '/c/k?partNumber=1&uploadId=u')
      statuses.push((await send('PUT', part)).status)
    }
    expect(statuses).to.deep.equal([200, 503, 503, 200, 200])
    expect(proxy.log.filter(entry => entry.status === 503).map(entry => entry.partNumber)).to.deep.equal([2, 2])
    expect(rule.used).to.equal(2)
  })

  describe('resets', () => {
    it('a connection before anything is read', async () => {
      strike('connect', reset('headers'))
      expect(await failure(send('PUT', part))).to.equal('ECONNRESET')
      expect(proxy.log).to.have.length(0)
      expect((await send('PUT', part)).status).to.equal(200)
    })

    it('after the headers: the store never hears of it', async () => {
      strike('part', reset('headers'))
      expect(await failure(send('PUT', part, Buffer.alloc(mebi)))).to.be.oneOf(['ECONNRESET', 'EPIPE'])
      expect(store.requests).to.have.length(0)
    })

    it('in the body at the very byte: the store has no whole request', async () => {
      strike('part', reset('body', 700_001))
      expect(await failure(send('PUT', part, Buffer.alloc(8 * mebi)))).to.be.oneOf(['ECONNRESET', 'EPIPE'])
      expect(proxy.log[0]).to.include({bytesForwarded: 700_001, status: 0, fault: 'reset body'})
      await store.until(() => store.broken.length === 1)
      expect(store.requests).to.have.length(0)
    })

    it('after the whole body, stored: the answer is lost', async () => {
      strike('part', reset('stored'))
      expect(await failure(send('PUT', part, Buffer.alloc(mebi)))).to.equal('ECONNRESET')
      expect(store.requests).to.have.length(1)
      expect(proxy.log[0]).to.include({storeStatus: 200, status: 0})
    })

    it('after the whole body, not stored', async () => {
      strike('part', reset('unstored'))
      expect(await failure(send('PUT', part, Buffer.alloc(mebi)))).to.equal('ECONNRESET')
      expect(store.requests).to.have.length(0)
      expect(proxy.log[0]).to.include({bytesReceived: mebi, bytesForwarded: 0})
    })

    it('in the answer at the very byte', async () => {
      strike('get', reset('answer', 1000))
      const request = http.get({port: proxy.port, host: '127.0.0.1', path: '/c/k'})
      const [reply] = (await once(request, 'response')) as [IncomingMessage]
      let came = 0
      reply.on('data', (chunk: Buffer) => {
        came += chunk.length
      })
      const [error] = (await once(reply, 'end').catch((reason: unknown) => [reason])) as [NodeJS.ErrnoException]
      expect(error.code).to.equal('ECONNRESET')
      // A RST may overtake what is not read yet.
      expect(came).to.be.oneOf([0, 1000])
      expect(proxy.log[0]).to.include({fault: 'reset answer', status: 200})
    })
  })

  describe('says nothing', () => {
    it('and stops reading, until the client goes', async () => {
      strike('part', stall(100_000))
      const client = new AbortController()
      const sent = send('PUT', part, Buffer.alloc(64 * mebi), client.signal)
      await proxy.until(() => proxy.log[0]?.fault !== undefined)
      expect(proxy.log[0]).to.include({fault: 'silence body', over: false})
      client.abort()
      expect(await failure(sent)).to.equal('ABORT_ERR')
      expect(proxy.log[0]).to.include({bytesForwarded: 100_000})
      expect(proxy.log[0]?.bytesReceived).to.be.below(mebi)
      await proxy.close()
      await proxy.until(() => proxy.log[0]?.over === true)
      expect(store.requests).to.have.length(0)
    })

    it('and goes on after a while', async () => {
      strike('part', stall(100_000, 60))
      const start = performance.now()
      expect((await send('PUT', part, Buffer.alloc(mebi))).status).to.equal(200)
      expect(performance.now() - start).to.be.above(55)
      expect(store.requests[0]?.size).to.equal(mebi)
    })

    it('after the whole body, for good, stored or not', async () => {
      for (const when of ['stored', 'unstored'] as const) {
        const before = store.requests.length
        proxy.clear()
        strike('complete', silence(when))
        const client = new AbortController()
        const sent = send('POST', complete, Buffer.alloc(10), client.signal)
        await proxy.until(() => proxy.log[0]?.fault !== undefined)
        client.abort()
        await failure(sent)
        expect(store.requests.length - before).to.equal(when === 'stored' ? 1 : 0)
      }
    })

    it('for a while, then answers', async () => {
      strike('complete', silence('stored', 60))
      const start = performance.now()
      expect((await send('POST', complete)).status).to.equal(200)
      expect(performance.now() - start).to.be.above(55)
    })
  })

  it('is slow to read', async () => {
    strike('part', slow(2 * mebi))
    const start = performance.now()
    await send('PUT', part, Buffer.alloc(mebi))
    expect(performance.now() - start).to.be.at.least(490)
  })

  describe('closes a kept connection', () => {
    it('after an answer', async () => {
      strike('part', closeIdle())
      await send('PUT', part)
      await proxy.until(() => proxy.connections.open === 0)
      expect((await send('PUT', part)).status).to.equal(200)
      expect(proxy.connections.total).to.equal(2)
    })

    it('just as the next request arrives', async () => {
      strike('part', closeOnNextRequest())
      expect((await send('PUT', part)).status).to.equal(200)
      expect(await failure(send('PUT', part))).to.equal('ECONNRESET')
      expect(proxy.log[1]).to.include({fault: 'close next-request', status: 0})
      expect(store.requests).to.have.length(1)
    })
  })

  describe('answers by itself', () => {
    const own: [string, () => Fault, number, RegExp][] = [
      ['500', answers.internalError, 500, /InternalError/],
      ['an empty 500', answers.emptyError, 500, /^$/],
      ['a 502 of HTML', answers.badGateway, 502, /<html>/],
      ['503', answers.slowDown, 503, /SlowDown/],
      ['429', () => answers.tooManyRequests(7), 429, /TooManyRequests/],
      ['400', answers.badDigest, 400, /BadDigest/],
      ['404', answers.noSuchUpload, 404, /NoSuchUpload/],
      ['403', answers.timeTooSkewed, 403, /RequestTimeTooSkewed/],
      ['200 and an error inside', answers.errorInside200, 200, /<Error>/],
    ]
    for (const [name, fault, status, body] of own) {
      it(name, async () => {
        strike('complete', fault())
        const reply = await send('POST', complete, Buffer.from('<x/>'))
        expect(reply.status).to.equal(status)
        expect(reply.body).to.match(body)
        expect(store.requests).to.have.length(0)
        expect((await send('POST', complete)).body).to.contain('CompleteMultipartUploadResult')
      })
    }

    it('with Retry-After, with the Date of another clock, with another place', async () => {
      strike('part', answers.tooManyRequests(7))
      expect((await send('PUT', part)).headers['retry-after']).to.equal('7')
      strike('part', answers.timeTooSkewed(3_600_000))
      const {headers} = await send('PUT', part)
      expect(Date.parse(headers.date ?? '') - Date.now()).to.be.within(3_590_000, 3_600_000)
      strike('part', answers.redirect('http://127.0.0.2:81'))
      expect(await send('PUT', part)).to.have.nested.include({
        status: 307,
        'headers.location': `http://127.0.0.2:81${part}`,
      })
    })

    it('stored, then 500', async () => {
      strike('put', answers.storedThenError())
      expect((await send('PUT', '/c/k', Buffer.alloc(mebi))).status).to.equal(500)
      expect(store.requests[0]?.size).to.equal(mebi)
      expect(proxy.log[0]).to.include({storeStatus: 200, status: 500})
    })

    it('before the body ends, and reads the rest', async () => {
      strike('part', answers.at(answers.accessDenied(), 'headers'))
      const body = Buffer.alloc(32 * mebi)
      expect((await send('PUT', part, body)).status).to.equal(403)
      await proxy.until(() => proxy.log[0]?.bytesReceived === body.length)
      expect((await send('PUT', part)).status).to.equal(200)
      expect(proxy.connections.total).to.equal(1)
      expect(store.requests).to.have.length(1)
    })

    it('in the middle of the body', async () => {
      strike('part', answers.at(answers.slowDown(), 'body', 'read', 123_456))
      const body = Buffer.alloc(8 * mebi)
      expect((await send('PUT', part, body)).status).to.equal(503)
      await proxy.until(() => proxy.log[0]?.bytesReceived === body.length)
      expect(proxy.log[0]?.bytesForwarded).to.equal(123_456)
      expect(store.requests).to.have.length(0)
    })

    it('before the body ends, and closes, or reads no more', async () => {
      for (const then of ['close', 'hold'] as const) {
        proxy.clear()
        strike('part', answers.at(answers.slowDown(), 'headers', then))
        const request = http.request({port: proxy.port, host: '127.0.0.1', method: 'PUT', path: part})
        request.setHeader('content-length', 64 * mebi)
        request.on('error', () => {})
        request.flushHeaders()
        const [reply] = (await once(request, 'response')) as [IncomingMessage]
        expect(reply.statusCode).to.equal(503)
        expect(reply.headers.connection).to.equal(then === 'close' ? 'close' : 'keep-alive')
        request.write(Buffer.alloc(64 * mebi))
        if (then === 'close') await proxy.until(() => proxy.connections.open === 0)
        else expect((await send('PUT', part)).status).to.equal(200)
        expect(request.writableFinished).to.equal(false)
        expect(proxy.log[0]?.bytesReceived).to.equal(0)
        request.destroy()
      }
    })
  })

  describe('changes answers', () => {
    it('to half the XML, whole or cut short', async () => {
      const whole = (await send('POST', complete)).body
      strike('complete', answers.truncatedBody())
      const half = await send('POST', complete)
      expect(half.body).to.equal(whole.slice(0, Math.floor(whole.length / 2)))
      expect(half.status).to.equal(200)
      strike('complete', answers.shortBody())
      expect(await failure(send('POST', complete))).to.be.oneOf(['ECONNRESET', 'aborted'])
    })

    it('to another ETag, none, an empty one', async () => {
      const right = await send('PUT', part)
      strike('part', answers.wrongEtag())
      const wrong = await send('PUT', part)
      expect(wrong.headers.etag).to.match(/^"0{32}"$/)
      expect(right.headers.etag)
        .to.match(/^"[\da-f]{32}"$/)
        .and.not.equal(wrong.headers.etag)
      strike('part', answers.missingEtag())
      expect((await send('PUT', part)).headers).to.not.have.property('etag')
      strike('complete', answers.emptyEtag())
      expect((await send('POST', complete)).body).to.contain('<ETag></ETag>')
    })

    it('to one without checksums; a HEAD keeps its size', async () => {
      expect((await send('POST', complete)).body).to.contain('ChecksumCRC32')
      strike('complete', answers.noChecksums())
      expect((await send('POST', complete)).body).to.match(/^(?!.*Checksum).*<ETag>/)
      strike('head', answers.noChecksums())
      const {headers} = await send('HEAD', '/c/k')
      expect(headers).to.not.have.property('x-amz-checksum-crc32')
      expect(headers['content-length']).to.equal('12345')
    })
  })

  it('goes down, refusing, and comes up at the same port', async () => {
    proxy.inject({operation: 'part', fault: stall(1000)})
    const sent = failure(send('PUT', part, Buffer.alloc(mebi)))
    await proxy.until(() => proxy.log[0]?.fault !== undefined)
    await proxy.down()
    expect(await sent).to.be.oneOf(['ECONNRESET', 'EPIPE'])
    expect(await failure(send('PUT', part))).to.equal('ECONNREFUSED')
    await proxy.up()
    expect((await send('PUT', part)).status).to.equal(200)
  })

  it('resets the client when the store dies', async () => {
    await store.close()
    expect(await failure(send('PUT', part))).to.equal('ECONNRESET')
  })

  it('speaks TLS, and cuts it without close_notify', async () => {
    const certificate = makeCertificate()
    const secure = await startFaultProxy({upstream: store.endpoint, tls: certificate})
    const tlsAgent = new https.Agent({keepAlive: true, maxSockets: 1})
    const put = (size: number) =>
      new Promise<Reply>((resolve, reject) => {
        const options = {method: 'PUT', ca: certificate.cert, agent: tlsAgent, headers: {'content-length': size}}
        const request = https.request(`${secure.endpoint}${part}`, options)
        request.on('response', reply => void readReply(reply).then(resolve, reject)).on('error', reject)
        request.end(Buffer.alloc(size))
      })
    try {
      expect((await put(mebi)).status).to.equal(200)
      secure.inject({operation: 'part', fault: cut('stored')})
      expect(await failure(put(mebi))).to.equal('ECONNRESET')
      secure.inject({operation: 'part', fault: reset('body', 1000)})
      expect(await failure(put(mebi))).to.be.oneOf(['ECONNRESET', 'EPIPE'])
      secure.inject({operation: 'connect', fault: cut('headers')})
      expect(await failure(put(mebi))).to.equal('ECONNRESET')
      expect((await put(mebi)).status).to.equal(200)
      expect(store.requests).to.have.length(3)
    } finally {
      tlsAgent.destroy()
      await secure.close()
    }
  })
})

async function readReply(reply: IncomingMessage): Promise<Reply> {
  let body = ''
  for await (const chunk of reply.setEncoding('utf8')) body += chunk as string
  return {status: reply.statusCode ?? 0, headers: reply.headers, body}
}
