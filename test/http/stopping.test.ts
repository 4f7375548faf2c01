import {expect} from 'chai'
import type {Body} from '../../src/core/body.ts'
import {takeWindows, giveWindows} from '../../src/http/windows.ts'
import {
  closeAll,
  failureOf,
  filledBody,
  MIB,
  openWire,
  patternAt,
  patternBody,
  sendTo,
  startServer,
  startTcpServer,
  zeroBody,
} from './support.ts'
import {SOON} from '../support/soon.ts'

afterEach(closeAll)

describe('an early answer', () => {
  it('stops the sending of a large body within a few MiB, and is delivered', async () => {
    let arrived = 0
    const server = await startServer((request, response) => {
      request.on('data', (piece: Buffer) => (arrived += piece.length))
      response.writeHead(403, {'x-amz-request-id': 'R1'})
      response.end('<Error/>')
    })
    let sent = 0
    const body = {body: zeroBody(200 * MIB)}
    const answer = await sendTo(openWire(), server.origin, body, {onSent: bytes => (sent = bytes)})
    expect(answer).to.include({status: 403, text: '<Error/>'})
    expect(answer.headers).to.include({'x-amz-request-id': 'R1'})
    expect(sent).to.be.below(16 * MIB)
    expect(arrived).to.be.below(16 * MIB)
  })

  it('stops it while the store takes nothing more, and while the pace holds it', async () => {
    const server = await startTcpServer(socket => {
      socket.once('data', () => {
        socket.pause()
        setTimeout(() => socket.write('HTTP/1.1 507 Insufficient Storage\r\nContent-Length: 0\r\n\r\n'), 100)
      })
    })
    const wire = openWire()
    expect((await sendTo(wire, server.origin, {body: zeroBody(200 * MIB)})).status).to.equal(507)
    const pace = (_: number, signal: AbortSignal): Promise<void> =>
      new Promise(resolve => signal.addEventListener('abort', () => resolve()))
    expect((await sendTo(wire, server.origin, {body: zeroBody(200 * MIB)}, {pace})).status).to.equal(507)
    expect(server.sockets).to.have.length(2)
  })

  it('ends its connection: the next request goes over another', async () => {
    const server = await startServer((request, response) => {
      request.resume()
      response.end('early')
    })
    const wire = openWire()
    expect((await sendTo(wire, server.origin, {body: zeroBody(100 * MIB)})).text).to.equal('early')
    expect((await sendTo(wire, server.origin)).text).to.equal('early')
    expect(server.sockets).to.have.length(2)
  })

  it('lets no byte of a later body leave over its connection', async () => {
    // The first store answers, stops reading, and reads on only after the window was used again.
    const stray: number[] = []
    let readOn = (): void => {}
    const first = await startTcpServer(socket => {
      let isHead = true
      socket.on('data', data => {
        const bytes = isHead ? data.subarray(data.indexOf('\r\n\r\n') + 4) : data
        if (isHead) {
          isHead = false
          socket.pause()
          // Headers and half a body: the answer stays open, so the connection does too.
          setTimeout(() => socket.write('HTTP/1.1 403 Forbidden\r\nContent-Length: 10\r\n\r\nhalf'), 50)
          readOn = () => socket.resume()
        }
        for (const byte of bytes) if (byte !== 0) stray.push(byte)
      })
    })
    const second = await startServer((request, response) => {
      request.resume().on('end', () => response.end())
    })
    const wire = openWire({waits: {connect: 5000, stall: 1000, answer: 5000}})
    const refused = failureOf(sendTo(wire, first.origin, {body: zeroBody(200 * MIB)}))
    await new Promise(resolve => setTimeout(resolve, 200))
    await Promise.all([1, 2, 3, 4].map(() => sendTo(wire, second.origin, {body: filledBody(8 * MIB, 1)})))
    readOn()
    expect(await refused).to.include({
      code: 'network',
      message: `${new URL(first.origin).host} stopped in the middle of its answer for 1.0 s.`,
    })
    expect(stray).to.deep.equal([])
  })
})

describe('a signal', () => {
  it('ends a request at any moment at once, with its own reason', async () => {
    const silent = await startTcpServer(socket => socket.pause())
    const reading = await startServer(request => request.resume())
    const halfway = await startServer((_, response) => {
      response.writeHead(200, {'content-length': '10'})
      response.write('half')
    })
    const never = (): Promise<void> => new Promise(() => {})
    const moments: [string, (signal: AbortSignal) => Promise<unknown>][] = [
      ['while sending', signal => sendTo(wire, silent.origin, {body: zeroBody(50 * MIB)}, {signal})],
      ['while waiting for the answer', signal => sendTo(wire, reading.origin, {body: zeroBody(MIB)}, {signal})],
      ['while waiting without a body', signal => sendTo(wire, silent.origin, {}, {signal})],
      ['in the middle of the answer', signal => sendTo(wire, halfway.origin, {}, {signal})],
      ['while the pace holds it', signal => sendTo(wire, reading.origin, {body: zeroBody(MIB)}, {signal, pace: never})],
    ]
    const wire = openWire()
    for (const [moment, start] of moments) {
      const controller = new AbortController()
      const reason = new Error(`stopped ${moment}`)
      let at = 0
      const ended = failureOf(start(controller.signal))
      setTimeout(() => {
        at = performance.now()
        controller.abort(reason)
      }, 100)
      expect(await ended, moment).to.equal(reason)
      expect(performance.now() - at, moment).to.be.below(SOON)
    }
  })

  it('that was given already sends nothing', async () => {
    const server = await startServer((_, response) => response.end())
    const reason = new Error('before')
    expect(await failureOf(sendTo(openWire(), server.origin, {}, {signal: AbortSignal.abort(reason)}))).to.equal(reason)
    expect(server.sockets).to.have.length(0)
  })

  it('waits for a read that is under way, so that no window is used twice', async () => {
    const server = await startTcpServer(socket => socket.resume())
    const controller = new AbortController()
    const given = new Set<ArrayBufferLike>()
    let release = (): void => {}
    const released = new Promise<void>(resolve => (release = resolve))
    let begin = (): void => {}
    const begun = new Promise<void>(resolve => (begin = resolve))
    const body: Body = {
      size: 10 * MIB,
      async read(into) {
        given.add(into.buffer)
        begin()
        await released
        return into.length
      },
    }
    const ended = failureOf(sendTo(openWire(), server.origin, {body}, {signal: controller.signal}))
    await begun
    controller.abort(new Error('stopped'))
    // Many more than lie free.
    const taken = Array.from({length: 64}, takeWindows)
    expect(taken.some(({pair}) => pair.some(({buffer}) => given.has(buffer)))).to.equal(false)
    release()
    expect((await ended).message).to.equal('stopped')
    for (const windows of taken.slice(32)) giveWindows(windows)
  })

  it('does not harm what other requests send meanwhile', async () => {
    const wrong: number[] = []
    let whole = 0
    const server = await startServer((request, response) => {
      let position = 0
      request.on('error', () => {})
      request.on('data', (piece: Buffer) => {
        for (let at = 0; at < piece.length; at += 61)
          if (piece[at] !== patternAt(position + at)) wrong.push(position + at)
        position += piece.length
      })
      request.on('end', () => {
        whole++
        response.end()
      })
    })
    const wire = openWire()
    const rounds = Array.from({length: 12}, async (_, index) => {
      const controller = new AbortController()
      if (index % 2 === 1) setTimeout(() => controller.abort(new Error('stopped')), index * 3)
      await sendTo(wire, server.origin, {body: patternBody(4 * MIB)}, {signal: controller.signal}).catch(() => {})
    })
    await Promise.all(rounds)
    expect(wrong).to.deep.equal([])
    expect(whole).to.be.at.least(6)
  })
})

describe('windows', () => {
  it('are as many as there are requests at once, and are used again', async () => {
    const server = await startServer((request, response) => {
      request.resume().on('end', () => response.end())
    })
    const wire = openWire()
    const round = (): Promise<unknown> =>
      Promise.all(
        Array.from({length: 32}, () => {
          const buffers = new Set<ArrayBufferLike>()
          const body = zeroBody(3 * MIB)
          const watched: Body = {
            size: body.size,
            read(into, position) {
              buffers.add(into.buffer)
              all.add(into.buffer)
              return new Promise(resolve => setTimeout(resolve, 5)).then(() => body.read(into, position))
            },
          }
          return sendTo(wire, server.origin, {body: watched}).then(() => expect(buffers.size).to.be.at.most(2))
        }),
      )
    const all = new Set<ArrayBufferLike>()
    for (let turn = 0; turn < 3; turn++) await round()
    expect(all.size).to.be.at.most(64)
    expect(server.sockets.length).to.be.at.most(32)
  })
})
