import {setTimeout as sleep} from 'node:timers/promises'
import {ListMultipartUploadsCommand, ListPartsCommand} from '@aws-sdk/client-s3'
import {expect} from 'chai'
import {MIB} from '../../src/core/sizes.ts'
import {BUCKET, hashPath, listJournals, openArena} from '../support/arena.ts'
import type {Arena} from '../support/arena.ts'
import {slow} from '../support/faults.ts'
import {startSkylift} from '../support/run-skylift.ts'
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

  const inFlight = (): number => arena.proxy.log.filter(({operation, over}) => operation === 'part' && !over).length

  /** Runs it once; killed after a while unless it ends before. */
  async function run(key: string, patience: number): Promise<{isKilled: boolean; inFlight: number; elapsed: number}> {
    const started = performance.now()
    const argv = ['upload', file, `s3://${BUCKET}/${key}`, '-p', '5M', '-c', String(CONCURRENCY)]
    const {child, ended} = startSkylift(argv, {env: home.env})
    const isOver = await Promise.race([ended.then(() => true), sleep(patience, false, {ref: false})])
    const parts = inFlight()
    if (!isOver) child.kill('SIGKILL')
    const {status, signal, stderr} = await ended
    if (signal === undefined) expect(status, stderr).to.equal(0)
    return {isKilled: signal === 'SIGKILL', inFlight: parts, elapsed: performance.now() - started}
  }

  it('ends with the same bytes each time, and sends again no more than was in flight', async () => {
    const whole = (await run('unharmed', 60_000)).elapsed
    let kills = 0
    let most = 0
    for (let object = 1; kills < KILLS; object++) {
      const key = `object-${object}`
      arena.proxy.log.forEach(({over}) => expect(over).to.equal(true))
      const before = arena.proxy.bytesReceived('part')
      let allowed = SIZE
      for (;;) {
        const end = await run(key, kills < KILLS ? Math.random() * whole : 60_000)
        if (!end.isKilled) break
        kills++
        allowed += end.inFlight * PART
        expect(end.inFlight).to.be.at.most(CONCURRENCY)
        // What the proxy still holds of a killed process does not count for the next one.
        await arena.proxy.until(() => arena.proxy.inFlight === 0)
      }
      const sent = arena.proxy.bytesReceived('part') - before
      most = Math.max(most, sent - SIZE)
      expect(sent, `${key}: sent`).to.be.within(SIZE, allowed)
      expect(await arena.hashStored(key), key).to.equal(sum)
      expect(await listJournals(home.stateFolder), key).to.deep.equal([])
      if (kills % 100 < 3 && KILLS > 100)
        console.error(`    ${kills} kills, ${object} objects, re-sent at most ${most} bytes of one`)
    }
  })

  it('leaves uploads without a single part at most', async () => {
    const {Uploads = []} = await arena.client.send(new ListMultipartUploadsCommand({Bucket: BUCKET}))
    for (const {Key, UploadId} of Uploads) {
      const {Parts = []} = await arena.client.send(new ListPartsCommand({Bucket: BUCKET, Key, UploadId}))
      expect(Parts, Key).to.deep.equal([])
    }
  })
})
