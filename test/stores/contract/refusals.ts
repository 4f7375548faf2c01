import {randomBytes} from 'node:crypto'
import {expect} from 'chai'
import {bufferBody} from '../../../src/core/buffer-body.ts'
import type {Call, Target} from '../../../src/stores/store.ts'
import type {Bench} from './bench.ts'
import {collect, failureOf, newCall, partOf} from './bench.ts'
import {SOON} from '../../support/soon.ts'

/** What must fail, and how fast. */
export function describeRefusals(bench: Bench): void {
  const nowhere = (): Target => ({...bench.target(), container: 'skylift-no-such-container'})

  bench.it(['keys'], 'fails not-found where there is no such container', async () => {
    await failureOf(bench.put(nowhere(), Buffer.from('x')), 'not-found')
    if (!bench.lacks('parts')) await failureOf(bench.begin(nowhere(), [3]), 'not-found')
    if (!bench.lacks('head')) await failureOf(bench.store.head(nowhere(), newCall()), 'not-found')
    if (!bench.lacks('list'))
      await failureOf(collect(bench.store.list({...nowhere(), key: ''}, newCall())), 'not-found')
  })

  bench.it(['wrongKey'], 'fails auth with a wrong secret', async () => {
    const {wrongKey} = bench.opened
    const target = bench.target()
    const bytes = Buffer.from('x')
    if (wrongKey === undefined) throw new Error('There is no store with a wrong secret.')
    await failureOf(wrongKey.putWhole(target, bufferBody(bytes), {}, newCall()), 'auth')
    const plan = {size: 1, partSize: 1, count: 1}
    if (!bench.lacks('parts')) await failureOf(wrongKey.begin(target, {}, plan, newCall()), 'auth')
    expect(await bench.readBack(target)).to.equal(undefined)
  })

  bench.it([], 'stops within a second when it is told to, and stores nothing', async () => {
    const target = bench.target()
    await expectStop(call => bench.store.putWhole(target, bufferBody(randomBytes(500_000)), {}, call))
    if (!bench.lacks('keys') && !bench.lacks('hidden')) expect(await bench.readBack(target)).to.equal(undefined)
  })

  bench.it(['parts'], 'stops a part within a second when it is told to, and takes it again', async () => {
    const target = bench.target()
    const bytes = randomBytes(500_000)
    const session = await bench.begin(target, [bytes.length])
    const part = partOf(session, 1, bufferBody(bytes))
    await expectStop(call => bench.store.putPart(session, part, bufferBody(bytes), call))
    const receipt = await bench.putPart(session, 1, bytes)
    await bench.store.complete(session, [receipt], newCall())
    expect((await bench.readBack(target))?.equals(bytes)).to.equal(true)
  })

  bench.it([], 'does nothing at all once it was told to stop', async () => {
    const target = bench.target()
    const reason = new Error('told before')
    const call = {signal: AbortSignal.abort(reason)}
    const {store} = bench
    await expectReason(store.putWhole(target, bufferBody(Buffer.from('x')), {}, call), reason)
    if (!bench.lacks('parts')) {
      await expectReason(store.begin(target, {}, {size: 1, partSize: 1, count: 1}, call), reason)
    }
    if (!bench.lacks('head')) await expectReason(store.head(target, call), reason)
    if (!bench.lacks('list')) await expectReason(collect(store.list(target, call)), reason)
    if (!bench.lacks('keys')) expect(await bench.readBack(target)).to.equal(undefined)
  })
}

/** The pace holds the sending for ever once it has begun: only the signal can end it. */
async function expectStop(run: (call: Call) => Promise<unknown>): Promise<void> {
  const controller = new AbortController()
  const reason = new Error('told to stop')
  let stopped = 0
  const pace = (): Promise<void> => {
    stopped = performance.now()
    controller.abort(reason)
    return new Promise(() => {})
  }
  await expectReason(run({signal: controller.signal, pace}), reason)
  expect(stopped, 'the pace was asked').to.be.greaterThan(0)
  expect(performance.now() - stopped).to.be.below(SOON)
}

async function expectReason(running: Promise<unknown>, reason: Error): Promise<void> {
  const error = await running.then(
    () => new Error('It did not fail.'),
    (thrown: unknown) => thrown,
  )
  expect(error).to.equal(reason)
}
