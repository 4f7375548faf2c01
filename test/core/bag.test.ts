import {expect} from 'chai'
import * as fc from 'fast-check'
import {createBag} from '../../src/core/bag.ts'

describe('a bag', () => {
  it('holds what was added until it is let go, as a set does', () => {
    const step = fc.oneof(fc.constant('add'), fc.nat(50))
    fc.assert(
      fc.property(fc.array(step, {maxLength: 200}), steps => {
        const bag = createBag<number>()
        const expected = new Set<number>()
        const added: (() => void)[] = []
        for (const each of steps) {
          if (each === 'add') {
            expected.add(added.length)
            added.push(bag.add(added.length))
          } else {
            // Some of them once more, when others have their places.
            added[each]?.()
            expected.delete(each)
          }
          expect([...bag].toSorted((a, b) => a - b)).to.deep.equal([...expected])
          expect(bag.size).to.equal(expected.size)
        }
      }),
    )
  })

  it('hands out what is left where some are let go meanwhile', () => {
    const bag = createBag<() => void>()
    const seen: number[] = []
    const letGo = [1, 2, 3].map((number, index) =>
      bag.add(() => {
        seen.push(number)
        letGo[index + 1]?.()
      }),
    )
    for (const run of bag) run()
    expect(seen).to.deep.equal([1, 3])
  })
})
