import {setImmediate as nextTurn} from 'node:timers/promises'
import {getHeapSpaceStatistics, setFlagsFromString} from 'node:v8'
import {runInNewContext} from 'node:vm'
import {expect} from 'chai'
import type {UploadStore} from '../../src/stores/store.ts'
import {uploadAll} from '../../src/upload/transfer.ts'
import {createMemoryStore} from '../support/memory-store.ts'
import {createBench, KIB, targetOf} from './transfer-bench.ts'

setFlagsFromString('--expose-gc')
// Else V8 takes some for old from the beginning once many have survived, and with them what they know.
setFlagsFromString('--no-allocation-site-pretenuring')
const collect = runInNewContext('gc') as (options?: {readonly type: 'minor'}) => void

/** Bytes of objects that have survived. */
function sizeOfOld(): number {
  return getHeapSpaceStatistics().find(({space_name: name}) => name === 'old_space')?.space_used_size ?? 0
}

describe('the memory of many small files', () => {
  const bench = createBench()
  const count = 2000

  it('is free again at once: nothing of what is done holds what comes after it', async () => {
    const [file] = await bench.makeItems([KIB])
    const {signal} = new AbortController()
    const limits = createMemoryStore().limits({signal})
    let sent = 0
    const store: UploadStore = {
      ...createMemoryStore(),
      limits: () => limits,
      async putWhole(target, {size}) {
        // Only the young, three times in a row, so that what is on its way grows old.
        if (++sent % 400 < 3) collect({type: 'minor'})
        await nextTurn()
        return {target, size, etag: '0', verified: {by: 'crc32'}}
      },
    }
    async function* listFiles() {
      for (let index = 0; index < count; index++) yield {path: file?.path ?? '', ...targetOf(`key-${index}`)}
    }
    const settings = {signal, concurrency: 8, onEvent() {}}
    await uploadAll(listFiles(), store, settings)
    collect()
    const before = sizeOfOld()
    const {done} = await uploadAll(listFiles(), store, settings)
    expect(done).to.equal(count)
    expect((sizeOfOld() - before) / count).to.be.below(3000)
  })
})
