import {expect} from 'chai'
import {KIB} from '../../src/core/sizes.ts'
import {Failure} from '../../src/core/failure.ts'
import type {Remote} from '../../src/stores/remote.ts'
import {hashPath, listJournals} from '../support/arena.ts'
import type {Certificate} from '../support/certificate.ts'
import {uploadByEngine} from '../support/engine.ts'
import type {EngineEnd, EngineOptions} from '../support/engine.ts'
import {startFaultProxy} from '../support/fault-proxy.ts'
import type {Fault} from '../support/faults.ts'
import {makeTempFolder} from '../support/temp-folder.ts'
import type {World} from '../support/world.ts'
import type {End, FaultRow, Verb} from './fault-table.ts'

/** One fault in the way of one verb. */
export interface Row {
  readonly title: string
  readonly verb: Verb
  readonly times: number
  readonly fault: (elsewhere: string) => Fault
  readonly wanted: End
}

export interface Ran {
  readonly end: EngineEnd
  readonly elapsed: number
  /** SHA-256 of what the store has, and of what it was given. */
  readonly stored: string | undefined
  readonly sum: string | undefined
  readonly pending: readonly string[]
  readonly journals: readonly string[]
}

const INTERRUPTED = new Failure('interrupted', 'Interrupted.')
/** Patience where a fault comes once, and where it never ends. */
const RETRY_FOR = {once: 15_000, always: 1000}

export function listRows(faults: readonly FaultRow[]): readonly Row[] {
  return faults.flatMap(({name, fault, verbs, once = {}, always = {}}) => [
    ...verbs.map(verb => ({
      title: `${name}, once at ${verb}`,
      ...{verb, fault, times: 1, wanted: once[verb] ?? 'stored'},
    })),
    ...Object.entries({...always, ...(verbs.includes('abort') ? {abort: 'stored'} : {})}).map(([verb, wanted]) => ({
      title: `${name}, for ever at ${verb}`,
      ...{verb: verb as Verb, fault, times: Infinity, wanted: wanted as End},
    })),
  ])
}

export interface RunOptions {
  readonly more?: Partial<EngineOptions>
  readonly tls?: Certificate
  /** What else the remote is. */
  readonly remote?: Partial<Remote>
}

/** Two files, one that goes in three parts and one that goes whole, and a way to send them with a fault in between. */
export async function createFaultBench(world: World, wish: Pick<EngineOptions, 'waits'> & {readonly partSize: number}) {
  const large = await world.makeFile(2 * wish.partSize + wish.partSize / 5)
  const small = await world.makeFile(300 * KIB)
  const sums = new Map([
    [large, await hashPath(large)],
    [small, await hashPath(small)],
  ])
  let keys = 0

  return {
    large,
    base: (endpoint: string) => ({remote: world.remoteAt(endpoint), ...wish}),

    /** Runs the verb's own scenario with the fault in its way. */
    async run(row: Pick<Row, 'verb' | 'times' | 'fault'>, {more, tls, remote}: RunOptions = {}): Promise<Ran> {
      const {verb, times, fault} = row
      const proxy = await startFaultProxy({upstream: world.endpoint, ...(tls === undefined ? {} : {tls})})
      const key = `object-${++keys}`
      const stateFolder = await makeTempFolder()
      const file = verb === 'put' ? small : large
      const reached = {...world.remoteAt(proxy.endpoint), ...remote} as Remote
      const base: EngineOptions = {...wish, remote: reached, file, key, stateFolder, ...more}
      const controller = new AbortController()
      const untilPart: Partial<EngineOptions> = {
        signal: controller.signal,
        onEvent: event => event.event === 'stored' && controller.abort(INTERRUPTED),
      }
      try {
        if (verb === 'listParts') await uploadByEngine({...base, ...untilPart, concurrency: 1})
        const rule = proxy.inject({operation: verb, fault: fault(world.endpoint), times})
        const started = performance.now()
        const last = verb === 'abort' ? {...untilPart, keepParts: false} : {}
        const retryFor = times === 1 ? RETRY_FOR.once : RETRY_FOR.always
        const end = await uploadByEngine({...base, retryFor, ...last})
        const elapsed = performance.now() - started
        expect(rule.used, 'requests that met the fault').to.be.at.least(1)
        const pending = (await world.listUploads()).filter(each => each === key)
        const stored = await world.hashStored(key)
        return {end, elapsed, stored, sum: sums.get(file), pending, journals: await listJournals(stateFolder)}
      } finally {
        await proxy.close()
      }
    },
  }
}

export function expectEnd({end, stored, sum, journals}: Ran, wanted: End): void {
  expect(wanted.split(' or '), end.failure?.message).to.include(endOf(end))
  if (endOf(end) !== 'stored') return
  expect(stored).to.equal(sum)
  expect(journals).to.deep.equal([])
  expect(end.stored?.verified.by).to.be.oneOf(['md5', 'crc32'])
}

export function endOf({failure, stored}: EngineEnd): string {
  return failure?.code ?? (stored === undefined ? 'nothing' : 'stored')
}
