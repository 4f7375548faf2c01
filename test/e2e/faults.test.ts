import {expect} from 'chai'
import {Failure} from '../../src/core/failure.ts'
import {KIB, MIB} from '../../src/core/sizes.ts'
import type {Injection} from '../support/fault-proxy.ts'
import {reset} from '../support/faults.ts'
import {makeTempFolder} from '../support/temp-folder.ts'
import {hashPath, listJournals, openArena} from './arena.ts'
import type {Arena} from './arena.ts'
import {uploadByEngine} from './engine.ts'
import type {EngineEnd, EngineOptions} from './engine.ts'
import {FAULTS} from './fault-table.ts'
import type {Verb} from './fault-table.ts'

const INTERRUPTED = new Failure('interrupted', 'Interrupted.')
const RETRY_FOR = 1000
/** The longest wait, once more after the last patience, and a slow machine. */
const LONGEST = 9000

describe('every fault at every verb', function () {
  this.timeout(30_000)
  let arena: Arena
  let large: string
  let small: string
  let sums: Map<string, string>
  let keys = 0

  before(async () => {
    arena = await openArena()
    large = await arena.makeFile(11 * MIB)
    small = await arena.makeFile(300 * KIB)
    sums = new Map([
      [large, await hashPath(large)],
      [small, await hashPath(small)],
    ])
  })

  after(() => arena.close())
  afterEach(() => arena.proxy.clear())

  /** Runs the verb's own scenario with the fault in its way. */
  async function runWith(verb: Verb, injection: Omit<Injection, 'operation'>, more: Partial<EngineOptions> = {}) {
    const key = `object-${++keys}`
    const stateFolder = await makeTempFolder()
    const file = verb === 'put' ? small : large
    const base: EngineOptions = {keys: arena.keys, endpoint: arena.proxy.endpoint, file, key, stateFolder, ...more}
    const controller = new AbortController()
    const untilPart: Partial<EngineOptions> = {
      signal: controller.signal,
      onEvent: event => event.event === 'stored' && controller.abort(INTERRUPTED),
    }
    if (verb === 'listParts') await uploadByEngine({...base, ...untilPart, concurrency: 1})
    const rule = arena.proxy.inject({operation: verb, ...injection})
    const started = performance.now()
    const last = verb === 'abort' ? {...untilPart, keepParts: false} : {}
    const end = await uploadByEngine({...base, retryFor: RETRY_FOR, ...last})
    const elapsed = performance.now() - started
    expect(rule.used, 'requests that met the fault').to.be.at.least(1)
    arena.proxy.clear()
    const stored = await arena.hashStored(key)
    const pending = (await arena.listUploads()).filter(each => each === key)
    return {end, elapsed, stored, sum: sums.get(file), pending, journals: await listJournals(stateFolder)}
  }

  type Ran = Awaited<ReturnType<typeof runWith>>

  /** What the store keeps of an upload is shown by a journal, but where the answer to Create itself was lost. */
  function expectNothingOrphaned({end, pending, journals}: Ran, verb: Verb): void {
    if (verb === 'create') return
    expect(pending.length, end.notes).to.equal(journals.length)
  }

  function expectEnd(ran: Ran, wanted: string): void {
    const {end, stored, sum, journals} = ran
    expect(endOf(end), end.failure?.message).to.equal(wanted)
    if (wanted === 'stored') {
      expect(stored).to.equal(sum)
      expect(journals).to.deep.equal([])
      expect(end.stored?.verified.by).to.be.oneOf(['md5', 'crc32'])
    }
  }

  for (const {name, fault, verbs, once = {}, always = {}} of FAULTS) {
    for (const verb of verbs.filter(each => each !== 'abort')) {
      it(`${name}, once at ${verb}: ${once[verb] ?? 'stored'}`, async () => {
        const ran = await runWith(verb, {fault: fault(arena.endpoint)}, {retryFor: 5000})
        expectEnd(ran, once[verb] ?? 'stored')
        expectNothingOrphaned(ran, verb)
        expect(ran.elapsed).to.be.below(LONGEST)
      })
    }

    for (const [verb, wanted] of Object.entries(always) as [Verb, string][]) {
      it(`${name}, for ever at ${verb}: ${wanted}`, async () => {
        const ran = await runWith(verb, {fault: fault(arena.endpoint), times: Infinity})
        expectEnd(ran, wanted)
        expectNothingOrphaned(ran, verb)
        expect(ran.elapsed).to.be.below(LONGEST)
      })
    }

    if (!verbs.includes('abort')) continue
    for (const times of [1, Infinity]) {
      it(`${name}, ${times === 1 ? 'once' : 'for ever'} at abort: nothing left, or a journal and a word`, async () => {
        const ran = await runWith('abort', {fault: fault(arena.endpoint), times})
        expect(ran.end.failure?.code).to.equal('interrupted')
        expect(ran.stored).to.equal(undefined)
        expect(ran.elapsed).to.be.below(3000)
        if (ran.pending.length === 0) return
        expect(ran.journals).to.have.length(1)
        expect(ran.end.notes).to.include('still at the store')
      })
    }
  }

  describe('where nothing may be replaced', () => {
    for (const verb of ['put', 'complete'] as const) {
      it(`${verb}, stored and its answer lost: success, and the bytes are ours`, async () => {
        const ran = await runWith(verb, {fault: reset('stored')}, {objectOptions: {noClobber: true}})
        expectEnd(ran, 'stored')
        expect(ran.pending).to.deep.equal([])
      })

      it(`${verb}, its answer lost over somebody else's object: exists, and theirs stays`, async () => {
        const theirs = await arena.makeFile(1000)
        const key = `theirs-${verb}`
        const base = {keys: arena.keys, endpoint: arena.proxy.endpoint, key}
        await uploadByEngine({...base, file: theirs})
        arena.proxy.inject({operation: verb, fault: reset('stored')})
        const file = verb === 'put' ? small : large
        const end = await uploadByEngine({...base, file, objectOptions: {noClobber: true}})
        expect(endOf(end)).to.equal('exists')
        expect(await arena.hashStored(key)).to.equal(await hashPath(theirs))
        expect((await arena.listUploads()).filter(each => each === key)).to.deep.equal([])
      })
    }
  })

  it('complete, lost before the store had it, over an object of the same bytes: completed all the same', async () => {
    const base = {keys: arena.keys, endpoint: arena.proxy.endpoint, key: 'same-bytes', file: large}
    await uploadByEngine({...base, objectOptions: {contentType: 'text/old'}})
    arena.proxy.inject({operation: 'complete', fault: reset('unstored')})
    const end = await uploadByEngine({...base, objectOptions: {contentType: 'text/new'}})
    expect(endOf(end)).to.equal('stored')
    expect((await arena.listUploads()).filter(each => each === base.key)).to.deep.equal([])
  })
})

function endOf({failure, stored}: EngineEnd): string {
  return failure?.code ?? (stored === undefined ? 'nothing' : 'stored')
}
