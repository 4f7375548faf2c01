import {createHash, randomBytes} from 'node:crypto'
import {expect} from 'chai'
import * as fc from 'fast-check'
import {Failure} from '../../src/core/failure.ts'
import {KIB, MIB} from '../../src/core/sizes.ts'
import {withLimit} from '../../src/stores/layers/limit.ts'
import {withRetry} from '../../src/stores/layers/retry.ts'
import type {StoredObject} from '../../src/stores/store.ts'
import type {UploadEvent} from '../../src/upload/events.ts'
import {advance, emptyProgress} from '../../src/upload/progress.ts'
import {uploadStream} from '../../src/upload/stream-transfer.ts'
import type {StreamSettings} from '../../src/upload/stream-transfer.ts'
import {createMemoryStore, failNth} from '../support/memory-store.ts'
import type {MemoryStore, MemoryStoreOptions} from '../support/memory-store.ts'
import {SOON} from '../support/soon.ts'
import {makeTempFolder} from '../support/temp-folder.ts'

const target = {remote: 'mem', container: 'c', key: 'k'}
const CONCURRENCY = 3
/** Small enough that parts grow within a test: 64 KiB at first, 1 MiB soon. */
const GROWING: MemoryStoreOptions['limits'] = {
  object: 64 * MIB,
  part: {min: 1, max: 4 * MIB, count: 40, equal: false},
}

interface Outcome {
  readonly stored?: StoredObject
  readonly failure?: Failure
  readonly events: readonly UploadEvent[]
  readonly stops: number
}

/** Hands out bytes in pieces of odd sizes; then ends, or does what `end` does. */
async function* piecesOf(bytes: Buffer, most = 70_001, end?: () => Promise<void>): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += most) yield bytes.subarray(at, at + most)
  await end?.()
}

describe('uploadStream', () => {
  let folder: string
  before(async () => {
    folder = await makeTempFolder()
  })

  async function upload(
    chunks: AsyncIterable<Uint8Array>,
    store: MemoryStore,
    settings: Partial<StreamSettings> = {},
  ): Promise<Outcome> {
    const events: UploadEvent[] = []
    let progress = emptyProgress()
    let stops = 0
    const source = {name: '-', chunks, stop: () => Promise.resolve(void stops++)}
    const layered = withRetry(withLimit(store, CONCURRENCY), {retryFor: 5000, random: () => 0})
    const all: StreamSettings = {
      signal: new AbortController().signal,
      concurrency: CONCURRENCY,
      partSize: 64 * KIB,
      memory: 8 * MIB,
      folder,
      ...settings,
      onEvent(event) {
        events.push(event)
        progress = advance(progress, event)
        expect(progress.sent).to.be.at.most(progress.size)
        settings.onEvent?.(event)
      },
    }
    try {
      const stored = await uploadStream({source, target, options: {contentType: 'text/plain'}}, layered, all)
      expect(progress).to.include({done: 1, sent: stored.size, size: stored.size})
      return {stored, events, stops}
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      expect(progress).to.include({failed: 1, done: 0})
      return {failure: error, events, stops}
    }
  }

  const standing = (store: MemoryStore): Buffer | undefined => store.objects.get('c/k')?.bytes
  const verbsOf = (store: MemoryStore): string[] => store.calls.map(({verb}) => verb)

  /** Nothing stands, and nothing is left unfinished. */
  function expectNothing(store: MemoryStore): void {
    expect(standing(store)).to.equal(undefined)
    expect(store.uploads.size).to.equal(0)
  }

  it('sends what fits one part whole: no byte, one, all but one, all', async () => {
    for (const size of [0, 1, 64 * KIB - 1, 64 * KIB]) {
      const store = createMemoryStore()
      const bytes = randomBytes(size)
      const {stored, events} = await upload(piecesOf(bytes), store)
      expect(stored?.size).to.equal(size)
      expect(verbsOf(store)).to.deep.equal(['limits', 'putWhole'])
      expect(standing(store)?.equals(bytes)).to.equal(true)
      expect(stored?.notes ?? []).to.have.length(size === 0 ? 1 : 0)
      expect(events.map(({event}) => event).filter(event => event !== 'progress')).to.deep.equal([
        'start',
        'stored',
        'done',
      ])
      expect(events[0]).to.include({source: '-', size: -1, parts: -1, partSize: 64 * KIB})
    }
  })

  it('sends one byte more in two parts, with its options, and tells its size at the end', async () => {
    const store = createMemoryStore()
    const bytes = randomBytes(64 * KIB + 1)
    const {stored} = await upload(piecesOf(bytes), store)
    expect(stored).to.include({size: bytes.length})
    expect(standing(store)?.equals(bytes)).to.equal(true)
    expect(store.objects.get('c/k')).to.have.nested.property('options.contentType', 'text/plain')
    expect(verbsOf(store).filter(verb => verb === 'putPart')).to.have.length(2)
  })

  it('cuts any stream into parts that grow, on any piece size, in memory and on disk', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({min: 0, max: 6 * MIB}),
        fc.integer({min: 1000, max: 300_000}),
        fc.constantFrom(0, 2 * MIB, 64 * MIB),
        async (size, most, memory) => {
          const store = createMemoryStore({limits: GROWING})
          const bytes = randomBytes(size)
          const {stored, events} = await upload(piecesOf(bytes, most), store, {memory})
          expect(stored?.size).to.equal(size)
          expect(standing(store)?.equals(bytes)).to.equal(true)
          const parts = events.flatMap(event => (event.event === 'stored' ? [event.size] : []))
          expect(parts.reduce((sum, each) => sum + each, 0)).to.equal(size)
          if (size > 5 * MIB) expect(Math.max(...parts)).to.be.above(64 * KIB)
        },
      ),
      {numRuns: 25},
    )
  })

  it('sends every part again that was cut, from memory or from disk', async () => {
    for (const memory of [0, 64 * MIB]) {
      const store = createMemoryStore({before: failNth('putPart', 1, 3, 4, 7)})
      const bytes = randomBytes(2 * MIB)
      const {stored, events} = await upload(piecesOf(bytes), store, {memory})
      expect(stored?.size).to.equal(bytes.length)
      expect(standing(store)?.equals(bytes)).to.equal(true)
      expect(events.filter(({event}) => event === 'retry')).to.have.length(4)
    }
  })

  it('sends while the rest is still to come, and as many parts at once as it may', async () => {
    const waiting: (() => void)[] = []
    let sent = (): void => {}
    const isSent = new Promise<void>(resolve => (sent = resolve))
    const store = createMemoryStore({
      async before({verb, nth}) {
        if (verb !== 'putPart') return
        sent()
        // The first ones wait for each other: fewer at once would never end.
        const all = new Promise<void>(resolve => waiting.push(resolve))
        if (nth >= CONCURRENCY) for (const go of waiting.splice(0)) go()
        await all
      },
    })
    const bytes = randomBytes(MIB)
    async function* chunks(): AsyncGenerator<Buffer> {
      yield bytes.subarray(0, 100_000)
      await isSent
      yield bytes.subarray(100_000)
    }
    expect((await upload(chunks(), store)).stored?.size).to.equal(bytes.length)
    expect(standing(store)?.equals(bytes)).to.equal(true)
  })

  it('reads no further than it may hold while the store does not take anything', async () => {
    let open = (): void => {}
    const gate = new Promise<void>(resolve => (open = resolve))
    const store = createMemoryStore({before: ({verb}) => (verb === 'putPart' ? gate : undefined)})
    const bytes = randomBytes(2 * MIB)
    let read = 0
    async function* chunks(): AsyncGenerator<Buffer> {
      for (let at = 0; at < bytes.length; at += 10_000) {
        yield bytes.subarray(at, at + 10_000)
        read = at
      }
    }
    const uploading = upload(chunks(), store)
    for (let quiet = 0, last = -1; quiet < 50; quiet++) {
      if (read !== last) [last, quiet] = [read, 0]
      await new Promise(resolve => setImmediate(resolve))
    }
    expect(read).to.be.within(CONCURRENCY * 64 * KIB, (CONCURRENCY + 1) * 64 * KIB + 10_000)
    open()
    expect((await uploading).stored?.size).to.equal(bytes.length)
  })

  describe('leaves nothing at the store and stops the source', () => {
    it('when the source fails, before its first byte, within a part, and at the very end', async () => {
      for (const size of [0, 10, 300 * KIB, 1024 * KIB]) {
        const store = createMemoryStore()
        const why = new Failure('source-changed', '"pg_dump" ended with status 1.')
        const {failure, stops} = await upload(
          piecesOf(randomBytes(size), 70_001, () => Promise.reject(why)),
          store,
        )
        expect(failure).to.equal(why)
        expect(stops).to.be.at.least(1)
        expectNothing(store)
        expect(verbsOf(store)).not.to.include('complete')
        expect(verbsOf(store)).not.to.include('putWhole')
      }
    })

    it('when the store refuses a part for good', async () => {
      const store = createMemoryStore({
        before({verb, nth}) {
          if (verb === 'putPart' && nth === 3) throw new Failure('forbidden', 'No.')
        },
      })
      const never = new Promise<void>(() => {})
      const {failure, stops} = await upload(
        piecesOf(randomBytes(MIB), 70_001, () => never),
        store,
      )
      expect(failure?.code).to.equal('forbidden')
      expect(stops).to.be.at.least(1)
      expectNothing(store)
    })

    it('when the store forgets the upload', async () => {
      const store = createMemoryStore({
        before({verb, nth}) {
          if (verb === 'complete' && nth === 1) store.uploads.clear()
        },
      })
      expect((await upload(piecesOf(randomBytes(MIB)), store)).failure?.code).to.equal('not-found')
      expectNothing(store)
    })

    it('when it is interrupted, while it waits for a stream that keeps silent or while the store hangs', async () => {
      for (const [what, size, verb] of [
        ['before the first byte', 0, undefined],
        ['within the first part', 10, undefined],
        ['between parts', 300 * KIB, undefined],
        ['during a part', 300 * KIB, 'putPart'],
      ] as const) {
        const controller = new AbortController()
        const silent = (): Promise<void> => {
          setImmediate(() => controller.abort(new Failure('interrupted', 'Interrupted.')))
          return new Promise(() => {})
        }
        const store = createMemoryStore({before: call => (call.verb === verb ? silent() : undefined)})
        const started = performance.now()
        const {failure, stops} = await upload(piecesOf(randomBytes(size), 70_001, silent), store, {
          signal: controller.signal,
        })
        expect(failure?.code, what).to.equal('interrupted')
        expect(failure?.message, what).to.include('cannot be read again')
        expect(stops).to.be.at.least(1)
        expect(performance.now() - started, what).to.be.below(SOON)
        expectNothing(store)
      }
    })

    it('and says what is left where the store does not answer the abort either', async () => {
      const controller = new AbortController()
      const store = createMemoryStore({
        async before({verb, nth}) {
          if (verb === 'putPart' && nth === 2) controller.abort(new Failure('interrupted', 'Interrupted.'))
          if (verb === 'putPart' || verb === 'abort') await new Promise(() => {})
        },
      })
      const started = performance.now()
      const {failure, events} = await upload(piecesOf(randomBytes(MIB)), store, {signal: controller.signal})
      expect(failure?.code).to.equal('interrupted')
      expect(failure?.message).not.to.include('Nothing is left')
      expect(performance.now() - started).to.be.below(SOON)
      expect(events.some(event => event.event === 'note' && event.message.includes('still at the store'))).to.equal(
        true,
      )
    })
  })

  describe('with --expect-size', () => {
    const equal = createMemoryStore({limits: {...GROWING, part: {min: 1, max: 4 * MIB, count: 10, equal: true}}})

    it('sends equal parts to a store that wants them, and reaches where they would end otherwise', async () => {
      const bytes = randomBytes(3 * MIB)
      const {stored, events} = await upload(piecesOf(bytes), equal, {expectSize: bytes.length, partSize: 400_000})
      expect(stored?.size).to.equal(bytes.length)
      expect(standing(equal)?.equals(bytes)).to.equal(true)
      expect(events[0]).to.include({size: bytes.length, parts: 8, partSize: 400_000})
    })

    for (const [what, size, expected] of [
      ['one byte less', 300 * KIB - 1, 300 * KIB],
      ['one byte more', 300 * KIB + 1, 300 * KIB],
      ['one byte less of what goes whole', 9, 10],
      ['one byte more of what goes whole', 11, 10],
      ['a byte where none is expected', 1, 0],
      ['nothing where something is expected', 0, 1],
    ] as const) {
      it(`fails source-changed and stores nothing: ${what}`, async () => {
        const store = createMemoryStore()
        const {failure} = await upload(piecesOf(randomBytes(size)), store, {expectSize: expected})
        expect(failure?.code).to.equal('source-changed')
        expect(failure?.message).to.include('--expect-size')
        expectNothing(store)
        expect(verbsOf(store)).not.to.include('complete')
      })
    }

    it('takes exactly that', async () => {
      for (const size of [0, 10, 64 * KIB, 64 * KIB + 1, 300 * KIB]) {
        const store = createMemoryStore()
        const bytes = randomBytes(size)
        expect((await upload(piecesOf(bytes), store, {expectSize: size})).stored?.size).to.equal(size)
        expect(standing(store)?.equals(bytes)).to.equal(true)
      }
    })
  })

  it('tells the limit beforehand where parts cannot grow, and fails too-large when it is met', async () => {
    for (const options of [
      {limits: {...GROWING, part: {min: 1, max: 4 * MIB, count: 10, equal: true}}},
      {limits: {whole: 640 * KIB}, wholeOnly: true},
    ] satisfies MemoryStoreOptions[]) {
      const store = createMemoryStore(options)
      const fits = randomBytes(640 * KIB)
      const {stored, events} = await upload(piecesOf(fits), store)
      expect(stored?.size).to.equal(fits.length)
      const [start, note] = events
      expect(start?.event).to.equal('start')
      expect(note).to.include({event: 'note'})
      expect(note).to.have.property('message').that.includes('640 KiB at most')
      store.objects.clear()
      const {failure} = await upload(piecesOf(randomBytes(640 * KIB + 1)), store)
      expect(failure?.code).to.equal('too-large')
      expectNothing(store)
    }
  })

  it('hands the bandwidth limit to every body', async () => {
    const asked: number[] = []
    const bytes = randomBytes(300 * KIB)
    const pace = (count: number): Promise<void> => Promise.resolve(void asked.push(count))
    await upload(piecesOf(bytes), createMemoryStore(), {pace})
    expect(asked.reduce((sum, each) => sum + each, 0)).to.equal(bytes.length)
  })

  it('gives the object the checksum of what was read', async () => {
    const bytes = randomBytes(500 * KIB)
    const store = createMemoryStore()
    await upload(piecesOf(bytes, 3), store)
    const sum = (data: Buffer | undefined): string =>
      createHash('sha256')
        .update(data ?? '')
        .digest('hex')
    expect(sum(standing(store))).to.equal(sum(bytes))
  })
})
