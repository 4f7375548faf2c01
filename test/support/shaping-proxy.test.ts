import net, {type AddressInfo, type Socket} from 'node:net'
import {once} from 'node:events'
import {randomBytes} from 'node:crypto'
import {expect} from 'chai'
import {type ShapingProxy, type ShapingProxyOptions, startShapingProxy} from './shaping-proxy.ts'
import {reset} from './reset.ts'

const mebi = 1024 * 1024

describe('shaping proxy', () => {
  const closers: (() => unknown)[] = []

  afterEach(async () => {
    for (const close of closers.splice(0).toReversed()) await close()
  })

  /** A server that does as `serve` says, behind a shaping proxy. */
  async function open(
    serve: (socket: Socket) => void,
    options: Omit<ShapingProxyOptions, 'upstream'>,
  ): Promise<ShapingProxy> {
    const server = net.createServer({noDelay: true, allowHalfOpen: true}, socket => {
      socket.on('error', () => {})
      closers.push(() => socket.destroy())
      serve(socket)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const proxy = await startShapingProxy({...options, upstream: (server.address() as AddressInfo).port})
    closers.push(
      () => server.close(),
      () => proxy.close(),
    )
    return proxy
  }

  function connect(proxy: ShapingProxy): Socket {
    const socket = net.connect({port: proxy.port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true})
    closers.push(() => socket.destroy())
    return socket
  }

  /** Reads to the end, says how many bytes came, and ends. */
  function count(socket: Socket): void {
    let size = 0
    socket.on('data', (chunk: Buffer) => {
      size += chunk.length
    })
    socket.on('end', () => socket.end(String(size)))
  }

  async function upload(proxy: ShapingProxy, size: number): Promise<{ms: number; answer: string}> {
    const socket = connect(proxy)
    await once(socket, 'connect')
    const start = performance.now()
    socket.end(Buffer.alloc(size))
    let answer = ''
    for await (const chunk of socket) answer += String(chunk)
    return {ms: performance.now() - start, answer}
  }

  it('loses and changes nothing, both ways', async () => {
    const proxy = await open(socket => socket.pipe(socket), {delay: 2, rate: 20 * mebi})
    const sent = randomBytes(2 * mebi)
    const socket = connect(proxy)
    socket.end(sent)
    const came: Buffer[] = []
    for await (const chunk of socket) came.push(chunk as Buffer)
    expect(Buffer.concat(came).equals(sent)).to.equal(true)
    expect(proxy.bytes).to.deep.equal({up: sent.length, down: sent.length})
    expect(proxy.held).to.equal(0)
  })

  // How slow a busy machine makes it is nobody's fault, so only what is too fast fails.
  it('keeps the rate', async () => {
    for (const [rate, size] of [
      [400_000, 400_000],
      [8 * mebi, 6 * mebi],
      [60 * mebi, 45 * mebi],
    ] as const) {
      const proxy = await open(count, {rate: {up: rate}})
      const {ms, answer} = await upload(proxy, size)
      expect(answer).to.equal(String(size))
      expect(ms / ((size / rate) * 1000), `${size} at ${rate}`).to.be.at.least(0.97)
    }
  })

  it('shares one rate between connections, fairly, and counts them', async () => {
    const proxy = await open(count, {rate: {up: 8 * mebi}})
    const start = performance.now()
    const all = await Promise.all([1, 2, 3, 4].map(() => upload(proxy, 1.5 * mebi)))
    expect((performance.now() - start) / 750).to.be.at.least(0.97)
    for (const {ms} of all) expect(ms).to.be.above(600)
    expect(proxy).to.include({maxConnections: 4, totalConnections: 4})
  })

  it('keeps a rate of each connection', async () => {
    const proxy = await open(count, {ratePerConnection: {up: 2 * mebi}})
    const start = performance.now()
    await Promise.all([1, 2, 3].map(() => upload(proxy, mebi)))
    expect(performance.now() - start).to.be.at.least(485)
  })

  it('delays each way', async () => {
    const proxy = await open(socket => socket.pipe(socket), {delay: 25})
    const socket = connect(proxy)
    await once(socket, 'connect')
    for (let i = 0; i < 4; i++) {
      const start = performance.now()
      socket.write('ping')
      await once(socket, 'data')
      expect(performance.now() - start).to.be.at.least(49)
    }
  })

  it('holds no more than the line does: a sender whose receiver does not read has to wait', async () => {
    const proxy = await open(socket => socket.pause(), {rate: 400 * mebi, delay: 1})
    const socket = connect(proxy)
    let written = 0
    const piece = Buffer.alloc(64 * 1024)
    const write = () => {
      while (written < 512 * mebi && socket.write(piece)) written += piece.length
    }
    socket.on('drain', write)
    await once(socket, 'connect')
    write()
    let before = -1
    while (before !== proxy.bytes.up) {
      before = proxy.bytes.up
      await new Promise(resolve => setTimeout(resolve, 100))
    }
    expect(proxy.held).to.be.below(0.4 * mebi + 256 * 1024 + 128 * 1024)
    expect(written).to.be.below(64 * mebi)
  })

  it('cuts the connection that carries the byte', async () => {
    const proxy = await open(count, {cutEvery: {bytes: mebi, jitter: 1000}})
    const failures: string[] = []
    for (let i = 0; i < 3; i++) {
      const socket = connect(proxy)
      socket.end(Buffer.alloc(4 * mebi))
      const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException]
      failures.push(error.code ?? error.message)
    }
    expect(proxy.cuts).to.equal(3)
    for (const code of failures) expect(code).to.be.oneOf(['ECONNRESET', 'EPIPE'])
    expect(proxy.bytes.up).to.be.within(3 * mebi - 3000, 3 * mebi + 3000 + 3 * 65_536)
    expect((await upload(proxy, 1000)).answer).to.equal('1000')
  })

  it('passes a reset on', async () => {
    const proxy = await open(socket => socket.once('data', () => reset(socket)), {delay: 1})
    const socket = connect(proxy)
    socket.write('x')
    const [error] = (await once(socket, 'error').catch(reason => [reason])) as [NodeJS.ErrnoException]
    expect(error.code).to.equal('ECONNRESET')
  })
})
