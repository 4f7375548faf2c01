import {setTimeout as sleep} from 'node:timers/promises'
import {expect} from 'chai'
import {MIB} from '../../src/core/sizes.ts'
import {needSwift} from '../servers/swift.ts'
import type {Daemon} from '../servers/swift.ts'
import {hashPath, listJournals} from '../support/arena.ts'
import {slow} from '../support/faults.ts'
import {runSkylift, startSkylift} from '../support/run-skylift.ts'
import type {Home, Running} from '../support/run-skylift.ts'
import {openSwiftWorld} from '../support/swift-world.ts'
import type {SwiftWorld} from '../support/swift-world.ts'
import {BUCKET} from '../support/world.ts'

const PARTS = 10
/** Bytes a second of one request, two at once: long enough to be hit in the middle. */
const RATE = 4_000_000
/** How long a daemon is away, besides what it needs to start. */
const OUTAGE = 1500

const OUTAGES: readonly (readonly [verb: 'kill' | 'pause', daemon: Daemon])[] = [
  ['kill', 'object'],
  ['pause', 'object'],
  ['kill', 'container'],
  ['pause', 'container'],
  ['kill', 'proxy'],
  ['pause', 'proxy'],
]

describe('an upload to a Swift whose daemons come and go', function () {
  this.timeout(90_000)
  let world: SwiftWorld
  let home: Home
  let file: string
  let key = ''
  let keys = 0

  before(async function () {
    needSwift(this)
    world = await openSwiftWorld()
    file = await world.makeFile(PARTS * MIB - 5)
  })
  beforeEach(async () => {
    home = await world.makeHome()
    key = `daemons-${++keys}`
    world.proxy.clear()
    world.proxy.inject({operation: 'part', fault: slow(RATE), times: Infinity})
  })
  afterEach(async () => {
    for (const daemon of ['memcached', 'account', 'container', 'object', 'proxy'] as const) {
      await world.server.control('respawn', daemon)
    }
    await world.server.tick()
  })
  after(() => world?.close())

  const argvFor = (...more: string[]): string[] => {
    return ['upload', file, `swift://${BUCKET}/${key}`, '-p', '1M', '-c', '2', '-q', ...more]
  }
  const storedParts = (): number =>
    world.proxy.log.filter(({operation, status}) => operation === 'part' && status === 201).length

  /** Starts it; resolves when some parts are stored and others are not. */
  async function startHalf(...more: string[]): Promise<Running> {
    const running = startSkylift(argvFor(...more), {env: home.env})
    await world.proxy.until(() => storedParts() >= 2)
    return running
  }
  async function expectWhole(): Promise<void> {
    expect(await world.hashStored(key)).to.equal(await hashPath(file))
    expect(await listJournals(home.stateFolder)).to.deep.equal([])
    await world.server.tick()
    expect((await world.listLooseParts()).filter(name => name.startsWith(`${key}/`))).to.deep.equal([])
  }

  for (const [verb, daemon] of OUTAGES) {
    it(`ends whole after a ${verb} of the ${daemon} server in the middle`, async () => {
      const {ended} = await startHalf()
      await world.server.control(verb, daemon)
      await sleep(OUTAGE)
      await world.server.control(verb === 'kill' ? 'respawn' : 'cont', daemon)
      const {status, stderr} = await ended
      expect({status, stderr}).to.deep.equal({status: 0, stderr: ''})
      await expectWhole()
    })
  }

  it('fails with 8 when the object server stays away, keeps its parts, and goes on when it is back', async () => {
    const {ended} = await startHalf('--retry-for', '1s')
    await world.server.control('kill', 'object')
    const {status, stderr} = await ended
    expect(status, stderr).to.equal(8)
    expect(stderr).to.match(/[1-9] of 10 parts are kept/u)
    const kept = storedParts()
    await world.server.control('respawn', 'object')
    world.proxy.clear()
    const again = await runSkylift(argvFor(), home)
    expect(again.status, again.stderr).to.equal(0)
    expect(storedParts()).to.be.at.most(PARTS - kept)
    await expectWhole()
  })

  it('killed while the listing lags: parts that it does not show are sent again, and the object is right', async () => {
    // Slower: the daemon takes its time to end, and parts must come after that.
    world.proxy.clear()
    world.proxy.inject({operation: 'part', fault: slow(RATE / 4), times: Infinity})
    const {child, ended} = startSkylift(argvFor(), {env: home.env})
    await world.proxy.until(() => world.proxy.count('part') > 0)
    await world.server.control('kill', 'container')
    const before = storedParts()
    await world.proxy.until(() => storedParts() >= before + 4)
    child.kill('SIGKILL')
    await ended
    await world.server.control('respawn', 'container')
    // Nobody has told the listing yet what was stored meanwhile.
    const again = await runSkylift(argvFor(), home)
    expect(again.status, again.stderr).to.equal(0)
    expect(storedParts()).to.be.above(PARTS)
    await expectWhole()
  })

  it('goes on by what it knows where the listing shows what is not there', async () => {
    const {child, ended} = await startHalf()
    child.kill('SIGKILL')
    await ended
    const first = await world.findPart(key, 1)
    await world.server.control('kill', 'container')
    // The listing will not hear of it.
    await world.drop(first)
    await world.server.control('respawn', 'container')
    const again = await runSkylift(argvFor(), home)
    expect(again.status, again.stderr).to.equal(0)
    await expectWhole()
  })
})
