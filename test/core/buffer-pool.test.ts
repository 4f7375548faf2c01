import {expect} from 'chai'
import {createBufferPool} from '../../src/core/buffer-pool.ts'

describe('a pool of buffers', () => {
  it('gives what was given back, the largest that is needed and no other', () => {
    const pool = createBufferPool()
    const [small, large] = [pool.take(1), pool.take(16_384)]
    expect([small.length, large.length, pool.take(16_385).length]).to.deep.equal([4096, 16_384, 32_768])
    pool.give(large)
    pool.give(small)
    expect(pool.take(9000)).to.equal(large)
    expect(pool.take(4096)).to.equal(small)
  })

  it('gives none to two', () => {
    const pool = createBufferPool()
    pool.give(pool.take(100))
    const taken = Array.from({length: 10}, () => pool.take(100))
    expect(new Set(taken.map(({buffer}) => buffer)).size).to.equal(10)
  })

  it('keeps no more than may be on their way at once', () => {
    const pool = createBufferPool()
    const taken = Array.from({length: 1000}, () => pool.take(100))
    for (const each of taken) pool.give(each)
    const again = Array.from({length: 1000}, () => pool.take(100))
    expect(again.filter(each => taken.includes(each))).to.have.length(256)
  })
})
