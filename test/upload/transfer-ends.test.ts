import {readdir} from 'node:fs/promises'
import {expect} from 'chai'
import * as fc from 'fast-check'
import {Failure} from '../../src/core/failure.ts'
import {createMemoryStore} from '../support/memory-store.ts'
import type {MemoryHook, MemoryVerb} from '../support/memory-store.ts'
import {skipUnless} from '../support/skip.ts'
import {codesOf, createBench, expectConsistent, KIB} from './transfer-bench.ts'
import {SOON} from '../support/soon.ts'

const INTERRUPTED = new Failure('interrupted', 'Interrupted.')

describe('uploadAll, interrupted', () => {
  const bench = createBench()

  /** Interrupts at the n-th call of a verb, which then goes on as if nothing had happened. */
  function interruptAt(verb: MemoryVerb, nth: number) {
    const controller = new AbortController()
    const before: MemoryHook = call => {
      if (call.verb === verb && call.nth === nth) controller.abort(INTERRUPTED)
    }
    return {signal: controller.signal, before}
  }

  for (const verb of ['begin', 'putPart', 'putWhole', 'complete'] as const) {
    it(`during ${verb}: fails interrupted, tells the end of what had begun, and leaves nothing at the store`, async () => {
      const {signal, before} = interruptAt(verb, 2)
      const store = createMemoryStore({before})
      const items = await bench.makeItems([300 * KIB, 10, 10, 300 * KIB, 300 * KIB, 10])
      const {failure, events} = await bench.upload(items, store, {signal})
      expect(failure?.code).to.equal('interrupted')
      expect(store.uploads.size).to.equal(0)
      for (const {id} of events.filter(({event}) => event === 'start')) {
        const ends = events.filter(each => each.id === id && (each.event === 'done' || each.event === 'failed'))
        expect(ends, `object ${id}`).to.have.length(1)
      }
      const done = events.filter(({event}) => event === 'done')
      expect(store.objects.size).to.equal(done.length)
    })
  }

  it('answers within a second although nothing moves any more, and although the abort hangs too', async () => {
    const controller = new AbortController()
    const store = createMemoryStore({
      async before({verb, nth}) {
        if (verb === 'putPart' && nth === 2) controller.abort(INTERRUPTED)
        if (verb === 'putPart' || verb === 'abort') await new Promise(() => {})
      },
    })
    const items = await bench.makeItems([300 * KIB])
    const started = performance.now()
    const {failure, events} = await bench.upload(items, store, {signal: controller.signal})
    expect(failure?.code).to.equal('interrupted')
    expect(performance.now() - started).to.be.below(SOON)
    expect(events.some(event => event.event === 'note' && event.message.includes('still at the store'))).to.equal(true)
  })

  it('ends a sleeping retry at once', async () => {
    const controller = new AbortController()
    const store = createMemoryStore({
      before({verb}) {
        if (verb === 'putPart') throw new Failure('busy', 'Slow down.', {retryable: true, retryAfter: 60_000})
      },
    })
    const started = performance.now()
    const {failure} = await bench.upload(await bench.makeItems([300 * KIB]), store, {
      signal: controller.signal,
      onEvent: ({event}) => event === 'retry' && controller.abort(INTERRUPTED),
    })
    expect(failure?.code).to.equal('interrupted')
    expect(performance.now() - started).to.be.below(SOON)
    expect(store.uploads.size).to.equal(0)
  })

  it('begins nothing when it was interrupted before', async () => {
    const store = createMemoryStore()
    const {failure} = await bench.upload(await bench.makeItems([10, 300 * KIB]), store, {
      signal: AbortSignal.abort(INTERRUPTED),
    })
    expect(failure?.code).to.equal('interrupted')
    expect(store.calls.filter(({verb}) => verb !== 'limits')).to.deep.equal([])
  })

  it('closes the source of files, and takes no more of them', async () => {
    const {signal, before} = interruptAt('putWhole', 10)
    const [item] = await bench.makeItems([10])
    if (item === undefined) throw new Error('no item')
    let taken = 0
    let isClosed = false
    async function* endless() {
      try {
        for (;;) yield {...item!, target: {...item!.target, key: `endless-${++taken}`}}
      } finally {
        isClosed = true
      }
    }
    const {failure} = await bench.upload(endless(), createMemoryStore({before}), {signal})
    expect(failure?.code).to.equal('interrupted')
    expect(isClosed).to.equal(true)
    expect(taken).to.be.at.most(10 + 2 * 4 + 1)
  })

  it('closes every file', async function () {
    skipUnless(this, process.platform === 'linux', 'Open files are counted in /proc')
    const count = async () => (await readdir('/proc/self/fd')).length
    const items = await bench.makeItems([300 * KIB, 10, 300 * KIB, 10])
    const open = await count()
    const {signal, before} = interruptAt('putPart', 3)
    await bench.upload(items, createMemoryStore({before}), {signal})
    expect(await count()).to.be.at.most(open)
  })

  it('settles what has begun when the source of files itself breaks', async () => {
    const items = await bench.makeItems([300 * KIB, 10, 300 * KIB])
    async function* breaking() {
      yield* items
      throw new Failure('forbidden', 'The folder may not be read.')
    }
    const store = createMemoryStore()
    const {failure} = await bench.upload(breaking(), store)
    expect(failure?.code).to.equal('forbidden')
    expect(failure?.message).to.contain('The folder may not be read.')
    expect(store.uploads.size).to.equal(0)
  })
})

describe('uploadAll, whatever the store does', () => {
  const bench = createBench()

  it('tells events that add up, ends every file once, and stores the right bytes or none', async function () {
    this.timeout(60_000)
    const sizes = [10, 64 * KIB, 200 * KIB, 0, 330 * KIB]
    const items = await bench.makeItems(sizes)
    const kinds = fc.constantFrom(
      {code: 'network', retryable: true} as const,
      {code: 'integrity', retryable: true} as const,
      {code: 'forbidden', retryable: false} as const,
    )
    const fault = fc.record({
      verb: fc.constantFrom('putWhole' as const, 'begin' as const, 'putPart' as const, 'complete' as const),
      nth: fc.integer({min: 1, max: 9}),
      when: fc.constantFrom('before' as const, 'after' as const),
      kind: kinds,
    })
    await fc.assert(
      fc.asyncProperty(fc.array(fault, {maxLength: 6}), async faults => {
        const strike =
          (when: 'before' | 'after'): MemoryHook =>
          call => {
            const struck = faults.find(each => each.when === when && each.verb === call.verb && each.nth === call.nth)
            if (struck) throw new Failure(struck.kind.code, 'Struck.', {retryable: struck.kind.retryable})
          }
        const store = createMemoryStore({before: strike('before'), after: strike('after')})
        const {summary, events, progress} = await bench.upload(items, store)
        expectConsistent(events)
        expect((summary?.done ?? 0) + (summary?.failures.length ?? 0)).to.equal(sizes.length)
        expect(progress.active.size).to.equal(0)
        expect(progress.sent).to.equal(progress.size)
        // An answer to `begin` that was lost leaves an upload that nobody can know.
        const lost = faults.filter(each => each.verb === 'begin' && each.when === 'after').length
        expect(store.uploads.size).to.be.at.most(lost)
        for (const {path, target} of items) {
          if (store.objects.has(`c/${target.key}`)) await bench.expectStored(store, path, target.key)
        }
        if (faults.length === 0) expect(codesOf(summary?.failures)).to.deep.equal([])
      }),
      {numRuns: 60},
    )
  })
})
