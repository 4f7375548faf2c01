import {readdir, readFile} from 'node:fs/promises'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {expect} from 'chai'
import {Failure} from '../../src/core/failure.ts'
import type {UploadStore} from '../../src/stores/store.ts'
import {uploadAll} from '../../src/upload/transfer.ts'
import {createMemoryStore, failNth} from '../support/memory-store.ts'
import type {MemoryStore} from '../support/memory-store.ts'
import {makeRandomFile} from '../support/random-file.ts'
import {skipUnless} from '../support/skip.ts'
import {makeTempFolder} from '../support/temp-folder.ts'
import {codesOf, createBench, KIB, targetOf} from './transfer-bench.ts'

describe('uploadAll', () => {
  const bench = createBench()

  it('stores every file, whole or in parts, byte by byte', async () => {
    const store = createMemoryStore()
    const sizes = [0, 1, 64 * KIB, 64 * KIB + 1, 640 * KIB, 1000 * KIB + 7]
    const items = await bench.makeItems(sizes)
    const {summary} = await bench.upload(items, store)
    expect(summary).to.deep.include({done: sizes.length, failures: []})
    for (const {path, target} of items) await bench.expectStored(store, path, target.key)
    expect(store.calls.filter(({verb}) => verb === 'begin')).to.have.length(3)
    expect(store.uploads.size).to.equal(0)
  })

  it('takes its files from anything that can be iterated, and only as fast as it sends them', async () => {
    const items = await bench.makeItems(Array.from({length: 80}, () => 1))
    const store = createMemoryStore({
      before({verb}) {
        if (verb !== 'putWhole') return
        const sent = store.calls.filter(each => each.verb === 'putWhole').length
        // One group is near at a time.
        expect(taken - sent).to.be.at.most(16 + 2 * 4 + 1)
      },
    })
    let taken = 0
    async function* walk() {
      for (const item of items) {
        taken++
        yield item
      }
    }
    const {summary} = await bench.upload(walk(), store)
    expect(summary?.done).to.equal(80)
    expect(taken).to.equal(80)
  })

  it('fills the concurrency with parts of one file, and never sends more bodies at once', async () => {
    const gate = bench.makeGate(4)
    const store = createMemoryStore({before: ({verb}) => (verb === 'putPart' ? gate.pass() : undefined)})
    const {summary} = await bench.upload(await bench.makeItems([20 * 64 * KIB]), store)
    expect(summary?.done).to.equal(1)
    expect(gate.most).to.equal(4)
  })

  it('comes to send many small objects at once, and large ones no further ahead than without them', async () => {
    const most: number[] = []
    for (const [size, count] of [
      [1, 200],
      [1024 * KIB, 60],
    ] as const) {
      let now = 0
      let atOnce = 0
      const store = createMemoryStore({
        async before({verb}) {
          if (verb !== 'putWhole') return
          atOnce = Math.max(atOnce, ++now)
          await sleep(20)
          now--
        },
      })
      const items = await bench.makeItems(Array.from({length: count}, () => size))
      const {summary} = await bench.uploadThrough(items, store, {smallConcurrency: 32, partSize: 1024 * KIB})
      expect(summary?.done).to.equal(count)
      most.push(atOnce)
    }
    const [small = 0, large = 0] = most
    // As many as the thread has time for: on a busy machine fewer.
    expect(small).to.be.within(9, 32)
    expect(large).to.be.within(4, 8)
  })

  it('lets files that go whole and parts of others share the same workers', async () => {
    const gate = bench.makeGate(4)
    const store = createMemoryStore({
      before: ({verb}) => (verb === 'putPart' || verb === 'putWhole' ? gate.pass() : undefined),
    })
    const items = await bench.makeItems([10, 3 * 64 * KIB, 10, 10, 5 * 64 * KIB, 10, 10, 10])
    const {summary} = await bench.upload(items, store)
    expect(summary?.done).to.equal(8)
    expect(gate.most).to.equal(4)
  })

  it('holds few files open, however many there are, and none at the end', async function () {
    skipUnless(this, process.platform === 'linux', 'Open files are counted in /proc')
    const count = async () => (await readdir('/proc/self/fd')).length
    const items = await bench.makeItems(Array.from({length: 500}, (_, index) => (index % 50 === 0 ? 130 * KIB : 10)))
    const before = await count()
    let most = 0
    const store = createMemoryStore({
      async before({verb}) {
        if (verb === 'putWhole' || verb === 'putPart') most = Math.max(most, await count())
      },
    })
    expect((await bench.upload(items, store)).summary?.done).to.equal(500)
    expect(most - before).to.be.within(1, 4 * 4 + 16)
    expect(await count()).to.be.at.most(before)
  })

  it('goes on with the other files when one fails, and tells each failure', async () => {
    const store = createMemoryStore({
      before({verb, target}) {
        if (verb === 'putWhole' && target?.key === 'file-1') throw new Failure('forbidden', 'Not this one.')
        if (verb === 'begin' && target?.key === 'file-3') throw new Failure('not-found', 'There is no container.')
      },
    })
    const items = await bench.makeItems([10, 10, 10, 200 * KIB, 200 * KIB])
    const missing = {...targetOf('missing'), path: '/nonexistent/file'}
    const {summary, events} = await bench.upload([missing, ...items], store)
    expect(summary?.done).to.equal(3)
    expect(codesOf(summary?.failures)).to.have.members(['not-found', 'forbidden', 'not-found'])
    expect([...store.objects.keys()]).to.have.members(['c/file-0', 'c/file-2', 'c/file-4'])
    expect(events.filter(({event}) => event === 'failed')).to.have.length(3)
    expect(store.uploads.size).to.equal(0)
  })

  it('tries again what failed for a while, and tells it', async () => {
    const store = createMemoryStore({before: failNth('putPart', 1, 3, 4)})
    const items = await bench.makeItems([5 * 64 * KIB])
    const {summary, events} = await bench.upload(items, store)
    expect(summary).to.deep.include({done: 1, failures: []})
    expect(events.filter(({event}) => event === 'retry')).to.have.length(3)
    for (const {path, target} of items) await bench.expectStored(store, path, target.key)
  })

  it('sends a part again that the store has lost when it puts them together', async () => {
    const store: MemoryStore = createMemoryStore({
      after({verb, nth, uploadId, part}) {
        if (verb === 'putPart' && (nth === 2 || nth === 5)) store.uploads.get(uploadId ?? '')?.parts.delete(part ?? 0)
      },
    })
    const items = await bench.makeItems([5 * 64 * KIB])
    const {summary, events} = await bench.upload(items, store)
    expect(summary).to.deep.include({done: 1, failures: []})
    for (const {path, target} of items) await bench.expectStored(store, path, target.key)
    expect(store.calls.filter(({verb}) => verb === 'putPart')).to.have.length(7)
    expect(store.calls.filter(({verb}) => verb === 'complete')).to.have.length(2)
    bench.expectConsistent(events)
  })

  it('gives up on a store that loses every part, and leaves nothing there', async () => {
    const store: MemoryStore = createMemoryStore({
      after({verb, uploadId, part}) {
        if (verb === 'putPart' && part === 2) store.uploads.get(uploadId ?? '')?.parts.delete(2)
      },
    })
    const {summary} = await bench.upload(await bench.makeItems([3 * 64 * KIB]), store)
    expect(codesOf(summary?.failures)).to.deep.equal(['integrity'])
    expect(store.uploads.size).to.equal(0)
    expect(store.objects.size).to.equal(0)
  })

  it('ends the other parts when one fails for good, and aborts when the last of them has ended', async () => {
    const memory = createMemoryStore({
      async before({verb, part}) {
        if (verb !== 'putPart') return
        if (part === 3) throw new Failure('forbidden', 'Not this part.')
        await new Promise(() => {})
      },
    })
    const slow = endSlowly(memory)
    const {summary} = await bench.upload(await bench.makeItems([50 * 64 * KIB]), slow)
    expect(codesOf(summary?.failures)).to.deep.equal(['forbidden'])
    expect(slow.inFlightAtAbort).to.deep.equal([0])
    expect(memory.uploads.size).to.equal(0)
    expect(memory.objects.size).to.equal(0)
    expect(memory.calls.filter(({verb}) => verb === 'putPart').length).to.be.at.most(9)
  })

  it('tells when the unfinished upload could not be aborted, and keeps the reason for the failure', async () => {
    const store = createMemoryStore({
      before({verb, part}) {
        if (verb === 'putPart' && part === 2) throw new Failure('too-large', 'Too much.')
        if (verb === 'abort') throw new Failure('forbidden', 'Not to be aborted.')
      },
    })
    const {summary, events} = await bench.upload(await bench.makeItems([3 * 64 * KIB]), store)
    expect(codesOf(summary?.failures)).to.deep.equal(['too-large'])
    const notes = events.flatMap(event => (event.event === 'note' ? [event.message] : []))
    expect(notes.join('\n')).to.match(/unfinished upload upload-1 of mem:\/\/c\/file-0 is still at the store/u)
  })

  it('sends whole where the store has no parts', async () => {
    const store = createMemoryStore({wholeOnly: true, limits: {whole: 300 * KIB}})
    const items = await bench.makeItems([200 * KIB, 400 * KIB])
    const {summary} = await bench.upload(items, store)
    expect(summary?.done).to.equal(1)
    expect(codesOf(summary?.failures)).to.deep.equal(['too-large'])
    expect([...store.objects.keys()]).to.deep.equal(['c/file-0'])
  })

  it('does not touch what stands at the key when it may not be replaced', async () => {
    const store = createMemoryStore()
    const [item] = await bench.makeItems([200 * KIB])
    if (item === undefined) throw new Error('no item')
    await bench.upload([item], store)
    const old = await readFile(item.path)
    await makeRandomFile(item.path, 200 * KIB)
    const {summary} = await bench.upload([{...item, options: {noClobber: true}}], store)
    expect(codesOf(summary?.failures)).to.deep.equal(['exists'])
    expect(store.objects.get('c/file-0')?.bytes.equals(old)).to.equal(true)
    expect(store.uploads.size).to.equal(0)
  })

  it('runs against a store without our layers too', async () => {
    const store = createMemoryStore()
    const path = join(await makeTempFolder(), 'plain')
    await makeRandomFile(path, 200 * KIB)
    const summary = await uploadAll([{...targetOf('plain'), path}], store, {
      signal: new AbortController().signal,
      onEvent() {},
      concurrency: 2,
      partSize: 64 * KIB,
    })
    expect(summary).to.deep.include({done: 1, failures: []})
    await bench.expectStored(store, path, 'plain')
  })
})

/** Its parts need a while to end after they were told to, as sockets do. */
function endSlowly(store: MemoryStore): UploadStore & {readonly inFlightAtAbort: number[]} {
  let inFlight = 0
  const inFlightAtAbort: number[] = []
  return {
    ...store,
    inFlightAtAbort,
    async putPart(...args) {
      inFlight++
      try {
        return await store.putPart(...args)
      } finally {
        for (let turn = 0; turn < 20; turn++) await new Promise(resolve => setImmediate(resolve))
        inFlight--
      }
    },
    async abort(...args) {
      inFlightAtAbort.push(inFlight)
      await store.abort(...args)
    },
  }
}
