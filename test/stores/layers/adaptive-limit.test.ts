import {expect} from 'chai'
import * as fc from 'fast-check'
import {Failure} from '../../../src/core/failure.ts'
import {createAdaptiveLimit} from '../../../src/stores/layers/adaptive-limit.ts'
import {withLimit} from '../../../src/stores/layers/limit.ts'
import {withRetry} from '../../../src/stores/layers/retry.ts'
import type {ConcurrencyNotice} from '../../../src/stores/store.ts'
import {joinSignals} from '../../../src/upload/part-call.ts'
import {body, newCall, part, receipt, sessionOf, stored, storeOf, target} from './support.ts'

describe('createAdaptiveLimit', () => {
  it('halves once for all that fail together, and again when what began later fails', () => {
    const limit = createAdaptiveLimit(16)
    const first = limit.begin()
    expect([limit.slowDown(first, 16), limit.slowDown(first, 15), limit.slowDown(first, 14)]).to.deep.equal([
      true,
      false,
      false,
    ])
    expect(limit.now).to.equal(8)
    expect(limit.slowDown(limit.begin(), 8)).to.equal(true)
    expect(limit.now).to.equal(4)
  })

  it('rises by one when as many have succeeded as it lets through, up to what was wished', () => {
    const limit = createAdaptiveLimit(4)
    limit.slowDown(limit.begin(), 4)
    const rises: number[] = []
    for (let count = 1; count <= 100; count++) if (limit.succeed(limit.begin())) rises.push(count)
    // Four were too much: they are tried again after eight times as many.
    expect(rises).to.deep.equal([2, 2 + 3 * 8])
    expect(limit.now).to.equal(4)
  })

  it('rises by an eighth of many, and not past what was too much', () => {
    const limit = createAdaptiveLimit(128)
    limit.slowDown(limit.begin(), 100)
    const rises = [limit.now]
    let successes = 0
    for (; limit.now < 128; successes++) if (limit.succeed(limit.begin())) rises.push(limit.now)
    expect(rises).to.deep.equal([50, 56, 63, 70, 78, 87, 97, 99, 111, 124, 128])
    // Only what was too much costs patience.
    expect(successes).to.equal(50 + 56 + 63 + 70 + 78 + 87 + 97 + 99 * 8 + 111 + 124)
  })

  it('counts from what is under way: a limit that nobody reaches would not help by halving', () => {
    const limit = createAdaptiveLimit(128)
    limit.slowDown(limit.begin(), 6)
    expect(limit.now).to.equal(3)
  })

  it('takes no success of before the fall for a sign', () => {
    const limit = createAdaptiveLimit(8)
    const early = limit.begin()
    limit.slowDown(early, 8)
    for (let count = 0; count < 50; count++) expect(limit.succeed(early)).to.equal(false)
    expect(limit.now).to.equal(4)
  })

  it('stays between one and what was wished, whatever happens', () => {
    fc.assert(
      fc.property(fc.integer({min: 1, max: 256}), fc.array(fc.boolean(), {maxLength: 300}), (most, ends) => {
        const limit = createAdaptiveLimit(most)
        for (const isSuccess of ends) {
          const before = limit.now
          const round = limit.begin()
          const hasChanged = isSuccess ? limit.succeed(round) : limit.slowDown(round, before)
          expect(limit.now).to.be.within(1, most)
          expect(hasChanged).to.equal(limit.now !== before)
          expect(limit.now - before).to.be.at.most(isSuccess ? Math.max(1, before / 8) : 0)
        }
      }),
    )
  })
})

describe('withLimit, where the store cannot keep up', () => {
  const busy = (): Failure => new Failure('busy', 'The store asks to slow down.', {retryable: true})

  /** A store that takes `capacity` bodies at once and refuses every other one; each takes a few turns of the loop. */
  function openNarrow(capacity: number) {
    let [now, most, refused] = [0, 0, 0]
    const notices: ConcurrencyNotice[] = []
    async function take<T>(result: T): Promise<T> {
      now++
      most = Math.max(most, now)
      const isTooMany = now > capacity
      for (let turn = 0; turn < 3; turn++) await new Promise(resolve => setImmediate(resolve))
      now--
      if (!isTooMany) return result
      refused++
      throw busy()
    }
    const store = storeOf({putPart: () => take(receipt)})
    return {
      store: withRetry(withLimit(store, 16), {retryFor: 60_000, random: () => 0}),
      call: newCall({signal: joinSignals(), onConcurrency: notice => notices.push(notice)}),
      notices,
      refused: () => refused,
      most: () => most,
      forget: () => ([most, refused] = [0, 0]),
      widen: () => (capacity = 16),
    }
  }

  it('finds as many as it takes, refuses few after that, and comes back when it can', async () => {
    const narrow = openNarrow(4)
    const {store, call, notices} = narrow
    const sendAll = (count: number): Promise<unknown> =>
      Promise.all(
        Array.from({length: count}, (_, index) => store.putPart(sessionOf('a'), {...part, number: index}, body, call)),
      )
    await sendAll(200)
    const learnt = notices.length
    expect(notices[0]).to.include({now: 8, most: 16})
    narrow.forget()
    await sendAll(400)
    // Without it, twelve of every sixteen would be refused.
    expect(narrow.refused()).to.be.below(80)
    expect(narrow.most()).to.be.below(8)
    expect(notices.length).to.be.above(learnt)
    narrow.widen()
    await sendAll(800)
    expect(notices.at(-1)).to.deep.equal({now: 16, most: 16, isFewest: false})
    // A person hears of what is new.
    expect(notices.filter(({isFewest}) => isFewest).map(({now}) => now)).to.deep.equal([
      ...new Set(notices.map(({now}) => now).filter((now, index, all) => now < Math.min(16, ...all.slice(0, index)))),
    ])
  })

  it('learns from a busy store only, not from a network or a refusal that will not pass', async () => {
    for (const failure of [
      new Failure('network', 'Cut.', {retryable: true}),
      new Failure('integrity', 'Damaged.', {retryable: true}),
      new Failure('busy', 'The store has no room left.'),
      new Failure('forbidden', 'No.'),
    ]) {
      const notices: ConcurrencyNotice[] = []
      const store = withLimit(
        storeOf({putPart: () => Promise.reject(failure), putWhole: () => Promise.reject(failure)}),
        8,
      )
      const call = newCall({onConcurrency: notice => notices.push(notice)})
      await Promise.allSettled([
        store.putPart(sessionOf('a'), part, body, call),
        store.putWhole(target, body, {}, call),
      ])
      expect(notices, failure.message).to.deep.equal([])
    }
  })

  it('limits small objects by themselves, and says how many of them travel', async () => {
    const notices: ConcurrencyNotice[] = []
    const call = newCall({signal: joinSignals(), onConcurrency: notice => notices.push(notice)})
    let inFlight = 0
    let calls = 0
    let most = 0
    let limit: number | undefined
    const narrow = storeOf({
      async putWhole() {
        const isTooMany = ++inFlight > 6
        // While others wait: those that come last, each refused before, are too few to be refused again.
        if (++calls <= 400) {
          most = Math.max(most, inFlight)
          limit = notices.at(-1)?.now
        }
        await new Promise(resolve => setImmediate(resolve))
        inFlight--
        if (isTooMany) throw busy()
        return stored
      },
      putPart: () => Promise.resolve(receipt),
    })
    const store = withRetry(withLimit(narrow, 8, 128), {retryFor: 60_000, random: () => 0})
    const sendAll = (count: number): Promise<unknown> =>
      Promise.all(Array.from({length: count}, () => store.putWhole(target, body, {}, call)))
    await sendAll(500)
    expect(notices[0]).to.deep.equal({now: 64, most: 128, isFewest: true})
    expect(limit).to.be.within(1, 7)
    calls = 0
    most = 0
    await sendAll(500)
    // Above what the store takes by one at the most, however many were wished.
    expect(most).to.be.within(6, 7)
    const known = notices.length
    await store.putPart(sessionOf('a'), part, body, call)
    expect(notices.slice(known)).to.deep.equal([])
  })

  it('counts small whole objects and parts alike', async () => {
    const notices: ConcurrencyNotice[] = []
    const store = withLimit(storeOf({putWhole: () => Promise.reject(busy())}), 8)
    const call = newCall({onConcurrency: notice => notices.push(notice)})
    await Promise.allSettled(Array.from({length: 8}, () => store.putWhole(target, body, {}, call)))
    expect(notices).to.deep.equal([{now: 4, most: 8, isFewest: true}])
  })
})
