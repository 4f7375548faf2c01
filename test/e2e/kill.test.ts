import {readdir, utimes} from 'node:fs/promises'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {expect} from 'chai'
import {MIB} from '../../src/core/sizes.ts'
import {needSwift} from '../servers/swift.ts'
import {hashPath, listJournals, openArena} from '../support/arena.ts'
import {silence, slow} from '../support/faults.ts'
import {runSkylift, startSkylift} from '../support/run-skylift.ts'
import type {Home} from '../support/run-skylift.ts'
import {openSwiftWorld} from '../support/swift-world.ts'
import {BUCKET} from '../support/world.ts'
import type {World} from '../support/world.ts'

/** How many times the command is killed: scaled in a test run, 1,000 of each by `npm run test:kill`. */
const WISH = process.env['KILLS']
const WORLDS = [
  {name: 'the sandbox', open: openArena, kills: Number(WISH ?? 30)},
  {name: 'OpenStack Swift', open: openSwiftWorld, kills: Number(WISH ?? 10), isReal: true},
]
const SIZE = 64 * MIB
const PART = 5 * MIB
const CONCURRENCY = 4
/** Bytes a second of one request: it shall take a while. */
const RATE = 20_000_000
/** Later uploads replace the objects of earlier ones. */
const KEYS = 3

for (const {name, open, kills: wish, isReal = false} of WORLDS) {
  describe(`an upload to ${name}, killed ${wish.toLocaleString('en')} times at random moments`, function () {
    this.timeout(60_000 + wish * 10_000)
    let world: World
    let home: Home
    let file: string
    let sum: string

    before(async function () {
      if (isReal) needSwift(this)
      world = await open()
      home = await world.makeHome()
      file = await world.makeFile(SIZE)
      sum = await hashPath(file)
      world.proxy.inject({operation: 'part', fault: slow(RATE), times: Infinity})
    })
    after(() => world?.close())

    const hasCompleted = (): boolean =>
      world.proxy.log.some(({operation, status}) => operation === 'complete' && status >= 200 && status < 300)
    const tell = (words: string): void => void process.stderr.write(`    ${words}\n`)
    const argvFor = (key: string): string[] => {
      const target = `${world.scheme}://${BUCKET}/${key}`
      return ['upload', file, target, '-p', '5M', '-c', String(CONCURRENCY)]
    }

    /** Runs it once; killed after a while unless it ends before. */
    async function run(key: string, patience: number): Promise<{isKilled: boolean; elapsed: number}> {
      const started = performance.now()
      const {child, ended} = startSkylift(argvFor(key), {env: home.env})
      const isOver = await Promise.race([ended.then(() => true), sleep(patience, false, {ref: false})])
      if (!isOver) child.kill('SIGKILL')
      const {status, signal, stderr} = await ended
      if (signal === undefined) expect(status, stderr).to.equal(0)
      return {isKilled: signal === 'SIGKILL', elapsed: performance.now() - started}
    }

    it('ends with the same bytes each time, and sends again no more than was in flight', async () => {
      const whole = (await run('unharmed', 60_000)).elapsed
      let kills = 0
      let resent = 0
      for (let object = 1; kills < wish; object++) {
        const key = `killed-${object % KEYS}`
        world.proxy.clear()
        world.proxy.inject({operation: 'part', fault: slow(RATE), times: Infinity})
        let allowed = SIZE
        while ((await run(key, kills < wish ? Math.random() * whole : 60_000)).isKilled) {
          kills++
          allowed += CONCURRENCY * PART
          // What the proxy still holds of a killed process does not count for the next one.
          await world.proxy.until(() => world.proxy.inFlight === 0)
          // Killed on its way out: it has ended, and the next run would be another upload.
          if (hasCompleted() && (await listJournals(home.stateFolder)).length === 0) break
        }
        const sent = world.proxy.bytesReceived('part')
        resent += sent - SIZE
        expect(sent, `object ${object}: sent`).to.be.within(SIZE, allowed)
        expect(await world.hashStored(key), `object ${object}`).to.equal(sum)
        expect(await listJournals(home.stateFolder), `object ${object}`).to.deep.equal([])
        if (wish > 100 && object % 50 === 0) tell(`${kills} kills, ${object} objects so far`)
      }
      const perKill = resent / kills / MIB
      if (wish > 100) tell(`${kills} kills recovered; sent again: ${perKill.toFixed(2)} MiB a kill, of at most 20`)
    })

    it('killed before it has heard of its Complete, asks the next time, and sends nothing', async () => {
      const key = 'unheard'
      world.proxy.inject({operation: 'complete', fault: silence('stored')})
      const {child, ended} = startSkylift(argvFor(key), {env: home.env})
      await world.proxy.until(() =>
        world.proxy.log.some(({operation, fault}) => operation === 'complete' && fault !== undefined),
      )
      child.kill('SIGKILL')
      expect((await ended).signal).to.equal('SIGKILL')
      expect(await listJournals(home.stateFolder)).to.have.length(1)
      const before = world.proxy.count('part') + world.proxy.count('create')
      const again = await runSkylift(argvFor(key), {env: home.env})
      expect(again.status, again.stderr).to.equal(0)
      expect(world.proxy.count('part') + world.proxy.count('create')).to.equal(before)
      expect(await world.hashStored(key)).to.equal(sum)
      expect(await listJournals(home.stateFolder)).to.deep.equal([])
    })

    it('leaves nothing that is paid for: no part, no segment of what was replaced, no lock', async () => {
      // Other suites of this process leave theirs in the same container.
      const own = (await world.listLooseParts()).filter(name => /killed-|unheard/u.test(name))
      expect(own).to.deep.equal([])
      const uploads = join(home.stateFolder, 'uploads')
      // One that died before it wrote into what should have become its lock left a file that nobody takes for dead in the
      // next minute, and that a run after it clears away.
      const long = new Date(Date.now() - 120_000)
      for (const name of await readdir(uploads))
        if (name.endsWith('.new')) await utimes(join(uploads, name), long, long)
      expect((await runSkylift(argvFor('after'), {env: home.env})).status).to.equal(0)
      expect(await readdir(uploads)).to.deep.equal([])
    })
  })
}
