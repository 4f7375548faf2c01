import {readdir} from 'node:fs/promises'
import {join} from 'node:path'
import {expect} from 'chai'
import {MIB} from '../../src/core/sizes.ts'
import {hashPath} from '../support/arena.ts'
import {PART} from '../support/engine.ts'
import {reset} from '../support/faults.ts'
import {makeTempFolder} from '../support/temp-folder.ts'
import {createResumeBench, STORES} from './resume-bench.ts'

for (const name of STORES) {
  describe(`an upload to ${name} that goes on from what the store has`, function () {
    this.timeout(90_000)
    const bench = createResumeBench(name)

    it('never by itself: another machine begins anew', async () => {
      await bench.uploadUntil(2)
      const elsewhere = await makeTempFolder()
      expect((await bench.upload({stateFolder: elsewhere})).failure).to.equal(undefined)
      expect(bench.sentParts()).to.deep.equal([1, 2, 3, 4])
      expect(bench.arena.proxy.count('listUploads')).to.equal(0)
      // The first machine's upload is still there, and its own.
      expect(await bench.countPending()).to.equal(1)
      await bench.expectDone(await bench.upload())
    })

    it('when it is told to: compares every part, sends the rest, and says what it cannot know', async () => {
      await bench.uploadUntil(3)
      await bench.changeByte(2 * PART)
      bench.stateFolder = await makeTempFolder()
      const end = await bench.upload({resume: 'store'})
      await bench.expectDone(end)
      expect(end.notes).to.include('content type and metadata are unknown')
      expect(bench.sentParts()).to.deep.equal([3, 4])
    })

    it('fails not-found where there is nothing, and leaves no journal', async () => {
      const end = await bench.upload({resume: 'store'})
      expect(end.failure?.code).to.equal('not-found')
      expect(await readdir(join(bench.stateFolder, 'uploads'))).to.deep.equal([])
    })

    it('fails unsupported where the parts are not those of this file, and leaves them', async () => {
      await bench.uploadUntil(2)
      const other = await bench.arena.makeFile(7 * MIB)
      const folder = await makeTempFolder()
      const end = await bench.upload({resume: 'store', file: other, stateFolder: folder})
      expect(end.failure?.code).to.equal('unsupported')
      expect(end.failure?.suggestion).to.include('skylift pending abort')
      expect(await bench.countPending()).to.equal(1)
      await bench.expectDone(await bench.upload())
    })

    it('takes the last part for what it is where it is the only one there, whose size tells nothing', async () => {
      bench.arena.proxy.inject({
        operation: 'part',
        fault: reset('headers'),
        match: ({partNumber}) => partNumber !== 4,
        times: Infinity,
      })
      expect((await bench.upload({retryFor: 3000})).failure?.code).to.equal('network')
      bench.arena.proxy.clear()
      const folder = await makeTempFolder()
      const end = await bench.upload({resume: 'store', stateFolder: folder})
      if (bench.isS3) {
        expect(end.failure?.code).to.equal('unsupported')
        await bench.expectDone(await bench.upload())
        expect(bench.sentParts()).to.deep.equal([1, 2, 3])
        return
      }
      // Parts of Swift may be as small as that: it is compared, found to be another one, and sent again.
      expect(end.failure?.message).to.equal(undefined)
      expect(end.events.find(each => each.event === 'start')).to.include({partSize: MIB, parts: 16})
      expect(await bench.arena.hashStored(bench.key)).to.equal(await hashPath(bench.file))
      bench.arena.proxy.clear()
      // The first machine finds its upload over, and writes into none of the object's segments.
      await bench.expectDone(await bench.upload())
      expect(bench.sentParts()).to.deep.equal([1, 2, 3, 4])
      const loose = await bench.arena.listLooseParts()
      expect(loose.filter(each => each.startsWith(`${bench.key}/`))).to.deep.equal([])
    })
  })
}
