import {expect} from 'chai'
import {MIB} from '../../src/core/sizes.ts'
import {BUCKET, hashPath, listJournals, openArena} from '../support/arena.ts'
import type {Arena} from '../support/arena.ts'
import {silence, slow, stall} from '../support/faults.ts'
import type {Fault} from '../support/faults.ts'
import {readJson, runSkylift, startSkylift} from '../support/run-skylift.ts'
import type {Ending, Env, Home, Running} from '../support/run-skylift.ts'
import {SOON} from '../support/soon.ts'

const SLOW = slow(300_000)

describe('a signal', () => {
  let arena: Arena
  let home: Home
  let file: string
  let key: string
  let keys = 0

  before(async () => {
    arena = await openArena()
    home = await arena.makeHome()
    file = await arena.makeFile(22 * MIB)
  })
  after(() => arena.close())
  beforeEach(() => {
    arena.proxy.clear()
    key = `object-${++keys}`
  })

  const argv = (...more: string[]): string[] => [
    'upload',
    file,
    `s3://${BUCKET}/${key}`,
    '-p',
    '5M',
    '-c',
    '2',
    ...more,
  ]
  const pendingOf = async (): Promise<number> => (await arena.listUploads()).filter(each => each === key).length
  const storedParts = (): number =>
    arena.proxy.log.filter(({operation, status, over}) => operation === 'part' && status === 200 && over).length

  /** Starts an upload whose first two parts are stored and whose others meet a fault. */
  async function startUpload(fault: Fault, env: Env = home.env, ...more: string[]): Promise<Running> {
    arena.proxy.inject({operation: 'part', fault, skip: 2, times: Infinity})
    const running = startSkylift(argv(...more), {env})
    await arena.proxy.until(() => storedParts() === 2 && arena.proxy.count('part') === 4)
    return running
  }

  async function stop(running: Running, signal: NodeJS.Signals): Promise<Ending> {
    const started = performance.now()
    running.child.kill(signal)
    const ending = await running.ended
    expect(performance.now() - started).to.be.below(SOON)
    return ending
  }

  async function expectGoesOn(): Promise<void> {
    arena.proxy.clear()
    const {status, stderr} = await runSkylift(argv(), {env: home.env})
    expect(status, stderr).to.equal(0)
    expect(await arena.hashStored(key)).to.equal(await hashPath(file))
    expect(arena.proxy.count('part')).to.equal(3)
    expect(await listJournals(home.stateFolder)).to.deep.equal([])
  }

  for (const [signal, status, words] of [
    ['SIGINT', 130, 'Interrupted.'],
    ['SIGTERM', 143, 'Terminated by a signal.'],
    ['SIGHUP', 143, 'Terminated by a signal.'],
  ] as const) {
    it(`${signal} ends with ${status} within a second, keeps the parts and says how to go on`, async () => {
      const ending = await stop(await startUpload(SLOW), signal)
      expect(ending).to.include({status, stdout: ''})
      expect(ending.stderr).to.include(words)
      expect(ending.stderr).to.match(/2 parts are kept at the store\.\n {2}Run the same command again: it goes on/u)
      expect(await pendingOf()).to.equal(1)
      await expectGoesOn()
    })
  }

  it('ends within a second although nothing moves', async () => {
    const ending = await stop(await startUpload(stall(100)), 'SIGINT')
    expect(ending.status).to.equal(130)
    await expectGoesOn()
  })

  it('ends within a second although Complete is not answered, and the next run finds the object', async () => {
    arena.proxy.inject({operation: 'complete', fault: silence('stored')})
    const running = startSkylift(argv(), {env: home.env})
    await arena.proxy.until(() =>
      arena.proxy.log.some(each => each.operation === 'complete' && each.fault !== undefined),
    )
    expect((await stop(running, 'SIGINT')).status).to.equal(130)
    arena.proxy.clear()
    const {status, stderr} = await runSkylift(argv(), {env: home.env})
    expect(status, stderr).to.equal(0)
    expect([arena.proxy.count('part'), arena.proxy.count('create')]).to.deep.equal([0, 0])
    expect(await arena.hashStored(key)).to.equal(await hashPath(file))
  })

  it('is told as one JSON document with --json', async () => {
    const ending = await stop(await startUpload(SLOW, home.env, '--json'), 'SIGTERM')
    expect(ending.status).to.equal(143)
    expect(readJson<{ok: boolean; failures: {code: string}[]}>(ending)).to.deep.include({ok: false, objects: []})
    await expectGoesOn()
  })

  describe('where the state folder will not survive', () => {
    /** As in a job of a CI. */
    function ciEnv(): Env {
      const {SKYLIFT_STATE_DIR: _, ...env} = home.env
      return {...env, CI: 'true'}
    }

    for (const [signal, status] of [
      ['SIGINT', 130],
      ['SIGTERM', 143],
    ] as const) {
      it(`${signal} leaves nothing at the store`, async () => {
        const ending = await stop(await startUpload(SLOW, ciEnv()), signal)
        expect(ending.status).to.equal(status)
        expect(ending.stderr).not.to.include('kept')
        expect(await pendingOf()).to.equal(0)
      })
    }

    it('keeps the parts after all where the folder is named', async () => {
      const env = {...ciEnv(), SKYLIFT_STATE_DIR: home.stateFolder}
      expect((await stop(await startUpload(SLOW, env), 'SIGTERM')).stderr).to.include('2 parts are kept')
      await expectGoesOn()
    })

    it('a second SIGINT does not wait for what the first one began', async () => {
      arena.proxy.inject({operation: 'abort', fault: silence('unstored'), times: Infinity})
      const running = await startUpload(SLOW, ciEnv())
      running.child.kill('SIGINT')
      await arena.proxy.until(() => arena.proxy.count('abort') === 1)
      const started = performance.now()
      running.child.kill('SIGINT')
      const {status, signal, stderr} = await running.ended
      expect({status, signal}).to.deep.equal({status: 130, signal: undefined})
      // It would say so at the end of its wait; how long it waited says less on a busy machine.
      expect(stderr).not.to.include('still at the store')
      expect(performance.now() - started).to.be.below(SOON)
    })

    it('SIGINT ends within a second although the store does not answer the abort, and says what is left', async () => {
      arena.proxy.inject({operation: 'abort', fault: silence('unstored'), times: Infinity})
      const ending = await stop(await startUpload(SLOW, ciEnv()), 'SIGINT')
      expect(ending.status).to.equal(130)
      expect(ending.stderr).to.include('is still at the store')
      expect(await pendingOf()).to.equal(1)
    })
  })
})
