import {setTimeout as sleep} from 'node:timers/promises'
import {expect} from 'chai'
import * as fc from 'fast-check'
import {gather} from '../../src/upload/gather.ts'

async function collect<T>(groups: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const group of groups) all.push(group)
  return all
}

describe('gathered items', () => {
  it('come in groups that are full where all come at once, from anything that can be iterated', async () => {
    async function* count() {
      for (let number = 0; number < 10; number++) yield number
    }
    const expected = [
      [0, 1, 2, 3],
      [4, 5, 6, 7],
      [8, 9],
    ]
    expect(await collect(gather(count(), 4))).to.deep.equal(expected)
    expect(await collect(gather(expected.flat(), 4))).to.deep.equal(expected)
    expect(await collect(gather([], 4))).to.deep.equal([])
  })

  it('are all there, in their order, however they come', async () => {
    const waits = fc.array(fc.constantFrom(undefined, undefined, 0, 1), {maxLength: 40})
    await fc.assert(
      fc.asyncProperty(waits, fc.integer({min: 1, max: 8}), async (all, most) => {
        async function* wait() {
          for (const [index, each] of all.entries()) {
            if (each !== undefined) await sleep(each)
            yield index
          }
        }
        const groups = await collect(gather(wait(), most))
        expect(groups.flat()).to.deep.equal([...all.keys()])
        for (const {length} of groups) expect(length).to.be.within(1, most)
      }),
      {numRuns: 30},
    )
  })

  it('do not wait for those that may never come', async () => {
    async function* stall() {
      yield 1
      yield 2
      await new Promise(() => {})
    }
    const groups = gather(stall(), 4)
    expect((await groups.next()).value).to.deep.equal([1, 2])
    expect((await groups.return(undefined)).done).to.equal(true)
  })

  it('are asked for only when a group is', async () => {
    let asked = 0
    function* count() {
      for (;;) yield ++asked
    }
    const groups = gather(count(), 3)
    await groups.next()
    await sleep(5)
    expect(asked).to.equal(3)
    await groups.next()
    expect(asked).to.equal(6)
  })

  it('end where their source fails, behind all that came before, or where nobody wants more', async () => {
    let isClosed = false
    async function* fail() {
      try {
        yield 1
        yield 2
        throw new Error('lost')
      } finally {
        isClosed = true
      }
    }
    const groups = gather(fail(), 4)
    expect((await groups.next()).value).to.deep.equal([1, 2])
    const error = await groups.next().catch((reason: unknown) => reason)
    expect(error).to.be.an.instanceOf(Error).with.property('message', 'lost')
    isClosed = false
    for await (const group of gather(fail(), 1)) {
      expect(group).to.deep.equal([1])
      break
    }
    expect(isClosed).to.equal(true)
  })
})
