import {readdir, readFile, truncate, utimes, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {expect} from 'chai'
import {MIB} from '../../src/core/sizes.ts'
import {hashPath, listJournals} from '../support/arena.ts'
import {PART, uploadByEngine} from '../support/engine.ts'
import {accessDenied} from '../support/fault-answers.ts'
import {reset, silence} from '../support/faults.ts'
import {reads, startPolicyProxy} from '../support/policy-proxy.ts'
import {createResumeBench, INTERRUPTED, SIZE, STORES} from './resume-bench.ts'

for (const name of STORES) {
  describe(`an upload to ${name} that is run again`, function () {
    this.timeout(90_000)
    const bench = createResumeBench(name)

    it('sends only what was not sent, and tells how much is kept', async () => {
      const first = await bench.uploadUntil(2)
      expect(first.failure?.message).to.include('2 parts are kept')
      expect(await bench.countPending()).to.equal(1)
      const end = await bench.upload()
      await bench.expectDone(end)
      expect(end.kept).to.equal(2 * PART)
      expect(bench.sentParts()).to.deep.equal([3, 4])
      expect(bench.arena.proxy.count('create')).to.equal(0)
    })

    it('goes on again and again', async () => {
      for (const kept of [1, 2, 3]) {
        await bench.uploadUntil(1)
        expect((await readFile(await bench.journalPath(), 'utf8')).match(/"etag"/gu)).to.have.length(kept)
      }
      await bench.expectDone(await bench.upload())
      expect(bench.sentParts()).to.deep.equal([4])
    })

    it('sends a kept part again whose bytes have changed behind size and mtime, and no other', async () => {
      await bench.uploadUntil(3)
      await bench.changeByte(PART + 100)
      await bench.expectDone(await bench.upload())
      expect(bench.sentParts()).to.deep.equal([2, 4])
    })

    it('starts over when the file was written to, and drops the old upload', async () => {
      await bench.uploadUntil(2)
      await utimes(bench.file, new Date(), new Date(Date.now() + 5000))
      const end = await bench.upload()
      await bench.expectDone(end)
      expect(end.notes).to.equal('The file has changed since the last run. Starting over.')
      expect(bench.sentParts()).to.deep.equal([1, 2, 3, 4])
      expect(bench.arena.proxy.count('abort')).to.be.above(0)
    })

    it('drops the old upload when the file has become so small that it goes whole', async () => {
      await bench.uploadUntil(2)
      await truncate(bench.file, 100)
      await bench.expectDone(await bench.upload())
      expect(bench.sentParts()).to.deep.equal([])
    })

    it('starts over when options of the beginning have changed, and says so', async () => {
      await bench.uploadUntil(2, {objectOptions: {contentType: 'text/plain', metadata: {a: '1', b: '2'}}})
      const end = await bench.upload({objectOptions: {contentType: 'text/plain', metadata: {a: '1', b: '3'}}})
      await bench.expectDone(end)
      expect(end.notes).to.equal('The options have changed since the last run. Starting over.')
      expect(bench.sentParts()).to.deep.equal([1, 2, 3, 4])
    })

    it('goes on when options are the same in another order, and when only --no-clobber has changed', async () => {
      await bench.uploadUntil(2, {objectOptions: {contentType: 'text/plain', metadata: {a: '1', b: '2'}}})
      const objectOptions = {noClobber: true, metadata: {b: '2', a: '1'}, contentType: 'text/plain'}
      const end = await bench.upload({objectOptions})
      await bench.expectDone(end)
      expect(end.notes).to.equal('')
      expect(bench.sentParts()).to.deep.equal([3, 4])
    })

    it('starts over when the store has forgotten the upload, and says so', async () => {
      await bench.uploadUntil(2)
      await bench.arena.dropUpload(bench.key)
      const end = await bench.upload()
      await bench.expectDone(end)
      expect(end.notes).to.equal('The store has forgotten the unfinished upload. Starting over.')
      expect(bench.sentParts()).to.deep.equal([1, 2, 3, 4])
    })

    it('compares by MD5 what the journal has lost the receipts of', async () => {
      await bench.uploadUntil(3)
      const [head = ''] = (await readFile(await bench.journalPath(), 'utf8')).split('\n')
      await writeFile(await bench.journalPath(), `${head}\n`)
      await bench.changeByte(100)
      await bench.expectDone(await bench.upload())
      expect(bench.sentParts()).to.deep.equal([1, 4])
    })

    it('sends a part again that somebody else has sent since', async () => {
      await bench.uploadUntil(3)
      await bench.arena.putPart(bench.key, 2, Buffer.alloc(PART, 'theirs'))
      await bench.expectDone(await bench.upload())
      expect(bench.sentParts()).to.deep.equal([2, 4])
    })

    it('trusts its own receipts where the key may not list, and sends again what turns out to be missing', async () => {
      // Swift joins only segments that may be read.
      const deny = reads.filter(each => bench.isS3 || each !== 'get')
      const proxy = await startPolicyProxy({upstream: bench.arena.endpoint, deny})
      try {
        const remote = bench.arena.remoteAt(proxy.endpoint)
        await bench.uploadUntil(2, {remote})
        proxy.clear()
        await bench.expectDone(await bench.upload({remote}))
        expect(proxy.count('part')).to.equal(2)
        expect(proxy.count('create')).to.equal(0)
      } finally {
        await proxy.close()
      }
    })

    it('keeps the part size of the journal, and says so', async () => {
      await bench.uploadUntil(2)
      const end = await bench.upload({partSize: 6 * MIB})
      await bench.expectDone(end)
      expect(end.notes).to.equal('Going on with the part size of the unfinished upload.')
      expect(end.events.find(each => each.event === 'start')).to.include({partSize: PART, parts: 4})
      expect(bench.sentParts()).to.deep.equal([3, 4])
    })

    it('settles by asking when Complete was not heard, and sends nothing', async () => {
      const controller = new AbortController()
      bench.arena.proxy.inject({operation: 'complete', fault: silence('stored')})
      const heard = bench.arena.proxy.until(() =>
        bench.arena.proxy.log.some(each => each.operation === 'complete' && each.fault !== undefined),
      )
      const first = bench.upload({signal: controller.signal})
      await heard
      controller.abort(INTERRUPTED)
      expect((await first).failure?.code).to.equal('interrupted')
      expect(await bench.countPending()).to.equal(0)
      bench.arena.proxy.clear()
      const end = await bench.upload()
      await bench.expectDone(end)
      expect(end.stored).to.include({size: SIZE})
      const asked = new Set(bench.arena.proxy.log.map(({operation}) => operation))
      const allowed = [
        'listParts',
        'complete',
        'head',
        ...(bench.isS3 ? [] : ['auth', 'info', 'get', 'abort', 'bucket']),
      ]
      expect([...asked].filter(each => !allowed.includes(each))).to.deep.equal([])
    })

    it('starts over when Complete was not heard and something else stands at the key by now', async () => {
      const controller = new AbortController()
      bench.arena.proxy.inject({operation: 'complete', fault: silence('stored')})
      const heard = bench.arena.proxy.until(() =>
        bench.arena.proxy.log.some(each => each.operation === 'complete' && each.fault !== undefined),
      )
      const first = bench.upload({signal: controller.signal})
      await heard
      controller.abort(INTERRUPTED)
      await first
      bench.arena.proxy.clear()
      const theirs = await bench.arena.makeFile(SIZE)
      await uploadByEngine({...bench.base(), remote: bench.arena.remoteAt(bench.arena.endpoint), file: theirs})
      const end = await bench.upload()
      await bench.expectDone(end)
      expect(bench.sentParts()).to.deep.equal([1, 2, 3, 4])
      // Whoever replaced the object has deleted its segments: there is no upload to be forgotten.
      if (bench.isS3) expect(end.notes).to.include('Starting over')
    })

    it('is aborted where the state folder will not survive: nothing is left', async () => {
      const end = await bench.uploadUntil(2, {keepParts: false})
      expect(end.failure?.message).not.to.include('kept')
      expect(await bench.countPending()).to.equal(0)
      expect(await readdir(join(bench.stateFolder, 'uploads'))).to.deep.equal([])
      bench.arena.proxy.inject({operation: 'part', fault: reset('headers'), skip: 2, times: Infinity})
      expect((await bench.upload({keepParts: false, retryFor: 300})).failure?.code).to.equal('network')
      expect(await bench.countPending()).to.equal(0)
    })

    it('keeps its parts when the network fails for good, and goes on when it is back', async () => {
      bench.arena.proxy.inject({operation: 'part', fault: reset('headers'), skip: 2, times: Infinity})
      const end = await bench.upload({concurrency: 1, retryFor: 300})
      expect(end.failure?.code).to.equal('network')
      expect(end.failure?.message).to.include('2 of 4 parts are kept')
      expect(end.failure?.suggestion).to.include('goes on from there')
      bench.arena.proxy.clear()
      await bench.expectDone(await bench.upload())
      expect(bench.sentParts()).to.deep.equal([3, 4])
    })

    if (name === 'the sandbox') {
      it('keeps its parts when it may not finish, and says that a permission is missing before it goes on', async () => {
        bench.arena.proxy.inject({operation: 'complete', fault: accessDenied(), times: Infinity})
        const end = await bench.upload()
        expect(end.failure).to.include({
          code: 'forbidden',
          suggestion:
            'Once the permission that is missing is given, run the same command again: it goes on from there.',
        })
        expect(end.failure?.message).to.include('4 of 4 parts are kept')
        bench.arena.proxy.clear()
        await bench.expectDone(await bench.upload())
        expect(bench.sentParts()).to.deep.equal([])
      })
    }

    it('without a journal begins anew, and leaves what it knows nothing of', async () => {
      await bench.uploadUntil(2)
      const end = await uploadByEngine(bench.base())
      expect(end.failure?.message).to.equal(undefined)
      expect(await bench.arena.hashStored(bench.key)).to.equal(await hashPath(bench.file))
      expect(bench.sentParts()).to.deep.equal([1, 2, 3, 4])
      expect(await bench.countPending()).to.equal(1)
      expect(await listJournals(bench.stateFolder)).to.have.length(1)
    })
  })
}
