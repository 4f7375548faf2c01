import {expect} from 'chai'
import {hashPath} from '../support/arena.ts'
import {silence} from '../support/faults.ts'
import {makeTempFolder} from '../support/temp-folder.ts'
import {createResumeBench, SIZE, STORES} from './resume-bench.ts'

for (const name of STORES) {
  describe(`an upload to ${name} beside another`, function () {
    this.timeout(90_000)
    const bench = createResumeBench(name)

    it('of the same file to the same key fails busy and says who, while the first one goes on', async () => {
      bench.arena.proxy.inject({operation: 'part', fault: silence('stored', 2000), times: Infinity})
      const sending = bench.arena.proxy.until(() => bench.arena.proxy.count('part') > 0)
      const first = bench.upload()
      await sending
      const second = await bench.upload()
      expect(second.failure?.code).to.equal('busy')
      expect(second.failure?.message).to.include(`Process ${process.pid}`)
      expect((await first).failure?.message).to.equal(undefined)
      await bench.expectDone(await first)
    })

    it('of another file to the same key: one whole object wins, never a mix', async () => {
      for (let round = 0; round < 5; round++) {
        const other = await bench.arena.makeFile(SIZE)
        const elsewhere = await makeTempFolder()
        const [one, two] = await Promise.all([bench.upload(), bench.upload({file: other, stateFolder: elsewhere})])
        expect([one.failure, two.failure]).to.deep.equal([undefined, undefined])
        expect(await bench.arena.hashStored(bench.key)).to.be.oneOf([await hashPath(bench.file), await hashPath(other)])
        expect(await bench.countPending()).to.equal(0)
      }
    })

    it('of the same file from another machine: whole, and the parts of one that stops stay its own', async () => {
      await bench.uploadUntil(2)
      const elsewhere = await makeTempFolder()
      const ends = await Promise.all([bench.upload({stateFolder: elsewhere}), bench.upload()])
      for (const end of ends) await bench.expectDone(end)
    })

    it('of another file, where nothing may be replaced: one wins, the other fails exists and leaves nothing', async () => {
      const other = await bench.arena.makeFile(SIZE)
      const elsewhere = await makeTempFolder()
      const objectOptions = {noClobber: true}
      const ends = await Promise.all([
        bench.upload({objectOptions}),
        bench.upload({objectOptions, file: other, stateFolder: elsewhere}),
      ])
      const codes = ends.map(({failure}) => failure?.code ?? 'stored')
      const stored = await bench.arena.hashStored(bench.key)
      if (!bench.isSandbox && !codes.includes('exists')) {
        // Swift looks before it writes, and does not look again: both may win. Its S3 API looks at a PUT only, and both
        // have been told so.
        for (const end of bench.isS3 ? ends : []) {
          expect(end.stored?.notes?.join()).to.include('not known to check it while writing')
        }
        expect(stored).to.be.oneOf([await hashPath(bench.file), await hashPath(other)])
        return
      }
      expect(codes.toSorted()).to.deep.equal(['exists', 'stored'])
      expect(stored).to.equal(await hashPath(codes[0] === 'stored' ? bench.file : other))
      expect(await bench.countPending()).to.equal(0)
    })
  })
}
