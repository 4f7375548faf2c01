import {execFileSync} from 'node:child_process'
import {closeSync, mkdtempSync, openSync, rmSync} from 'node:fs'
import {open} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {expect} from 'chai'
import {bufferBody} from '../../src/core/buffer-body.ts'
import {answerWait, DEFAULT_WAITS} from '../../src/http/waits.ts'
import type {Waits} from '../../src/http/waits.ts'
import {windowSize, WINDOW} from '../../src/http/windows.ts'
import {makeCertificate} from '../support/certificate.ts'
import {startShapingProxy} from '../support/shaping-proxy.ts'
import {closeAll, failureOf, MIB, openWire, readAll, sendTo, startServer, startTcpServer, zeroBody} from './support.ts'

afterEach(closeAll)

const PATIENT: Waits = {connect: 10_000, stall: 10_000, answer: 10_000}
const BODY = {body: zeroBody(64 * MIB)}

async function expectFailure(promise: Promise<unknown>, origin: string, words: string): Promise<void> {
  const message = `${new URL(origin).host} ${words}`
  expect(await failureOf(promise)).to.include({code: 'network', retryable: true, message})
}

describe('the wait for a connection', () => {
  it('ends when TLS does not come to stand, with a body or without', async () => {
    const server = await startTcpServer(socket => socket.resume())
    const origin = server.origin.replace('http:', 'https:')
    const wire = openWire({waits: {...PATIENT, connect: 200}})
    await expectFailure(sendTo(wire, origin), origin, 'did not take the connection within 0.2 s.')
    await expectFailure(sendTo(wire, origin, BODY), origin, 'did not take the connection within 0.2 s.')
  })

  it('is over once the connection stands', async () => {
    const server = await startServer((_, response) => setTimeout(() => response.end('late'), 900))
    const wire = openWire({waits: {...PATIENT, connect: 500}})
    expect((await sendTo(wire, server.origin)).text).to.equal('late')
    expect((await sendTo(wire, server.origin)).text).to.equal('late')
    expect(server.sockets).to.have.length(1)
    for (let time = 0; time < 2; time++) {
      expect((await sendTo(wire, server.origin, {body: bufferBody(Buffer.alloc(1))})).text).to.equal('late')
    }
    expect(server.sockets).to.have.length(2)
  })
})

describe('the wait while sending', () => {
  for (const tls of [undefined, makeCertificate()]) {
    const protocol = tls ? 'https' : 'http'

    it(`ends when a store stops taking data, over ${protocol}`, async () => {
      const server = await startServer(request => request.once('data', () => request.pause()), {tls})
      const wire = openWire({verifyTls: false, waits: {...PATIENT, stall: 300}})
      await expectFailure(sendTo(wire, server.origin, BODY), server.origin, 'took no data for 0.3 s.')
    })

    it(`does not end while a slow link takes some all the time, over ${protocol}`, async () => {
      const server = await startServer(
        async (request, response) => void response.end(String((await readAll(request)).length)),
        {tls},
      )
      const link = await startShapingProxy({upstream: server.port, rate: 3_000_000})
      const wire = openWire({verifyTls: false, waits: {...PATIENT, stall: 1000}})
      try {
        const started = performance.now()
        const body = zeroBody(9_000_000)
        const answer = await sendTo(wire, `${protocol}://127.0.0.1:${link.port}`, {body})
        expect(answer.text).to.equal('9000000')
        expect(performance.now() - started).to.be.above(2000)
      } finally {
        await link.close()
      }
    })
  }

  it('does not end while the pace or the disk is what it waits for', async () => {
    const server = await startServer(
      async (request, response) => void response.end(String((await readAll(request)).length)),
    )
    const wire = openWire({waits: {...PATIENT, stall: 100}})
    const slowly = (): Promise<void> => new Promise(resolve => setTimeout(resolve, 350))
    const paced = await sendTo(wire, server.origin, {body: zeroBody(6000)}, {pace: slowly})
    expect(paced.text).to.equal('6000')
    const zeros = zeroBody(2 * WINDOW)
    const disk = {...zeros, read: (into: Buffer, position: number) => slowly().then(() => zeros.read(into, position))}
    expect((await sendTo(wire, server.origin, {body: disk})).text).to.equal(String(2 * WINDOW))
  })
})

describe('the wait for an answer', () => {
  it('ends when a store takes everything and says nothing', async () => {
    const server = await startServer(request => request.resume())
    const wire = openWire({waits: {...PATIENT, stall: 100, answer: 300}})
    await expectFailure(sendTo(wire, server.origin), server.origin, 'did not answer within 0.3 s.')
    await expectFailure(
      sendTo(wire, server.origin, {body: bufferBody(Buffer.alloc(1))}),
      server.origin,
      'did not answer within 0.3 s.',
    )
  })

  it('is longer than a stall, and may be given for one request', async () => {
    const server = await startServer((request, response) => {
      request.resume()
      setTimeout(() => response.end('late'), 400)
    })
    const patient = openWire({waits: {connect: 5000, stall: 100, answer: 5000}})
    expect((await sendTo(patient, server.origin)).text).to.equal('late')
    expect((await sendTo(patient, server.origin, {body: bufferBody(Buffer.alloc(1))})).text).to.equal('late')
    const hasty = openWire({waits: {connect: 5000, stall: 100, answer: 100}})
    expect((await sendTo(hasty, server.origin, {}, {answer: 5000})).text).to.equal('late')
  })

  it('that is given for one request is given for the rest of its answer, too: a store at work on Complete sends spaces', async () => {
    const server = await startServer((request, response) => {
      request.resume()
      response.write(' ')
      setTimeout(() => response.end('made'), 400)
    })
    const wire = openWire({waits: {connect: 5000, stall: 100, answer: 100}})
    for (const body of [undefined, bufferBody(Buffer.alloc(1)), zeroBody(MIB)]) {
      const request = body === undefined ? {} : {body}
      expect((await sendTo(wire, server.origin, request, {answer: 5000})).text).to.equal(' made')
    }
  })

  it('is not shorter behind a Continue, which begins no answer', async () => {
    const server = await startTcpServer(socket => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 100 Continue\r\n\r\n')
        setTimeout(() => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate'), 400)
      })
    })
    const wire = openWire({waits: {...PATIENT, stall: 100}})
    for (const body of [undefined, bufferBody(Buffer.alloc(1))]) {
      expect((await sendTo(wire, server.origin, body === undefined ? {} : {body})).text).to.equal('late')
    }
  })

  it('begins with each request of a connection, however long it idled', async () => {
    let count = 0
    const server = await startServer((request, response) => {
      request.resume()
      if (++count <= 2) response.end('here')
    })
    const wire = openWire({waits: {...PATIENT, answer: 300}})
    const request = {body: bufferBody(Buffer.alloc(1))}
    expect((await sendTo(wire, server.origin, request)).text).to.equal('here')
    await new Promise(resolve => setTimeout(resolve, 500))
    expect((await sendTo(wire, server.origin, request)).text).to.equal('here')
    await new Promise(resolve => setTimeout(resolve, 200))
    const started = performance.now()
    await expectFailure(sendTo(wire, server.origin, request), server.origin, 'did not answer within 0.3 s.')
    expect(performance.now() - started).to.be.above(250)
    expect(server.sockets).to.have.length(1)
  })

  it('is not over for an answer that begins while the kernel is asked what it still holds', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'skylift-waits-'))
    const pipe = join(folder, 'pipe')
    execFileSync('mkfifo', [pipe])
    // Nothing is read by Node's pool, as beside a slow disk, until somebody writes into the pipe.
    const held = Array.from({length: Number(process.env['UV_THREADPOOL_SIZE'] ?? 4)}, () => open(pipe, 'r'))
    const server = await startServer(request => {
      request.resume()
      const {socket} = request
      setTimeout(() => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf'), 300)
      setTimeout(() => closeSync(openSync(pipe, 'r+')), 600)
      setTimeout(() => socket.write('half'), 900)
    })
    try {
      const wire = openWire({waits: {...PATIENT, answer: 100}})
      const answer = await sendTo(wire, server.origin, {body: bufferBody(Buffer.alloc(1))})
      expect(answer.text).to.equal('halfhalf')
    } finally {
      closeSync(openSync(pipe, 'r+'))
      for (const each of held) await (await each).close()
      rmSync(folder, {recursive: true})
    }
  })

  it('starts anew with each byte, then ends in the middle of the answer', async () => {
    const server = await startServer((request, response) => {
      response.writeHead(200, {'content-length': '8'})
      let left = request.url === '/whole' ? 8 : 4
      const timer = setInterval(() => {
        response.write('x')
        if (--left > 0) return
        clearInterval(timer)
        if (request.url === '/whole') response.end()
      }, 300)
    })
    const wire = openWire({waits: {...PATIENT, stall: 2000}})
    expect((await sendTo(wire, server.origin, {path: '/whole'})).text).to.equal('xxxxxxxx')
    await expectFailure(sendTo(wire, server.origin), server.origin, 'stopped in the middle of its answer for 2.0 s.')
    await expectFailure(
      sendTo(wire, server.origin, {}, {onBytes: () => {}}),
      server.origin,
      'stopped in the middle of its answer for 2.0 s.',
    )
  })

  it('does not run while whoever takes the bytes is busy with them', async () => {
    const server = await startServer((_, response) => response.end(Buffer.alloc(1000)))
    const wire = openWire({waits: {...PATIENT, stall: 100}})
    let size = 0
    const onBytes = async (bytes: Buffer): Promise<void> => {
      await new Promise(resolve => setTimeout(resolve, 300))
      size += bytes.length
    }
    expect((await sendTo(wire, server.origin, {}, {onBytes})).status).to.equal(200)
    expect(size).to.equal(1000)
  })

  it('grows with what can still sit in kernel buffers', () => {
    const waits = {...DEFAULT_WAITS, answer: 60_000}
    expect(answerWait(waits, MIB, MIB)).to.equal(61_000)
    expect(answerWait(waits, 5000 * MIB, MIB)).to.equal(68_000)
    expect(answerWait(waits, 5000 * MIB, 64 * 1024)).to.equal(60_000 + 128_000)
    expect(answerWait(waits, 0, 0)).to.equal(60_000)
  })
})

describe('windowSize', () => {
  it('is what the connection sends in half a second, within its bounds', () => {
    for (const [rate, size] of [
      [0, 64 * 1024],
      [100_000, 64 * 1024],
      [400_000, 200_000],
      [2 * WINDOW, WINDOW],
      [1e9, WINDOW],
    ] as const) {
      expect(windowSize(rate)).to.equal(size)
    }
  })
})
