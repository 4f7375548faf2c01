import {expect} from 'chai'
import * as fc from 'fast-check'
import {Failure} from '../../../src/core/failure.ts'
import type {FailureCode} from '../../../src/core/failure.ts'
import {networkFailure} from '../../../src/http/network-failure.ts'
import {withRetry} from '../../../src/stores/layers/retry.ts'
import type {Call, ObjectInfo, RetryNotice} from '../../../src/stores/store.ts'
import {tryPage} from '../../../src/stores/try-page.ts'
import {failureOf} from '../../http/support.ts'
import {body, infoOf, newCall, part, receipt, sessionOf, storeOf, stored, target} from './support.ts'
import {SOON} from '../../support/soon.ts'

const busy = (retryAfter?: number): Failure =>
  new Failure('busy', 'Busy.', {retryable: true, ...(retryAfter === undefined ? {} : {retryAfter})})
const unreached = (): Failure => networkFailure(Object.assign(new Error('refused'), {code: 'ECONNREFUSED'}), 'h:1')

/** Fails so often, then succeeds. */
function failing(
  times: number,
  failure: () => unknown = busy,
): {run: () => Promise<typeof receipt>; calls: () => number} {
  let calls = 0
  return {
    calls: () => calls,
    run: () => (++calls <= times ? Promise.reject(failure()) : Promise.resolve(receipt)),
  }
}

describe('withRetry', () => {
  it('goes on without a count until it succeeds, with full jitter that doubles up to 20 s', async () => {
    const notices: RetryNotice[] = []
    const draws: number[] = []
    const put = failing(12)
    const store = withRetry(storeOf({putPart: put.run}), {
      retryFor: 60_000,
      random() {
        draws.push(1 / 2 ** draws.length / 1000)
        return draws.at(-1) ?? 0
      },
    })
    const call = newCall({onRetry: notice => notices.push(notice)})
    expect(await store.putPart(sessionOf('u'), part, body, call)).to.equal(receipt)
    expect(put.calls()).to.equal(13)
    expect(notices.map(({attempt}) => attempt)).to.deep.equal([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
    const bounds = draws.map((_, index) => Math.min(20_000, 250 * 2 ** index))
    expect(notices.map(({wait}) => wait)).to.deep.equal(
      draws.map((draw, index) => Math.round(draw * (bounds[index] ?? 0))),
    )
    expect(notices.every(({failure}) => failure.message === 'Busy.')).to.equal(true)
  })

  it('never waits longer than the jitter allows, whatever is drawn', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({min: 0, max: 30}),
        fc.double({min: 0, max: 0.999_999, noNaN: true}),
        async (before, drawn) => {
          // Only the last wait is real: the others are cut to nothing by a draw of 0.
          let wait = -1
          const controller = new AbortController()
          let draws = 0
          const store = withRetry(storeOf({putPart: () => Promise.reject(busy())}), {
            retryFor: 60_000,
            random: () => (draws++ < before ? 0 : drawn),
          })
          const call = newCall({
            signal: controller.signal,
            onRetry(notice) {
              if (notice.attempt !== before + 1) return
              wait = notice.wait
              controller.abort(new Error('enough'))
            },
          })
          expect((await failureOf(store.putPart(sessionOf('u'), part, body, call))).message).to.equal('enough')
          expect(wait).to.be.within(0, Math.min(20_000, 250 * 2 ** before))
          expect(wait).to.equal(Math.round(drawn * Math.min(20_000, 250 * 2 ** before)))
        },
      ),
      {numRuns: 40},
    )
  })

  it('waits as long as the store asks, instead of drawing', async () => {
    const waits: number[] = []
    const put = failing(1, () => busy(120))
    const store = withRetry(storeOf({putPart: put.run}), {retryFor: 10_000, random: () => 0})
    const started = performance.now()
    await store.putPart(sessionOf('u'), part, body, newCall({onRetry: ({wait}) => waits.push(wait)}))
    expect(performance.now() - started).to.be.above(115)
    expect(waits).to.deep.equal([120])
  })

  it('waits at most as long as it would go on, when a store asks for days', async () => {
    const waits: number[] = []
    const store = withRetry(storeOf({putPart: () => Promise.reject(busy(99_999_999_999))}), {retryFor: 100})
    const call = newCall({onRetry: ({wait}) => waits.push(wait)})
    expect(await failureOf(store.putPart(sessionOf('u'), part, body, call))).to.have.property('code', 'busy')
    expect(waits).to.deep.equal([100])
  })

  it('waits no longer than a timer can, however long it would go on', async () => {
    const controller = new AbortController()
    const put = failing(1, () => busy(99_999_999_999))
    const store = withRetry(storeOf({putPart: put.run}), {retryFor: 40 * 86_400_000})
    const waits: number[] = []
    const call = newCall({
      signal: controller.signal,
      onRetry({wait}) {
        waits.push(wait)
        setTimeout(() => controller.abort(new Failure('interrupted', 'Stop.')), 20)
      },
    })
    expect(await failureOf(store.putPart(sessionOf('u'), part, body, call))).to.have.property('code', 'interrupted')
    expect(waits).to.deep.equal([2 ** 31 - 1])
  })

  it('gives up when nothing has succeeded for so long, with the last failure', async () => {
    let calls = 0
    const store = withRetry(
      storeOf({
        putPart: () => Promise.reject(new Failure('busy', `Busy ${++calls}.`, {retryable: true, retryAfter: 20})),
      }),
      {retryFor: 1500},
    )
    const started = performance.now()
    const failure = await failureOf(store.putPart(sessionOf('u'), part, body, newCall()))
    expect(performance.now() - started).to.be.within(1490, SOON)
    expect(calls).to.be.above(3)
    expect(failure.message).to.equal(`Busy ${calls}.`)
  })

  it('counts from the last success of any call, so one part may wait while others move', async () => {
    const store = withRetry(
      storeOf({
        putPart: (_, {number}) => (number === 1 ? Promise.reject(busy(20)) : Promise.resolve(receipt)),
      }),
      {retryFor: 600},
    )
    const stuckPart = {isOver: false}
    const started = performance.now()
    const stuck = failureOf(store.putPart(sessionOf('u'), part, body, newCall())).then(failure => {
      stuckPart.isOver = true
      return failure
    })
    let lastSuccess = 0
    // Where the machine stands still for so long, nothing has succeeded for so long, and it may be over before.
    while (!stuckPart.isOver && performance.now() - started < 1500) {
      await store.putPart(sessionOf('u'), {...part, number: 2}, body, newCall())
      lastSuccess = performance.now()
      await new Promise(resolve => setTimeout(resolve, 10))
    }
    expect(await stuck).to.have.property('code', 'busy')
    expect(performance.now() - lastSuccess).to.be.above(500)
  })

  it('does not try again what cannot be mended so', async () => {
    const codes: FailureCode[] = ['forbidden', 'not-found', 'exists', 'source-changed', 'usage', 'expired']
    for (const failure of [...codes.map(code => new Failure(code, 'No.')), new TypeError('a bug')]) {
      const put = failing(1, () => failure)
      const store = withRetry(storeOf({putPart: put.run}), {retryFor: 10_000, random: () => 0})
      expect(await failureOf(store.putPart(sessionOf('u'), part, body, newCall()))).to.equal(failure)
      expect(put.calls()).to.equal(1)
    }
  })

  it('gives damage three attempts in all', async () => {
    const damaged = (): Failure => new Failure('integrity', 'Damaged.', {retryable: true})
    const twice = failing(2, damaged)
    const policy = {retryFor: 10_000, random: () => 0}
    expect(
      await withRetry(storeOf({putPart: twice.run}), policy).putPart(sessionOf('u'), part, body, newCall()),
    ).to.equal(receipt)
    const always = failing(99, damaged)
    const failure = await failureOf(
      withRetry(storeOf({putPart: always.run}), policy).putPart(sessionOf('u'), part, body, newCall()),
    )
    expect(failure).to.have.property('code', 'integrity')
    expect(always.calls()).to.equal(3)
    const final = failing(99, () => new Failure('integrity', 'A part is missing.'))
    await failureOf(withRetry(storeOf({putPart: final.run}), policy).putPart(sessionOf('u'), part, body, newCall()))
    expect(final.calls()).to.equal(1)
  })

  it('has less patience before anybody has ever answered', async () => {
    const policy = {retryFor: 30_000, firstContact: 100, random: () => 0.02}
    const started = performance.now()
    const nobody = withRetry(storeOf({putPart: () => Promise.reject(unreached())}), policy)
    expect(await failureOf(nobody.putPart(sessionOf('u'), part, body, newCall()))).to.have.property('code', 'network')
    expect(performance.now() - started).to.be.within(90, SOON)

    for (const first of [
      () => Promise.resolve(receipt),
      () => Promise.reject(busy()),
      () => Promise.reject(new Failure('forbidden', 'No.')),
    ]) {
      let calls = 0
      const since = performance.now()
      const known = withRetry(
        storeOf({
          head: () => first().then(() => infoOf('k')),
          putPart() {
            calls++
            return calls < 3 || performance.now() - since < 250 ? Promise.reject(unreached()) : Promise.resolve(receipt)
          },
        }),
        policy,
      )
      const controller = new AbortController()
      await known
        .head(target, newCall({signal: controller.signal, onRetry: () => controller.abort(new Error('enough'))}))
        .catch(() => {})
      expect(await known.putPart(sessionOf('u'), part, body, newCall())).to.equal(receipt)
      expect(calls).to.be.above(2)
    }
  })

  it('ends a sleep at once when the signal is given, with its reason', async () => {
    const controller = new AbortController()
    const reason = new Error('stopped')
    const put = failing(99, () => busy(60_000))
    const store = withRetry(storeOf({putPart: put.run}), {retryFor: 300_000})
    let at = 0
    const call = newCall({
      signal: controller.signal,
      onRetry: () =>
        setTimeout(() => {
          at = performance.now()
          controller.abort(reason)
        }, 20),
    })
    expect(await failureOf(store.putPart(sessionOf('u'), part, body, call))).to.equal(reason)
    expect(performance.now() - at).to.be.below(SOON)
    expect(put.calls()).to.equal(1)
  })

  it('tells the reason of the signal, not what the store made of it', async () => {
    const controller = new AbortController()
    const reason = new Error('stopped')
    const store = withRetry(
      storeOf({
        putPart() {
          controller.abort(reason)
          return Promise.reject(busy())
        },
      }),
      {retryFor: 10_000},
    )
    expect(await failureOf(store.putPart(sessionOf('u'), part, body, newCall({signal: controller.signal})))).to.equal(
      reason,
    )
  })

  it('sets what was sent back to nothing before each new attempt', async () => {
    const sent: number[] = []
    let calls = 0
    const store = withRetry(
      storeOf({
        putWhole(_, __, ___, call) {
          call.onSent?.(5)
          return ++calls < 3 ? Promise.reject(busy()) : Promise.resolve(stored)
        },
      }),
      {retryFor: 10_000, random: () => 0},
    )
    await store.putWhole(target, body, {}, newCall({onSent: bytes => sent.push(bytes)}))
    expect(sent).to.deep.equal([5, 0, 5, 0, 5])
  })

  it('covers every verb', async () => {
    const session = sessionOf('u')
    const call = newCall()
    const broken = new Set<string>()
    const store = storeOf()
    for (const name of Object.keys(store) as (keyof typeof store)[]) {
      const verb = store[name] as (...args: unknown[]) => unknown
      if (name.startsWith('list') && name !== 'listParts') continue
      Object.assign(store, {
        [name]: (...args: unknown[]) => {
          if (broken.has(name)) return verb(...args)
          broken.add(name)
          return Promise.reject(busy())
        },
      })
    }
    const retrying = withRetry(store, {retryFor: 10_000, random: () => 0})
    await retrying.limits(call)
    await retrying.putWhole(target, body, {}, call)
    await retrying.begin(target, {}, {size: 1, partSize: 1, count: 1}, call)
    await retrying.putPart(session, part, body, call)
    await retrying.listParts(session, call)
    await retrying.complete(session, [receipt], call)
    await retrying.abort(session, call)
    await retrying.head(target, call)
    expect([...broken]).to.have.members([
      'limits',
      'putWhole',
      'begin',
      'putPart',
      'listParts',
      'complete',
      'abort',
      'head',
    ])
  })

  it('asks for the limits until they are known, each for itself, and then no more', async () => {
    const asked: Call[] = []
    const known = await storeOf().limits(newCall())
    const store = withRetry(
      storeOf({
        async limits(call) {
          asked.push(call)
          await new Promise(resolve => setTimeout(resolve, 5))
          call.signal.throwIfAborted()
          return known
        },
      }),
      {retryFor: 0},
    )
    const controller = new AbortController()
    const given = store.limits(newCall({signal: controller.signal})).catch(() => 'given up')
    const other = store.limits(newCall())
    controller.abort()
    expect(await Promise.all([given, other])).to.deep.equal(['given up', known])
    expect(await store.limits(newCall())).to.equal(known)
    expect(asked).to.have.length(2)
  })
})

describe('withRetry of a listing', () => {
  /** Lists a to e, two a page; asking for the page that begins with a key fails for each time it is named. */
  function listing(breaks: string[], failure: () => unknown = busy) {
    const asked: string[] = []
    const left = [...breaks]
    const askPage = (keys: string): Promise<string> => {
      const [first = ''] = keys
      asked.push(first)
      if (left.includes(`!${first}`)) return Promise.reject(failure())
      if (!left.includes(first)) return Promise.resolve(keys)
      left.splice(left.indexOf(first), 1)
      return Promise.reject(failure())
    }
    async function* pages(call: Call): AsyncGenerator<string> {
      for (const keys of ['ab', 'cd', 'e']) yield* await tryPage(call, () => askPage(keys))
    }
    const store = storeOf({
      async *list(_, call) {
        for await (const key of pages(call)) yield infoOf(key)
      },
      async *listUploads(_, call) {
        for await (const uploadId of pages(call)) yield {target, uploadId}
      },
      async *listContainers(call) {
        for await (const name of pages(call)) yield {name}
      },
    })
    return {store, asked}
  }
  async function join<T>(list: AsyncIterable<T>, read: (each: T) => string): Promise<string> {
    let keys = ''
    for await (const each of list) keys += read(each)
    return keys
  }
  const keysOf = (list: AsyncIterable<ObjectInfo>) => join(list, each => each.target.key)
  const policy = {retryFor: 10_000, random: () => 0}

  it('asks for a page that failed again, and for no other', async () => {
    const {store, asked} = listing(['a', 'c', 'c', 'e'])
    expect(await keysOf(withRetry(store, policy).list(target, newCall()))).to.equal('abcde')
    expect(asked.join('')).to.equal('aacccee')
  })

  it('does so for uploads and containers too', async () => {
    const uploads = listing(['c', 'e'])
    const retrying = withRetry(uploads.store, policy)
    expect(await join(retrying.listUploads(target, newCall()), each => each.uploadId)).to.equal('abcde')
    expect(uploads.asked.join('')).to.equal('accee')
    const containers = listing(['a'])
    expect(await join(withRetry(containers.store, policy).listContainers(newCall()), each => each.name)).to.equal(
      'abcde',
    )
    expect(containers.asked.join('')).to.equal('aace')
  })

  it('gives up as any call does, and its waits grow', async () => {
    const {store, asked} = listing(['!c'])
    const attempts: number[] = []
    const call = newCall({onRetry: ({attempt}) => attempts.push(attempt)})
    const list = withRetry(store, {retryFor: 100, random: () => 0.01}).list(target, call)
    expect(await failureOf(keysOf(list))).to.have.property('code', 'busy')
    expect(asked.length).to.be.above(2)
    expect(attempts).to.deep.equal(attempts.map((_, index) => index + 1))
  })

  it('passes on what cannot be mended', async () => {
    const {store, asked} = listing(['!c'], () => new Failure('forbidden', 'No.'))
    expect(await failureOf(keysOf(withRetry(store, policy).list(target, newCall())))).to.have.property(
      'code',
      'forbidden',
    )
    expect(asked.join('')).to.equal('ac')
  })
})
