import {setTimeout as sleep} from 'node:timers/promises'
import {expect} from 'chai'
import {KIB, MIB} from '../../src/core/sizes.ts'
import {BUCKET, hashPath, listJournals, openArena} from '../support/arena.ts'
import type {Arena} from '../support/arena.ts'
import {slow} from '../support/faults.ts'
import {runSkylift, startSkylift} from '../support/run-skylift.ts'
import type {Home} from '../support/run-skylift.ts'
import {startShapingProxy} from '../support/shaping-proxy.ts'
import type {ShapingProxy, ShapingProxyOptions} from '../support/shaping-proxy.ts'

describe('a slow or lossy link', function () {
  this.timeout(60_000)
  let arena: Arena
  let home: Home
  const proxies: ShapingProxy[] = []

  before(async () => {
    arena = await openArena()
    home = await arena.makeHome()
  })
  after(() => arena.close())
  afterEach(async () => {
    arena.proxy.clear()
    for (const proxy of proxies.splice(0)) await proxy.close()
  })

  async function startLink(options: Omit<ShapingProxyOptions, 'upstream'>): Promise<ShapingProxy> {
    const proxy = await startShapingProxy({upstream: arena.port, ...options})
    proxies.push(proxy)
    return proxy
  }

  it('that is far away, of 200 Mbit/s, and cut now and then: every byte arrives, and parts share it', async () => {
    const link = await startLink({delay: 25, rate: 25_000_000, cutEvery: {bytes: 7 * MIB, jitter: 2 * MIB}})
    const file = await arena.makeFile(24 * MIB)
    const env = {...home.env, AWS_ENDPOINT_URL: link.endpoint}
    const {status, stderr} = await runSkylift(['upload', file, `s3://${BUCKET}/far`, '-p', '5M', '-c', '4'], {env})
    expect(status, stderr).to.equal(0)
    expect(await arena.hashStored('far')).to.equal(await hashPath(file))
    expect(link.cuts).to.be.at.least(2)
    // Complete, which is small, has one of its own.
    expect(link.maxConnections).to.be.within(4, 5)
    // A cut costs the part that it hit, not the upload.
    expect(link.bytes.up).to.be.below(24 * MIB + link.cuts * 5 * MIB + MIB)
  })

  it('of 64 KiB/s a connection is never cut as stalled', async () => {
    const link = await startLink({ratePerConnection: 64 * KIB})
    const files = await Promise.all(Array.from({length: 4}, () => arena.makeFile(500 * KIB)))
    const env = {...home.env, AWS_ENDPOINT_URL: link.endpoint}
    const flags = ['-c', '4', '--stall-timeout', '2s', '--progress', 'json']
    const {status, stderr} = await runSkylift(['upload', ...files, `s3://${BUCKET}/slow/`, ...flags], {env})
    expect(status, stderr).to.equal(0)
    expect(stderr).not.to.include('"retry"')
    expect(link.totalConnections).to.equal(4)
    for (const file of files) {
      expect(await arena.hashStored(`slow/${file.split('/').at(-1)}`)).to.equal(await hashPath(file))
    }
  })

  it('whose receiver takes a part in small bites is never cut as stalled', async () => {
    // More than the kernel holds back: what counts is that bytes move, not that a write returns.
    arena.proxy.inject({operation: 'part', fault: slow(700_000), times: Infinity})
    const file = await arena.makeFile(20 * MIB)
    const flags = ['-p', '10M', '-c', '2', '--stall-timeout', '2s', '--progress', 'json']
    const {status, stderr} = await runSkylift(['upload', file, `s3://${BUCKET}/bites`, ...flags], {env: home.env})
    expect(status, stderr).to.equal(0)
    expect(stderr).not.to.include('"retry"')
    expect(await arena.hashStored('bites')).to.equal(await hashPath(file))
  })

  it('that is gone for a while is waited for, and only what was in flight is sent again', async () => {
    arena.proxy.inject({operation: 'part', fault: slow(8_000_000), times: Infinity})
    const file = await arena.makeFile(32 * MIB)
    const running = startSkylift(
      ['upload', file, `s3://${BUCKET}/lost`, '-p', '5M', '-c', '2', '--connect-timeout', '1s', '--progress', 'json'],
      {env: home.env},
    )
    await arena.proxy.until(() => arena.proxy.count('part') > 2)
    await arena.proxy.down()
    const inFlight = arena.proxy.log.filter(({operation, status}) => operation === 'part' && status !== 200).length
    await sleep(8000)
    await arena.proxy.up()
    const {status, stderr} = await running.ended
    expect(status, stderr).to.equal(0)
    expect(stderr).to.include('"retry"')
    expect(await arena.hashStored('lost')).to.equal(await hashPath(file))
    expect(arena.proxy.bytesReceived('part')).to.be.at.most(32 * MIB + inFlight * 5 * MIB)
    expect(await listJournals(home.stateFolder)).to.deep.equal([])
  })
})
