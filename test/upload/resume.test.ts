import {open, readdir, readFile, stat, truncate, utimes, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {AbortMultipartUploadCommand, ListMultipartUploadsCommand, UploadPartCommand} from '@aws-sdk/client-s3'
import {expect} from 'chai'
import {Failure} from '../../src/core/failure.ts'
import {MIB} from '../../src/core/sizes.ts'
import {needSwift, startSwift} from '../servers/swift.ts'
import {BUCKET, createArena, hashPath, listJournals, openArena} from '../support/arena.ts'
import type {Arena} from '../support/arena.ts'
import {PART, uploadByEngine} from '../support/engine.ts'
import type {EngineEnd, EngineOptions} from '../support/engine.ts'
import {reset, silence, stall} from '../support/faults.ts'
import {startPolicyProxy} from '../support/policy-proxy.ts'
import {makeTempFolder} from '../support/temp-folder.ts'

const INTERRUPTED = new Failure('interrupted', 'Interrupted.')
/** Four parts, the last one short. */
const SIZE = 16 * MIB

for (const [name, openStore] of [
  ['the sandbox', () => openArena()],
  ["a real Swift's S3 API", openSwiftArena],
] as const) {
  describe(`an upload to ${name} that is run again`, function () {
    this.timeout(90_000)
    const isSandbox = name === 'the sandbox'
    let arena: Arena
    let file: string
    let stateFolder: string
    let key: string
    let keys = 0

    before(async function () {
      if (!isSandbox) needSwift(this)
      arena = await openStore()
    })
    after(async () => arena?.close())

    beforeEach(async () => {
      arena.proxy.clear()
      file = await arena.makeFile(SIZE)
      // A time that `utimes` can put back exactly.
      await utimes(file, new Date('2026-01-01'), new Date('2026-01-01'))
      stateFolder = await makeTempFolder()
      key = `object-${++keys}`
    })

    const base = (): EngineOptions => ({
      keys: arena.keys,
      endpoint: arena.proxy.endpoint,
      file,
      key,
      isSandbox,
      // A real store may be slow for a moment.
      waits: {stall: 5000, answer: 10_000, complete: 20_000},
    })
    const upload = (more: Partial<EngineOptions> = {}): Promise<EngineEnd> =>
      uploadByEngine({...base(), stateFolder, ...more})

    /** Stops after so many parts, one after the other, as an interrupt does. */
    async function uploadUntil(
      parts: number,
      more: Partial<EngineOptions> = {},
      proxy = arena.proxy,
    ): Promise<EngineEnd> {
      // The next one shall not slip through before the interrupt does.
      proxy.inject({operation: 'part', fault: stall(), skip: parts, times: Infinity})
      const controller = new AbortController()
      let stored = 0
      const end = await upload({
        concurrency: 1,
        signal: controller.signal,
        onEvent: ({event}) => event === 'stored' && ++stored === parts && controller.abort(INTERRUPTED),
        ...more,
      })
      expect(end.failure?.code).to.equal('interrupted')
      proxy.clear()
      return end
    }

    const sentParts = (): number[] =>
      arena.proxy.log
        .flatMap(({operation, partNumber}) => (operation === 'part' && partNumber !== undefined ? [partNumber] : []))
        .toSorted((a, b) => a - b)
    const pendingOf = async (): Promise<number> => (await arena.listUploads()).filter(each => each === key).length

    async function expectDone(end: EngineEnd): Promise<void> {
      expect(end.failure?.message).to.equal(undefined)
      expect(await arena.hashStored(key)).to.equal(await hashPath(file))
      expect(await listJournals(stateFolder)).to.deep.equal([])
      expect(await pendingOf()).to.equal(0)
    }

    async function journalPath(): Promise<string> {
      const [name = ''] = await listJournals(stateFolder)
      return join(stateFolder, 'uploads', name)
    }

    /** Writes another byte and puts the mtime back, as `cp --preserve` or a careless tool does. */
    async function changeByte(position: number): Promise<void> {
      const {atime, mtime} = await stat(file)
      const handle = await open(file, 'r+')
      const {buffer} = await handle.read(Buffer.alloc(1), 0, 1, position)
      await handle.write(Buffer.of((buffer[0] ?? 0) ^ 1), 0, 1, position)
      await handle.close()
      await utimes(file, atime, mtime)
    }

    it('sends only what was not sent, and tells how much is kept', async () => {
      const first = await uploadUntil(2)
      expect(first.failure?.message).to.include('2 parts are kept')
      expect(await pendingOf()).to.equal(1)
      const end = await upload()
      await expectDone(end)
      expect(end.kept).to.equal(2 * PART)
      expect(sentParts()).to.deep.equal([3, 4])
      expect(arena.proxy.count('create')).to.equal(0)
    })

    it('goes on again and again', async () => {
      for (const kept of [1, 2, 3]) {
        await uploadUntil(1)
        expect((await readFile(await journalPath(), 'utf8')).match(/"etag"/gu)).to.have.length(kept)
      }
      await expectDone(await upload())
      expect(sentParts()).to.deep.equal([4])
    })

    it('sends a kept part again whose bytes have changed behind size and mtime, and no other', async () => {
      await uploadUntil(3)
      await changeByte(PART + 100)
      await expectDone(await upload())
      expect(sentParts()).to.deep.equal([2, 4])
    })

    it('starts over when the file was written to, and drops the old upload', async () => {
      await uploadUntil(2)
      await utimes(file, new Date(), new Date(Date.now() + 5000))
      const end = await upload()
      await expectDone(end)
      expect(end.notes).to.equal('The file has changed since the last run. Starting over.')
      expect(sentParts()).to.deep.equal([1, 2, 3, 4])
      expect(arena.proxy.count('abort')).to.equal(1)
    })

    it('drops the old upload when the file has become so small that it goes whole', async () => {
      await uploadUntil(2)
      await truncate(file, 100)
      await expectDone(await upload())
      expect(sentParts()).to.deep.equal([])
    })

    it('starts over when options of the beginning have changed, and says so', async () => {
      await uploadUntil(2, {objectOptions: {contentType: 'text/plain', metadata: {a: '1', b: '2'}}})
      const end = await upload({objectOptions: {contentType: 'text/plain', metadata: {a: '1', b: '3'}}})
      await expectDone(end)
      expect(end.notes).to.equal('The options have changed since the last run. Starting over.')
      expect(sentParts()).to.deep.equal([1, 2, 3, 4])
    })

    it('goes on when options are the same in another order, and when only --no-clobber has changed', async () => {
      await uploadUntil(2, {objectOptions: {contentType: 'text/plain', metadata: {a: '1', b: '2'}}})
      const objectOptions = {noClobber: true, metadata: {b: '2', a: '1'}, contentType: 'text/plain'}
      const end = await upload({objectOptions})
      await expectDone(end)
      expect(end.notes).to.equal('')
      expect(sentParts()).to.deep.equal([3, 4])
    })

    it('starts over when the store has forgotten the upload, and says so', async () => {
      await uploadUntil(2)
      const {Uploads = []} = await arena.client.send(new ListMultipartUploadsCommand({Bucket: BUCKET}))
      const UploadId = Uploads.find(({Key}) => Key === key)?.UploadId
      await arena.client.send(new AbortMultipartUploadCommand({Bucket: BUCKET, Key: key, UploadId}))
      const end = await upload()
      await expectDone(end)
      expect(end.notes).to.equal('The store has forgotten the unfinished upload. Starting over.')
      expect(sentParts()).to.deep.equal([1, 2, 3, 4])
    })

    it('compares by MD5 what the journal has lost the receipts of', async () => {
      await uploadUntil(3)
      const [head = ''] = (await readFile(await journalPath(), 'utf8')).split('\n')
      await writeFile(await journalPath(), `${head}\n`)
      await changeByte(100)
      await expectDone(await upload())
      expect(sentParts()).to.deep.equal([1, 4])
    })

    it('sends a part again that somebody else has sent since', async () => {
      await uploadUntil(3)
      const {Uploads = []} = await arena.client.send(new ListMultipartUploadsCommand({Bucket: BUCKET}))
      const UploadId = Uploads.find(({Key}) => Key === key)?.UploadId
      const Body = Buffer.alloc(PART, 'theirs')
      await arena.client.send(new UploadPartCommand({Bucket: BUCKET, Key: key, UploadId, PartNumber: 2, Body}))
      await expectDone(await upload())
      expect(sentParts()).to.deep.equal([2, 4])
    })

    it('trusts its own receipts where the key may not list, and sends again what turns out to be missing', async () => {
      const proxy = await startPolicyProxy({upstream: arena.endpoint})
      try {
        await uploadUntil(2, {endpoint: proxy.endpoint})
        proxy.clear()
        await expectDone(await upload({endpoint: proxy.endpoint}))
        expect(proxy.count('part')).to.equal(2)
        expect(proxy.count('create')).to.equal(0)
      } finally {
        await proxy.close()
      }
    })

    it('keeps the part size of the journal, and says so', async () => {
      await uploadUntil(2)
      const end = await upload({partSize: 6 * MIB})
      await expectDone(end)
      expect(end.notes).to.equal('Going on with the part size of the unfinished upload.')
      expect(end.events.find(each => each.event === 'start')).to.include({partSize: PART, parts: 4})
      expect(sentParts()).to.deep.equal([3, 4])
    })

    it('settles by asking when Complete was not heard, and sends nothing', async () => {
      const controller = new AbortController()
      arena.proxy.inject({operation: 'complete', fault: silence('stored')})
      const heard = arena.proxy.until(() =>
        arena.proxy.log.some(each => each.operation === 'complete' && each.fault !== undefined),
      )
      const first = upload({signal: controller.signal})
      await heard
      controller.abort(INTERRUPTED)
      expect((await first).failure?.code).to.equal('interrupted')
      expect(await pendingOf()).to.equal(0)
      arena.proxy.clear()
      const end = await upload()
      await expectDone(end)
      expect(end.stored).to.include({size: SIZE})
      const asked = new Set(arena.proxy.log.map(({operation}) => operation))
      expect([...asked].filter(each => !['listParts', 'complete', 'head'].includes(each))).to.deep.equal([])
    })

    it('starts over when Complete was not heard and something else stands at the key by now', async () => {
      const controller = new AbortController()
      arena.proxy.inject({operation: 'complete', fault: silence('stored')})
      const heard = arena.proxy.until(() =>
        arena.proxy.log.some(each => each.operation === 'complete' && each.fault !== undefined),
      )
      const first = upload({signal: controller.signal})
      await heard
      controller.abort(INTERRUPTED)
      await first
      arena.proxy.clear()
      const theirs = await arena.makeFile(SIZE)
      await uploadByEngine({...base(), endpoint: arena.endpoint, file: theirs})
      const end = await upload()
      await expectDone(end)
      expect(end.notes).to.include('Starting over')
    })

    it('is aborted where the state folder will not survive: nothing is left', async () => {
      const end = await uploadUntil(2, {keepParts: false})
      expect(end.failure?.message).not.to.include('kept')
      expect(await pendingOf()).to.equal(0)
      expect(await readdir(join(stateFolder, 'uploads'))).to.deep.equal([])
      arena.proxy.inject({operation: 'part', fault: reset('headers'), skip: 2, times: Infinity})
      expect((await upload({keepParts: false, retryFor: 300})).failure?.code).to.equal('network')
      expect(await pendingOf()).to.equal(0)
    })

    it('keeps its parts when the network fails for good, and goes on when it is back', async () => {
      arena.proxy.inject({operation: 'part', fault: reset('headers'), skip: 2, times: Infinity})
      const end = await upload({concurrency: 1, retryFor: 300})
      expect(end.failure?.code).to.equal('network')
      expect(end.failure?.message).to.include('2 of 4 parts are kept')
      expect(end.failure?.suggestion).to.include('goes on from there')
      arena.proxy.clear()
      await expectDone(await upload())
      expect(sentParts()).to.deep.equal([3, 4])
    })

    it('without a journal begins anew, and leaves what it knows nothing of', async () => {
      await uploadUntil(2)
      const end = await uploadByEngine(base())
      expect(end.failure?.message).to.equal(undefined)
      expect(await arena.hashStored(key)).to.equal(await hashPath(file))
      expect(sentParts()).to.deep.equal([1, 2, 3, 4])
      expect(await pendingOf()).to.equal(1)
      expect(await listJournals(stateFolder)).to.have.length(1)
    })

    describe('from what the store has', () => {
      it('never by itself: another machine begins anew', async () => {
        await uploadUntil(2)
        const elsewhere = await makeTempFolder()
        expect((await upload({stateFolder: elsewhere})).failure).to.equal(undefined)
        expect(sentParts()).to.deep.equal([1, 2, 3, 4])
        expect(arena.proxy.count('listUploads')).to.equal(0)
        // The first machine's upload is still there, and its own.
        expect(await pendingOf()).to.equal(1)
        await expectDone(await upload())
      })

      it('when it is told to: compares every part, sends the rest, and says what it cannot know', async () => {
        await uploadUntil(3)
        await changeByte(2 * PART)
        stateFolder = await makeTempFolder()
        const end = await upload({resume: 'store'})
        await expectDone(end)
        expect(end.notes).to.include('content type and metadata are unknown')
        expect(sentParts()).to.deep.equal([3, 4])
      })

      it('fails not-found where there is nothing, and leaves no journal', async () => {
        const end = await upload({resume: 'store'})
        expect(end.failure?.code).to.equal('not-found')
        expect(await readdir(join(stateFolder, 'uploads'))).to.deep.equal([])
      })

      it('fails unsupported where the parts are not those of this file, and leaves them', async () => {
        await uploadUntil(2)
        const other = await arena.makeFile(7 * MIB)
        const folder = await makeTempFolder()
        const end = await upload({resume: 'store', file: other, stateFolder: folder})
        expect(end.failure?.code).to.equal('unsupported')
        expect(end.failure?.suggestion).to.include('skylift pending abort')
        expect(await pendingOf()).to.equal(1)
        await expectDone(await upload())
      })

      it('fails unsupported where only the last part is there, whose size tells nothing', async () => {
        arena.proxy.inject({
          operation: 'part',
          fault: reset('headers'),
          match: ({partNumber}) => partNumber !== 4,
          times: Infinity,
        })
        expect((await upload({retryFor: 500})).failure?.code).to.equal('network')
        arena.proxy.clear()
        const folder = await makeTempFolder()
        const end = await upload({resume: 'store', stateFolder: folder})
        expect(end.failure?.code).to.equal('unsupported')
        await expectDone(await upload())
        expect(sentParts()).to.deep.equal([1, 2, 3])
      })
    })

    describe('beside another', () => {
      it('of the same file to the same key fails busy and says who, while the first one goes on', async () => {
        arena.proxy.inject({operation: 'part', fault: silence('stored', 800), times: Infinity})
        const sending = arena.proxy.until(() => arena.proxy.count('part') > 0)
        const first = upload()
        await sending
        const second = await upload()
        expect(second.failure?.code).to.equal('busy')
        expect(second.failure?.message).to.include(`Process ${process.pid}`)
        expect((await first).failure?.message).to.equal(undefined)
        await expectDone(await first)
      })

      it('of another file to the same key: one whole object wins, never a mix', async () => {
        for (let round = 0; round < 5; round++) {
          const other = await arena.makeFile(SIZE)
          const elsewhere = await makeTempFolder()
          const [one, two] = await Promise.all([upload(), upload({file: other, stateFolder: elsewhere})])
          expect([one.failure, two.failure]).to.deep.equal([undefined, undefined])
          expect(await arena.hashStored(key)).to.be.oneOf([await hashPath(file), await hashPath(other)])
          expect(await pendingOf()).to.equal(0)
        }
      })

      it('of the same file from another machine: whole, and the parts of one that stops stay its own', async () => {
        await uploadUntil(2)
        const elsewhere = await makeTempFolder()
        const ends = await Promise.all([upload({stateFolder: elsewhere}), upload()])
        for (const end of ends) await expectDone(end)
      })

      it('of another file, where nothing may be replaced: one wins, the other fails exists and leaves nothing', async () => {
        const other = await arena.makeFile(SIZE)
        const elsewhere = await makeTempFolder()
        const objectOptions = {noClobber: true}
        const ends = await Promise.all([
          upload({objectOptions}),
          upload({objectOptions, file: other, stateFolder: elsewhere}),
        ])
        const codes = ends.map(({failure}) => failure?.code ?? 'stored')
        const stored = await arena.hashStored(key)
        if (!isSandbox && !codes.includes('exists')) {
          // Swift checks the condition of a PUT, not that of a Complete: both may win, and both have been told so.
          for (const end of ends) expect(end.stored?.notes?.join()).to.include('not known to check it while writing')
          expect(stored).to.be.oneOf([await hashPath(file), await hashPath(other)])
          return
        }
        expect(codes.toSorted()).to.deep.equal(['exists', 'stored'])
        expect(stored).to.equal(await hashPath(codes[0] === 'stored' ? file : other))
        expect(await pendingOf()).to.equal(0)
      })
    })
  })
}

async function openSwiftArena(): Promise<Arena> {
  const {s3} = await startSwift()
  const {endpoint, ...keys} = s3
  return createArena(keys, endpoint, async () => {})
}
