import {expect} from 'chai'
import pLimit from 'p-limit'
import {Failure} from '../../src/core/failure.ts'
import {KIB, MIB} from '../../src/core/sizes.ts'
import {makeCertificate} from '../support/certificate.ts'
import type {Certificate} from '../support/certificate.ts'
import {startFaultProxy} from '../support/fault-proxy.ts'
import {missingEtag, noChecksums, wrongEtag} from '../support/fault-answers.ts'
import {cut, reset, stall} from '../support/faults.ts'
import type {Fault} from '../support/faults.ts'
import {makeTempFolder} from '../support/temp-folder.ts'
import {hashPath, listJournals, openArena} from '../support/arena.ts'
import type {Arena} from '../support/arena.ts'
import {uploadByEngine} from '../support/engine.ts'
import type {EngineEnd, EngineOptions} from '../support/engine.ts'
import {FAULTS} from './fault-table.ts'
import type {End, Verb} from './fault-table.ts'

interface Row {
  readonly title: string
  readonly verb: Verb
  readonly times: number
  readonly fault: (elsewhere: string) => Fault
  readonly wanted: End
}

const INTERRUPTED = new Failure('interrupted', 'Interrupted.')
/** Patience where a fault comes once, and where it never ends. */
const RETRY_FOR = {once: 5000, always: 1000}
/** Patience, the longest wait once more after it, and a slow machine. */
const LONGEST = 12_000
/** Faults wait more than they work. */
const AT_ONCE = 6

const ROWS: readonly Row[] = FAULTS.flatMap(({name, fault, verbs, once = {}, always = {}}) => [
  ...verbs.map(verb => ({
    title: `${name}, once at ${verb}`,
    ...{verb, fault, times: 1, wanted: once[verb] ?? 'stored'},
  })),
  ...Object.entries({...always, ...(verbs.includes('abort') ? {abort: 'stored'} : {})}).map(([verb, wanted]) => ({
    title: `${name}, for ever at ${verb}`,
    ...{verb: verb as Verb, fault, times: Infinity, wanted: wanted as End},
  })),
])

describe('every fault at every verb', function () {
  this.timeout(180_000)
  let arena: Arena
  let large: string
  let small: string
  const sums = new Map<string, string>()
  const runs = new Map<Row, Promise<Ran>>()
  const limit = pLimit(AT_ONCE)
  let keys = 0

  before(async () => {
    arena = await openArena()
    large = await arena.makeFile(11 * MIB)
    small = await arena.makeFile(300 * KIB)
    for (const file of [large, small]) sums.set(file, await hashPath(file))
    for (const row of ROWS) {
      const run = limit(() => runRow(row))
      run.catch(() => {})
      runs.set(row, run)
    }
  })

  after(async () => {
    await Promise.allSettled(runs.values())
    await arena.close()
  })

  interface Ran {
    readonly end: EngineEnd
    readonly elapsed: number
    /** SHA-256 of what the store has, and of what it was given. */
    readonly stored: string | undefined
    readonly sum: string | undefined
    readonly pending: readonly string[]
    readonly journals: readonly string[]
  }

  /** Runs the verb's own scenario with the fault in its way. */
  async function runRow(
    row: Pick<Row, 'verb' | 'times' | 'fault'>,
    more: Partial<EngineOptions> = {},
    tls?: Certificate,
  ): Promise<Ran> {
    const {verb, times, fault} = row
    const proxy = await startFaultProxy({upstream: arena.endpoint, ...(tls === undefined ? {} : {tls})})
    const key = `object-${++keys}`
    const stateFolder = await makeTempFolder()
    const file = verb === 'put' ? small : large
    const base: EngineOptions = {keys: arena.keys, endpoint: proxy.endpoint, file, key, stateFolder, ...more}
    const controller = new AbortController()
    const untilPart: Partial<EngineOptions> = {
      signal: controller.signal,
      onEvent: event => event.event === 'stored' && controller.abort(INTERRUPTED),
    }
    try {
      if (verb === 'listParts') await uploadByEngine({...base, ...untilPart, concurrency: 1})
      const rule = proxy.inject({operation: verb, fault: fault(arena.endpoint), times})
      const started = performance.now()
      const last = verb === 'abort' ? {...untilPart, keepParts: false} : {}
      const retryFor = times === 1 ? RETRY_FOR.once : RETRY_FOR.always
      const end = await uploadByEngine({...base, retryFor, ...last})
      const elapsed = performance.now() - started
      expect(rule.used, 'requests that met the fault').to.be.at.least(1)
      const pending = (await arena.listUploads()).filter(each => each === key)
      const stored = await arena.hashStored(key)
      return {end, elapsed, stored, sum: sums.get(file), pending, journals: await listJournals(stateFolder)}
    } finally {
      await proxy.close()
    }
  }

  for (const row of ROWS.filter(({verb}) => verb !== 'abort')) {
    it(`${row.title}: ${row.wanted}`, async () => {
      const ran = (await runs.get(row))!
      expectEnd(ran, row.wanted)
      expect(ran.elapsed).to.be.below(LONGEST)
      // An answer to Create that was lost leaves an upload that nobody but the store can know.
      if (row.verb !== 'create') expect(ran.pending.length, ran.end.notes).to.equal(ran.journals.length)
    })
  }

  for (const row of ROWS.filter(({verb}) => verb === 'abort')) {
    it(`${row.title}: nothing left, or a journal and a word`, async () => {
      const {end, stored, elapsed, pending, journals} = (await runs.get(row))!
      expect(end.failure?.code).to.equal('interrupted')
      expect(stored).to.equal(undefined)
      expect(elapsed).to.be.below(4000)
      if (pending.length === 0) return
      expect(journals).to.have.length(1)
      expect(end.notes).to.include('still at the store')
    })
  }

  describe('over TLS', () => {
    const certificate = makeCertificate()
    const broken: readonly (readonly [string, () => Fault, readonly Verb[]])[] = [
      ['the connection cut before the handshake', () => cut('headers'), ['connect']],
      ['a reset before the handshake', () => reset('headers'), ['connect']],
      ['silence instead of a handshake', () => stall(), ['connect']],
      ['the connection cut in the body', () => cut('body', 40), ['part', 'complete', 'put']],
      ['the connection cut before the answer', () => cut('stored'), ['create', 'part', 'listParts', 'complete', 'put']],
      ['the connection cut in the answer', () => cut('answer', 20), ['create', 'listParts', 'complete']],
      ['a stall in the body', () => stall(40), ['part', 'put']],
    ]
    for (const [name, fault, verbs] of broken) {
      for (const verb of verbs) {
        it(`${name}, once at ${verb}: stored`, async () => {
          expectEnd(await runRow({verb, fault, times: 1}, {ca: certificate.cert}, certificate), 'stored')
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
    for (const [name, fault, verb, wanted] of others) {
      it(`${name}, for ever at ${verb}: ${wanted}`, async () => {
        expectEnd(await runRow({verb, fault, times: Infinity}, {isSandbox: false}), wanted)
      })
    }
  })

  describe('where nothing may be replaced', () => {
    for (const verb of ['put', 'complete'] as const) {
      it(`${verb}, stored and its answer lost: success, and the bytes are ours`, async () => {
        const fault = () => reset('stored')
        const ran = await runRow({verb, fault, times: 1}, {objectOptions: {noClobber: true}})
        expectEnd(ran, 'stored')
        expect(ran.pending).to.deep.equal([])
      })

      it(`${verb}, its answer lost over somebody else's object: exists, and theirs stays`, async () => {
        const theirs = await arena.makeFile(1000)
        const key = `theirs-${verb}`
        await uploadByEngine({keys: arena.keys, endpoint: arena.endpoint, key, file: theirs})
        const fault = () => reset('stored')
        const {end} = await runRow({verb, fault, times: 1}, {key, objectOptions: {noClobber: true}})
        expect(endOf(end)).to.equal('exists')
        expect(await arena.hashStored(key)).to.equal(await hashPath(theirs))
        expect((await arena.listUploads()).filter(each => each === key)).to.deep.equal([])
      })
    }
  })

  it('complete, lost before the store had it, over an object of the same bytes: completed all the same', async () => {
    const key = 'same-bytes'
    const base = {keys: arena.keys, endpoint: arena.proxy.endpoint, key, file: large}
    await uploadByEngine({...base, objectOptions: {contentType: 'text/old'}})
    arena.proxy.inject({operation: 'complete', fault: reset('unstored')})
    expect(endOf(await uploadByEngine({...base, objectOptions: {contentType: 'text/new'}}))).to.equal('stored')
    expect((await arena.listUploads()).filter(each => each === key)).to.deep.equal([])
    expect(arena.proxy.count('complete')).to.equal(3)
  })

  function expectEnd({end, stored, sum, journals}: Ran, wanted: End): void {
    expect(wanted.split(' or '), end.failure?.message).to.include(endOf(end))
    if (wanted !== 'stored') return
    expect(stored).to.equal(sum)
    expect(journals).to.deep.equal([])
    expect(end.stored?.verified.by).to.be.oneOf(['md5', 'crc32'])
  }
})

function endOf({failure, stored}: EngineEnd): string {
  return failure?.code ?? (stored === undefined ? 'nothing' : 'stored')
}
