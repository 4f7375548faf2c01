import {setTimeout as sleep} from 'node:timers/promises'
import {ListMultipartUploadsCommand, ListPartsCommand} from '@aws-sdk/client-s3'
import {expect} from 'chai'
import {MIB} from '../../src/core/sizes.ts'
import {BUCKET, hashPath, listJournals, openArena} from '../support/arena.ts'
import type {Arena} from '../support/arena.ts'
import {silence, slow} from '../support/faults.ts'
import {runSkylift, startSkylift} from '../support/run-skylift.ts'
import type {Home} from '../support/run-skylift.ts'

/** How many times the command is killed: scaled in a test run, 1,000 by `npm run test:kill`. */
const KILLS = Number(process.env['KILLS'] ?? 30)
const SIZE = 64 * MIB
const PART = 5 * MIB
const CONCURRENCY = 4
/** Bytes a second of one request: it shall take a while. */
const RATE = 20_000_000

describe(`the command, killed ${KILLS.toLocaleString('en')} times at random moments`, function () {
  this.timeout(60_000 + KILLS * 10_000)
  let arena: Arena
  let home: Home
  let file: string
  let sum: string

  before(async () => {
    arena = await openArena()
    home = await arena.makeHome()
    file = await arena.makeFile(SIZE)
    sum = await hashPath(file)
    arena.proxy.inject({operation: 'part', fault: slow(RATE), times: Infinity})
  })
  after(() => arena.close())

  const hasCompleted = (): boolean =>
    arena.proxy.log.some(({operation, status}) => operation === 'complete' && status === 200)
  const tell = (words: string): void => void process.stderr.write(`    ${words}\n`)

  /** Runs it once; killed after a while unless it ends before. */
  async function run(key: string, patience: number): Promise<{isKilled: boolean; elapsed: number}> {
    const started = performance.now()
    const argv = ['upload', file, `s3://${BUCKET}/${key}`, '-p', '5M', '-c', String(CONCURRENCY)]
    const {child, ended} = startSkylift(argv, {env: home.env})
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
    for (let object = 1; kills < KILLS; object++) {
      const key = `object-${object}`
      arena.proxy.clear()
      arena.proxy.inject({operation: 'part', fault: slow(RATE), times: Infinity})
      let allowed = SIZE
      while ((await run(key, kills < KILLS ? Math.random() * whole : 60_000)).isKilled) {
        kills++
        allowed += CONCURRENCY * PART
        // What the proxy still holds of a killed process does not count for the next one.
        await arena.proxy.until(() => arena.proxy.inFlight === 0)
        // Killed on its way out: it has ended, and the next run would be another upload.
        if (hasCompleted() && (await listJournals(home.stateFolder)).length === 0) break
      }
      const sent = arena.proxy.bytesReceived('part')
      resent += sent - SIZE
      expect(sent, `${key}: sent`).to.be.within(SIZE, allowed)
      expect(await arena.hashStored(key), key).to.equal(sum)
      expect(await listJournals(home.stateFolder), key).to.deep.equal([])
      if (KILLS > 100 && object % 50 === 0) tell(`${kills} kills, ${object} objects so far`)
    }
    const perKill = resent / kills / MIB
    if (KILLS > 100) tell(`${kills} kills recovered; sent again: ${perKill.toFixed(2)} MiB a kill, of at most 20`)
  })

  it('killed before it has heard of its Complete, asks the next time, and sends nothing', async () => {
    const key = 'unheard'
    arena.proxy.inject({operation: 'complete', fault: silence('stored')})
    const argv = ['upload', file, `s3://${BUCKET}/${key}`, '-p', '5M', '-c', String(CONCURRENCY)]
    const {child, ended} = startSkylift(argv, {env: home.env})
    await arena.proxy.until(() =>
      arena.proxy.log.some(({operation, fault}) => operation === 'complete' && fault !== undefined),
    )
    child.kill('SIGKILL')
    expect((await ended).signal).to.equal('SIGKILL')
    expect(await listJournals(home.stateFolder)).to.have.length(1)
    const before = arena.proxy.count('part') + arena.proxy.count('create')
    const again = await runSkylift(argv, {env: home.env})
    expect(again.status, again.stderr).to.equal(0)
    expect(arena.proxy.count('part') + arena.proxy.count('create')).to.equal(before)
    expect(await arena.hashStored(key)).to.equal(sum)
    expect(await listJournals(home.stateFolder)).to.deep.equal([])
  })

  it('leaves uploads without a single part at most', async () => {
    const {Uploads = []} = await arena.client.send(new ListMultipartUploadsCommand({Bucket: BUCKET}))
    for (const {Key, UploadId} of Uploads) {
      const {Parts = []} = await arena.client.send(new ListPartsCommand({Bucket: BUCKET, Key, UploadId}))
      expect(Parts, Key).to.deep.equal([])
    }
  })
})
