import {expect} from 'chai'
import {MIB} from '../../src/core/sizes.ts'
import {createSlots} from '../../src/core/slots.ts'
import {needSwift} from '../servers/swift.ts'
import {hashPath, openArena} from '../support/arena.ts'
import {makeCertificate} from '../support/certificate.ts'
import {PART, uploadByEngine} from '../support/engine.ts'
import {missingEtag, noChecksums, wrongEtag} from '../support/fault-answers.ts'
import {cut, reset, stall} from '../support/faults.ts'
import type {Fault} from '../support/faults.ts'
import {openSwiftWorld} from '../support/swift-world.ts'
import type {World} from '../support/world.ts'
import {createFaultBench, endOf, expectEnd, listRows} from './fault-bench.ts'
import type {Ran, Row} from './fault-bench.ts'
import {FAULTS} from './fault-table.ts'
import type {End, Verb} from './fault-table.ts'
import {SWIFT_FAULTS} from './swift-fault-table.ts'

/** Patience, the longest wait once more after it, and a slow machine. */
const LONGEST = 90_000
/** Faults wait more than they work. */
const AT_ONCE = 10

const WORLDS = [
  {name: 'the sandbox', rows: listRows(FAULTS), open: openArena, wish: {partSize: PART}},
  {
    name: 'OpenStack Swift',
    rows: listRows(SWIFT_FAULTS),
    open: openSwiftWorld,
    // A real store may be slow for a moment.
    wish: {partSize: MIB, waits: {connect: 2000, stall: 2000, answer: 5000, complete: 5000}},
    isReal: true,
  },
]

for (const {name, rows, open, wish, isReal = false} of WORLDS) {
  describe(`every fault at every verb of ${name}`, function () {
    this.timeout(180_000)
    let world: World
    let bench: Awaited<ReturnType<typeof createFaultBench>>
    const runs = new Map<Row, Promise<Ran>>()
    const slots = createSlots(AT_ONCE)

    async function runInTurn(row: Row): Promise<Ran> {
      await slots.take()
      return bench.run(row).finally(slots.give)
    }

    before(async function () {
      if (isReal) needSwift(this)
      world = await open()
      bench = await createFaultBench(world, wish)
      for (const row of rows) {
        const run = runInTurn(row)
        run.catch(() => {})
        runs.set(row, run)
      }
    })

    after(async () => {
      await Promise.allSettled(runs.values())
      await world?.close()
    })

    for (const row of rows.filter(({verb}) => verb !== 'abort')) {
      it(`${row.title}: ${row.wanted}`, async () => {
        const ran = (await runs.get(row))!
        expectEnd(ran, row.wanted)
        expect(ran.elapsed).to.be.below(LONGEST)
        // An answer to Create that was lost leaves an upload that nobody but the store can know.
        if (row.verb !== 'create') expect(ran.pending.length, ran.end.notes).to.equal(ran.journals.length)
      })
    }

    for (const row of rows.filter(({verb}) => verb === 'abort')) {
      it(`${row.title}: nothing left, or a journal and a word`, async () => {
        const {end, stored, elapsed, pending, journals} = (await runs.get(row))!
        expect(end.failure?.code).to.equal('interrupted')
        expect(stored).to.equal(undefined)
        expect(elapsed).to.be.below(LONGEST)
        if (pending.length === 0) return
        expect(journals).to.have.length(1)
        expect(end.notes).to.include('still at the store')
      })
    }

    describe('where nothing may be replaced', () => {
      for (const verb of ['put', 'complete'] as const) {
        it(`${verb}, stored and its answer lost: success, and the bytes are ours`, async () => {
          const fault = () => reset('stored')
          const ran = await bench.run({verb, fault, times: 1}, {more: {objectOptions: {noClobber: true}}})
          expectEnd(ran, 'stored')
          expect(ran.pending).to.deep.equal([])
        })
      }

      // An upload in parts is told so before its first part.
      it("put, its answer lost over somebody else's object: exists, and theirs stays", async () => {
        const theirs = await world.makeFile(1000)
        const key = 'theirs-put'
        await uploadByEngine({...bench.base(world.endpoint), key, file: theirs})
        const fault = () => reset('stored')
        const {end} = await bench.run({verb: 'put', fault, times: 1}, {more: {key, objectOptions: {noClobber: true}}})
        expect(endOf(end)).to.equal('exists')
        expect(await world.hashStored(key)).to.equal(await hashPath(theirs))
        expect((await world.listUploads()).filter(each => each === key)).to.deep.equal([])
      })
    })

    it('complete, lost before the store had it, over an object of the same bytes: completed all the same', async () => {
      const key = 'same-bytes'
      const base = {...bench.base(world.proxy.endpoint), key, file: bench.large}
      await uploadByEngine({...base, objectOptions: {contentType: 'text/old'}})
      world.proxy.inject({operation: 'complete', fault: reset('unstored')})
      expect(endOf(await uploadByEngine({...base, objectOptions: {contentType: 'text/new'}}))).to.equal('stored')
      expect((await world.listUploads()).filter(each => each === key)).to.deep.equal([])
      expect(world.proxy.count('complete')).to.equal(3)
    })

    it('leaves no part that nobody could ever find', async () => {
      await Promise.allSettled(runs.values())
      expect(await world.listLooseParts('ofNobody')).to.deep.equal([])
    })

    if (isReal) return

    describe('over TLS', () => {
      const certificate = makeCertificate()
      const broken: readonly (readonly [string, () => Fault, readonly Verb[]])[] = [
        ['the connection cut before the handshake', () => cut('headers'), ['connect']],
        ['a reset before the handshake', () => reset('headers'), ['connect']],
        ['silence instead of a handshake', () => stall(), ['connect']],
        ['the connection cut in the body', () => cut('body', 40), ['part', 'complete', 'put']],
        [
          'the connection cut before the answer',
          () => cut('stored'),
          ['create', 'part', 'listParts', 'complete', 'put'],
        ],
        ['the connection cut in the answer', () => cut('answer', 20), ['create', 'listParts', 'complete']],
        ['a stall in the body', () => stall(40), ['part', 'put']],
      ]
      for (const [title, fault, verbs] of broken) {
        for (const verb of verbs) {
          it(`${title}, once at ${verb}: stored`, async () => {
            const run = {more: {ca: certificate.cert}, tls: certificate}
            expectEnd(await bench.run({verb, fault, times: 1}, run), 'stored')
          })
        }
      }
    })

    describe('of a store that nobody knows', () => {
      const others: readonly (readonly [string, () => Fault, Verb, End])[] = [
        ['no checksum echoed', noChecksums, 'part', 'stored'],
        ['no checksum echoed', noChecksums, 'complete', 'stored'],
        ['no checksum echoed', noChecksums, 'put', 'stored'],
        ['a wrong ETag', wrongEtag, 'put', 'integrity'],
        ['a wrong ETag', wrongEtag, 'part', 'integrity'],
        ['no ETag', missingEtag, 'part', 'integrity'],
      ]
      for (const [title, fault, verb, wanted] of others) {
        it(`${title}, for ever at ${verb}: ${wanted}`, async () => {
          expectEnd(await bench.run({verb, fault, times: Infinity}, {remote: {isSandbox: false}}), wanted)
        })
      }
    })
  })
}
