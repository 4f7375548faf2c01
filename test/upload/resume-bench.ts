import {open, stat, utimes} from 'node:fs/promises'
import {join} from 'node:path'
import {expect} from 'chai'
import {Failure} from '../../src/core/failure.ts'
import {MIB} from '../../src/core/sizes.ts'
import {DEFAULT_WAITS} from '../../src/http/waits.ts'
import {needSwift, startSwift} from '../servers/swift.ts'
import {createArena, hashPath, listJournals, openArena} from '../support/arena.ts'
import type {Arena} from '../support/arena.ts'
import {openSwiftWorld} from '../support/swift-world.ts'
import type {World} from '../support/world.ts'
import {uploadByEngine} from '../support/engine.ts'
import type {EngineEnd, EngineOptions} from '../support/engine.ts'
import {stall} from '../support/faults.ts'
import {makeTempFolder} from '../support/temp-folder.ts'

const OPENERS = {
  'the sandbox': openArena,
  "a real Swift's S3 API": openSwiftArena,
  'a real Swift': openSwiftWorld,
} satisfies Record<string, () => Promise<World>>

type StoreName = keyof typeof OPENERS
export const STORES = Object.keys(OPENERS) as readonly StoreName[]

export const INTERRUPTED = new Failure('interrupted', 'Interrupted.')
/** Four parts, the last one short. */
export const SIZE = 16 * MIB

/** One file, one key and one state folder for each test, before the same store. */
export function createResumeBench(name: StoreName) {
  const isSandbox = name === 'the sandbox'
  const run = Math.random().toString(36).slice(2)
  let arena: World
  let keys = 0
  const bench = {
    isSandbox,
    isS3: name !== 'a real Swift',
    file: '',
    key: '',
    stateFolder: '',
    get arena() {
      return arena
    },

    base: (): EngineOptions => ({
      remote: arena.remoteAt(arena.proxy.endpoint),
      file: bench.file,
      key: bench.key,
      // No test here is about them, and a machine may be slow for a moment.
      waits: DEFAULT_WAITS,
    }),

    upload: (more: Partial<EngineOptions> = {}): Promise<EngineEnd> =>
      uploadByEngine({...bench.base(), stateFolder: bench.stateFolder, ...more}),

    /** Stops after so many parts, one after the other, as an interrupt does. */
    async uploadUntil(parts: number, more: Partial<EngineOptions> = {}, proxy = arena.proxy): Promise<EngineEnd> {
      // The next one shall not slip through before the interrupt does.
      proxy.inject({operation: 'part', fault: stall(), skip: parts, times: Infinity})
      const controller = new AbortController()
      let stored = 0
      const end = await bench.upload({
        concurrency: 1,
        signal: controller.signal,
        onEvent: ({event}) => event === 'stored' && ++stored === parts && controller.abort(INTERRUPTED),
        ...more,
      })
      expect(end.failure?.code).to.equal('interrupted')
      proxy.clear()
      return end
    },

    /** Numbers of the parts that were sent through the proxy. */
    sentParts: (): number[] =>
      arena.proxy.log
        .flatMap(({operation, partNumber}) => (operation === 'part' && partNumber !== undefined ? [partNumber] : []))
        .toSorted((a, b) => a - b),

    countPending: async (): Promise<number> => (await arena.listUploads()).filter(each => each === bench.key).length,

    async expectDone(end: EngineEnd): Promise<void> {
      expect(end.failure?.message).to.equal(undefined)
      expect(await arena.hashStored(bench.key)).to.equal(await hashPath(bench.file))
      expect(await listJournals(bench.stateFolder)).to.deep.equal([])
      expect(await bench.countPending()).to.equal(0)
    },

    async journalPath(): Promise<string> {
      const [journal = ''] = await listJournals(bench.stateFolder)
      return join(bench.stateFolder, 'uploads', journal)
    },

    /** Writes another byte and puts the mtime back, as a careless tool does. */
    async changeByte(position: number): Promise<void> {
      const {atime, mtime} = await stat(bench.file)
      const handle = await open(bench.file, 'r+')
      const {buffer} = await handle.read(Buffer.alloc(1), 0, 1, position)
      await handle.write(Buffer.of((buffer[0] ?? 0) ^ 1), 0, 1, position)
      await handle.close()
      await utimes(bench.file, atime, mtime)
    },
  }

  before(async function () {
    if (!isSandbox) needSwift(this)
    arena = await OPENERS[name]()
  })
  after(async () => (arena as World | undefined)?.close())

  beforeEach(async () => {
    arena.proxy.clear()
    bench.file = await arena.makeFile(SIZE)
    // A time that `utimes` can put back exactly.
    await utimes(bench.file, new Date('2026-01-01'), new Date('2026-01-01'))
    bench.stateFolder = await makeTempFolder()
    bench.key = `${run}-${++keys}`
  })

  return bench
}

async function openSwiftArena(): Promise<Arena> {
  const {endpoint, ...keys} = (await startSwift()).s3
  return createArena(keys, endpoint, async () => {})
}
