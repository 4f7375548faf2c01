import {setImmediate, setTimeout as sleep} from 'node:timers/promises'
import {expect} from 'chai'
import {KIB, MIB} from '../../src/core/sizes.ts'
import {BUCKET, hashPath, openArena} from '../support/arena.ts'
import type {Arena} from '../support/arena.ts'
import {slowDown} from '../support/fault-answers.ts'
import {silence, stall} from '../support/faults.ts'
import {runSkylift, startSkylift} from '../support/run-skylift.ts'
import type {Home, Running} from '../support/run-skylift.ts'
import {SOON} from '../support/soon.ts'

describe('--limit-rate', function () {
  this.timeout(60_000)
  let arena: Arena
  let home: Home

  before(async () => {
    arena = await openArena()
    home = await arena.makeHome()
  })
  afterEach(() => arena.proxy.clear())
  after(() => arena.close())

  const bytes = (): number => arena.proxy.bytesReceived('part') + arena.proxy.bytesReceived('put')

  /** What has arrived by now, which this process may still have to read. */
  async function look(): Promise<{readonly time: number; readonly arrived: number}> {
    let before: number
    do {
      before = bytes()
      await setImmediate()
    } while (bytes() > before)
    return {time: performance.now(), arrived: before}
  }

  /** Measures what arrives a second, over ten seconds of it. */
  async function measure(running: Running): Promise<number> {
    await arena.proxy.until(() => bytes() > 0)
    const first = await look()
    await sleep(10_000)
    const last = await look()
    const rate = ((last.arrived - first.arrived) * 1000) / (last.time - first.time)
    running.child.kill('SIGINT')
    await running.ended
    return rate
  }

  it('is exact to 3 % over ten seconds, over big files, small files and stdin, and no wait is a stall or a retry', async () => {
    const big = await Promise.all([arena.makeFile(60 * MIB), arena.makeFile(30 * MIB)])
    const small = await Promise.all(Array.from({length: 60}, () => arena.makeFile(64 * KIB)))
    const flags = ['--limit-rate', '5M', '-p', '5M', '--stall-timeout', '1s', '--progress', 'json', '--resume', 'never']
    const running = startSkylift(['upload', ...small, ...big, `s3://${BUCKET}/mixed/`, ...flags], {env: home.env})
    expect(await measure(running)).to.be.within(5 * MIB * 0.9, 5 * MIB * 1.03)
    expect((await running.ended).stderr).not.to.include('"retry"')
  })

  it('holds for stdin, at another rate, from the environment', async () => {
    const env = {...home.env, SKYLIFT_LIMIT_RATE: '800K'}
    const running = startSkylift(['upload', '-', `s3://${BUCKET}/stream`, '-p', '5M', '-c', '3', '-q'], {
      env,
      stdin: 'open',
    })
    running.child.stdin?.write(Buffer.alloc(40 * MIB))
    expect(await measure(running)).to.be.within(800 * KIB * 0.9, 800 * KIB * 1.03)
  })

  it('lets small files through beside big ones', async () => {
    const big = await arena.makeFile(40 * MIB)
    const small = await arena.makeFile(16 * KIB)
    const flags = ['--limit-rate', '4M', '-p', '5M', '-c', '4', '--progress', 'json', '--resume', 'never']
    const running = startSkylift(['upload', small, big, `s3://${BUCKET}/fair/`, ...flags], {env: home.env})
    await running.said(/"event":"done"/u)
    expect(bytes()).to.be.below(20 * MIB)
    running.child.kill('SIGINT')
    await running.ended
  })

  it('sends the same bytes, and answers Ctrl-C within a second though everything waits', async () => {
    const file = await arena.makeFile(11 * MIB)
    const sent = await runSkylift(
      ['upload', file, `s3://${BUCKET}/same`, '-p', '5M', '--limit-rate', '8M/s', '-q'],
      home,
    )
    expect(sent.status, sent.stderr).to.equal(0)
    expect(await arena.hashStored('same')).to.equal(await hashPath(file))
    arena.proxy.clear()
    const running = startSkylift(
      ['upload', file, `s3://${BUCKET}/slowly`, '-p', '5M', '--limit-rate', '2K', '--resume', 'never'],
      {
        env: home.env,
      },
    )
    await arena.proxy.until(() => bytes() > 0)
    const started = performance.now()
    running.child.kill('SIGINT')
    expect((await running.ended).status).to.equal(130)
    expect(performance.now() - started).to.be.below(SOON)
  })

  it('is refused where it would not be kept, and where it is no rate', async () => {
    const file = await arena.makeFile(10)
    for (const [words, flags] of [
      ['knows no --limit-rate', ['--limit-rate', '1M', '--engine', 'sdk']],
      ['0 bytes a second', ['--limit-rate', '0']],
      ['is not a size', ['--limit-rate', 'fast']],
    ] as const) {
      const {status, stderr} = await runSkylift(['upload', file, `s3://${BUCKET}/no`, ...flags], home)
      expect(status).to.equal(2)
      expect(stderr).to.include(words)
    }
  })
})

describe('a store that cannot keep up', function () {
  this.timeout(60_000)
  let arena: Arena
  let home: Home

  before(async () => {
    arena = await openArena()
    home = await arena.makeHome()
  })
  after(() => arena.close())

  it('gets fewer requests at once, which is told, and then as many as it takes; every byte arrives', async () => {
    const {proxy} = arena
    // It takes three at once, and says so of every other.
    const rule = proxy.inject({operation: 'part', fault: slowDown(), times: Infinity, match: () => proxy.inFlight > 3})
    // None of those that it takes at first is done before all that wish to be sent are on their way.
    proxy.inject({operation: 'part', fault: silence('stored', 1000), times: 3})
    const file = await arena.makeFile(200 * MIB)
    const flags = ['-p', '5M', '-c', '16', '--progress', 'json']
    const {status, stderr} = await runSkylift(['upload', file, `s3://${BUCKET}/narrow`, ...flags], home)
    expect(status, stderr).to.equal(0)
    expect(await arena.hashStored('narrow')).to.equal(await hashPath(file))
    const notes = stderr
      .split('\n')
      .filter(line => line.includes('"note"'))
      .map(line => (JSON.parse(line) as {message: string}).message)
    expect(notes[0]).to.equal('The store cannot keep up: 8 at once from now on, of 16.')
    expect(rule.used).to.be.below(60)
  })

  it('that is well again gets as many as before', async () => {
    const {proxy} = arena
    proxy.clear()
    proxy.inject({operation: 'part', fault: slowDown(), times: 2})
    const file = await arena.makeFile(300 * MIB)
    const {status, stderr} = await runSkylift(['upload', file, `s3://${BUCKET}/well`, '-p', '5M', '-c', '4'], home)
    expect(status, stderr).to.equal(0)
    expect(stderr).to.match(/The store cannot keep up: \d at once from now on, of 4/u)
    expect(stderr).to.include('The store keeps up again: 4 at once.')
  })

  it('that says nothing at all is no busy one', async () => {
    const {proxy} = arena
    proxy.clear()
    proxy.inject({operation: 'part', fault: stall(1000), times: 2})
    const file = await arena.makeFile(30 * MIB)
    const flags = ['-p', '5M', '-c', '4', '--stall-timeout', '1s']
    const {status, stderr} = await runSkylift(['upload', file, `s3://${BUCKET}/silent`, ...flags], home)
    expect(status, stderr).to.equal(0)
    expect(stderr).not.to.include('keep up')
  })
})
