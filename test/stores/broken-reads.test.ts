import {expect} from 'chai'
import {startSandbox} from '../../src/sandbox/server.ts'
import {bufferBody} from '../../src/core/buffer-body.ts'
import type {ByteRange} from '../../src/stores/store.ts'
import {cut, reset} from '../support/faults.ts'
import {startFaultProxy} from '../support/fault-proxy.ts'
import type {FaultProxy} from '../support/fault-proxy.ts'
import {makeTempFolder} from '../support/temp-folder.ts'
import {newCall} from './contract/bench.ts'
import {makeBucket} from './foreign-s3.ts'
import type {OpenedS3} from './open-s3.ts'
import {openS3} from './open-s3.ts'

const TARGET = {remote: 'test', container: 'broken-reads', key: 'object'}
const TEXT = Array.from({length: 20_000}, (_, index) => `line ${index}\n`).join('')

describe('a reading that breaks', () => {
  let proxy: FaultProxy
  let opened: OpenedS3
  let closeSandbox: () => Promise<void>

  before(async () => {
    const sandbox = await startSandbox({folder: await makeTempFolder()})
    closeSandbox = () => sandbox.close()
    await makeBucket(sandbox, TARGET.container)
    proxy = await startFaultProxy({upstream: sandbox.endpoint})
    opened = await openS3({...sandbox, endpoint: proxy.endpoint}, {isSandbox: true})
    await opened.store.putWhole(TARGET, bufferBody(Buffer.from(TEXT)), {}, newCall())
  })
  beforeEach(() => proxy.clear())
  after(async () => {
    opened.close()
    await proxy.close()
    await closeSandbox()
  })

  for (const range of [undefined, {offset: 1000, size: 150_000}] as (ByteRange | undefined)[]) {
    it(`goes on where it broke and hands over every byte once, ${range ? 'of a range' : 'of the whole'}`, async () => {
      const rules = [cut('answer', 40_000), reset('answer', 70_001)].map(fault =>
        proxy.inject({operation: 'get', fault}),
      )
      let text = ''
      await opened.store.read(TARGET, range, bytes => void (text += String(bytes)), newCall())
      expect(rules.map(({used}) => used)).to.deep.equal([1, 1])
      expect(proxy.log).to.have.length(3)
      expect(text).to.equal(range ? TEXT.slice(range.offset, range.offset + range.size) : TEXT)
    })
  }
})
