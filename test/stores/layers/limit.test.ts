import {expect} from 'chai'
import type {Body} from '../../../src/core/body.ts'
import {Failure} from '../../../src/core/failure.ts'
import {withLimit} from '../../../src/stores/layers/limit.ts'
import {withRetry} from '../../../src/stores/layers/retry.ts'
import type {PartReceipt} from '../../../src/stores/store.ts'
import {failureOf} from '../../http/support.ts'
import {body, newCall, part, receipt, sessionOf, storeOf, stored, target} from './support.ts'

/** Parts that end when they are told to. */
function openGate() {
  const waiting: {uploadId: string; number: number; end: (error?: Error) => void}[] = []
  const log: string[] = []
  let most = 0
  function enter<T>(uploadId: string, number: number, result: T): Promise<T> {
    log.push(`${uploadId}${number}`)
    return new Promise((resolve, reject) => {
      const entry = {
        uploadId,
        number,
        end(error?: Error) {
          waiting.splice(waiting.indexOf(entry), 1)
          log.push(`${uploadId}${number} over`)
          if (error) reject(error)
          else resolve(result)
        },
      }
      waiting.push(entry)
      most = Math.max(most, waiting.length)
    })
  }
  const store = storeOf({
    putPart: ({uploadId}, {number}): Promise<PartReceipt> => enter(uploadId, number, receipt),
    putWhole: () => enter('whole', 0, stored),
    abort({uploadId}) {
      log.push(`abort ${uploadId}`)
      return Promise.resolve()
    },
    complete() {
      log.push('complete')
      return Promise.resolve(stored)
    },
    listParts() {
      log.push('listParts')
      return Promise.resolve([receipt])
    },
  })
  return {store, waiting, log, most: () => most}
}

/** Lets everything that can go on go on. */
function settle(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

describe('withLimit', () => {
  it('lets at most so many bodies travel at once, over all objects, whole or in parts', async () => {
    const gate = openGate()
    const store = withLimit(gate.store, 3)
    const all = [
      ...Array.from({length: 8}, (_, index) =>
        store.putPart(sessionOf(index % 2 ? 'a' : 'b'), {...part, number: index}, body, newCall()),
      ),
      ...Array.from({length: 4}, () => store.putWhole(target, body, {}, newCall())),
    ]
    const ending = Promise.allSettled(all)
    for (let left = all.length; left > 0; left--) {
      await settle()
      expect(gate.waiting).to.have.length(Math.min(3, left))
      gate.waiting[left % gate.waiting.length]?.end(left % 3 === 0 ? new Error('failed') : undefined)
    }
    const ended = await ending
    expect(ended.filter(({status}) => status === 'rejected')).to.have.length(4)
    expect(gate.most()).to.equal(3)
  })

  it('lets control verbs pass while every slot is taken', async () => {
    const gate = openGate()
    const store = withLimit(gate.store, 1)
    const running = store.putPart(sessionOf('a'), part, body, newCall())
    const queued = store.putPart(sessionOf('a'), {...part, number: 2}, body, newCall())
    await settle()
    await store.complete(sessionOf('b'), [receipt], newCall())
    await store.listParts(sessionOf('a'), newCall())
    await store.abort(sessionOf('b'), newCall())
    await store.limits(newCall())
    expect(gate.log).to.deep.equal(['a1', 'complete', 'listParts', 'abort b'])
    gate.waiting[0]?.end()
    await settle()
    gate.waiting[0]?.end()
    await Promise.all([running, queued])
  })

  it('aborts only after what is in flight has ended, and never sends what is queued', async () => {
    const gate = openGate()
    const store = withLimit(gate.store, 2)
    const parts = [1, 2, 3, 4].map(number => store.putPart(sessionOf('a'), {...part, number}, body, newCall()))
    const endings = Promise.allSettled(parts)
    await settle()
    let isAborted = false
    const aborting = store.abort(sessionOf('a'), newCall()).then(() => (isAborted = true))
    await settle()
    expect(gate.log).to.deep.equal(['a1', 'a2'])
    gate.waiting[0]?.end()
    await settle()
    expect([isAborted, gate.log.includes('abort a')]).to.deep.equal([false, false])
    gate.waiting[0]?.end(new Error('cut'))
    await aborting
    expect(gate.log).to.deep.equal(['a1', 'a2', 'a1 over', 'a2 over', 'abort a'])
    const ends = await endings
    expect(ends.map(({status}) => status)).to.deep.equal(['fulfilled', 'rejected', 'rejected', 'rejected'])
    for (const end of ends.slice(2)) expect(end).to.have.nested.property('reason.code', 'interrupted')
    expect(await failureOf(store.putPart(sessionOf('a'), part, body, newCall()))).to.have.property(
      'code',
      'interrupted',
    )
  })

  it('leaves other uploads alone when one is aborted', async () => {
    const gate = openGate()
    const store = withLimit(gate.store, 2)
    const doomed = failureOf(store.putPart(sessionOf('a'), part, body, newCall()))
    const other = store.putPart(sessionOf('b'), part, body, newCall())
    const queued = store.putPart(sessionOf('b'), {...part, number: 2}, body, newCall())
    await settle()
    const aborting = store.abort(sessionOf('a'), newCall())
    gate.waiting.find(({uploadId}) => uploadId === 'a')?.end(new Error('cut'))
    await aborting
    expect((await doomed).message).to.equal('cut')
    await settle()
    expect(gate.waiting.map(({uploadId, number}) => `${uploadId}${number}`)).to.deep.equal(['b1', 'b2'])
    for (const each of [...gate.waiting]) each.end()
    expect(await Promise.all([other, queued])).to.deep.equal([receipt, receipt])
  })

  it('does not begin what was told to stop while it waited', async () => {
    const gate = openGate()
    const store = withLimit(gate.store, 1)
    const controller = new AbortController()
    const running = store.putPart(sessionOf('a'), part, body, newCall())
    const reason = new Error('stopped')
    const call = newCall({signal: controller.signal})
    const stopped = [
      failureOf(store.putPart(sessionOf('a'), {...part, number: 2}, body, call)),
      failureOf(store.putWhole(target, body, {}, call)),
    ]
    await settle()
    controller.abort(reason)
    gate.waiting[0]?.end()
    await running
    expect(await Promise.all(stopped)).to.deep.equal([reason, reason])
    expect(gate.log).to.deep.equal(['a1', 'a1 over'])
  })

  it('holds no slot for a part that sleeps before its next attempt', async () => {
    const gate = openGate()
    let calls = 0
    const store = withRetry(
      withLimit(
        storeOf({
          putPart(session, part, ...rest) {
            if (part.number === 1 && ++calls === 1) {
              return Promise.reject(new Failure('busy', 'Busy.', {retryable: true, retryAfter: 100}))
            }
            return gate.store.putPart(session, part, ...rest)
          },
        }),
        1,
      ),
      {retryFor: 10_000},
    )
    let isAsleep = (): void => {}
    const asleep = new Promise<void>(resolve => (isAsleep = resolve))
    const first = store.putPart(sessionOf('a'), part, body, newCall({onRetry: () => isAsleep()}))
    await asleep
    const second = store.putPart(sessionOf('a'), {...part, number: 2}, body, newCall())
    await settle()
    expect(gate.log).to.deep.equal(['a2'])
    gate.waiting[0]?.end()
    await second
    while (gate.waiting.length === 0) await settle()
    gate.waiting[0]?.end()
    expect(await first).to.equal(receipt)
  })

  describe('for small objects', () => {
    const bodyOf = (size: number): Body => ({size, read: () => Promise.resolve(0)})
    const [tiny, small, large] = [bodyOf(64 * 1024), bodyOf(1024 * 1024 - 1), bodyOf(1024 * 1024)]

    async function countAtOnce(bodies: readonly Body[], most = 32): Promise<number> {
      const gate = openGate()
      const store = withLimit(gate.store, 3, most)
      for (const each of bodies) store.putWhole(target, each, {}, newCall()).catch(() => {})
      await settle()
      return gate.waiting.length
    }
    const many = (body: Body, count: number): Body[] => Array.from({length: count}, () => body)

    it('lets more of them travel: the smaller, the more', async () => {
      expect(await countAtOnce(many(tiny, 100))).to.equal(32)
      expect(await countAtOnce(many(small, 100))).to.equal(8)
      expect(await countAtOnce(many(large, 100))).to.equal(3)
      expect(await countAtOnce(many(tiny, 100), 3)).to.equal(3)
    })

    it('lets parts go on beside them', async () => {
      const gate = openGate()
      const store = withLimit(gate.store, 3, 32)
      for (const each of many(tiny, 100)) store.putWhole(target, each, {}, newCall()).catch(() => {})
      for (let number = 1; number <= 5; number++) {
        store.putPart(sessionOf('u'), {...part, number}, body, newCall()).catch(() => {})
      }
      await settle()
      expect(gate.waiting.filter(({uploadId}) => uploadId === 'u')).to.have.length(3)
    })

    it('takes back what it allowed when the store cannot keep up', async () => {
      const gate = openGate()
      const store = withLimit(gate.store, 4, 32)
      const notices: {now: number}[] = []
      const call = newCall({onConcurrency: notice => notices.push(notice)})
      for (const each of many(tiny, 200)) store.putWhole(target, each, {}, call).catch(() => {})
      await settle()
      expect(gate.waiting).to.have.length(32)
      const busy = new Failure('busy', 'Slow down.', {retryable: true})
      for (const {end} of [...gate.waiting]) end(busy)
      await settle()
      expect(notices.map(({now}) => now)).to.deep.equal([16])
      expect(gate.waiting).to.have.length(16)
    })
  })
})
