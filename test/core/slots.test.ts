import {expect} from 'chai'
import * as fc from 'fast-check'
import {createSlots} from '../../src/core/slots.ts'

describe('slots', () => {
  it('come without a promise while there are some, then to those who wait, first the first', async () => {
    const slots = createSlots(2)
    const log: string[] = []
    expect([slots.take(), slots.take()]).to.deep.equal([undefined, undefined])
    const waiting = ['a', 'b'].map(async name => {
      await slots.take()
      log.push(name)
    })
    expect(slots.taken).to.equal(2)
    slots.give()
    await waiting[0]
    expect([log, slots.taken]).to.deep.equal([['a'], 2])
    slots.give()
    await Promise.all(waiting)
    expect([log, slots.taken]).to.deep.equal([['a', 'b'], 2])
    slots.give()
    slots.give()
    expect(slots.taken).to.equal(0)
  })

  it('are never more than there may be, however their number changes, and nobody waits for one that is free', () => {
    const step = fc.oneof(fc.constant('take'), fc.constant('give'), fc.integer({min: 1, max: 8}))
    fc.assert(
      fc.property(fc.integer({min: 1, max: 8}), fc.array(step, {maxLength: 200}), (size, steps) => {
        const slots = createSlots(size)
        let asked = 0
        let given = 0
        for (const each of steps) {
          const before = slots.taken
          if (each === 'take') {
            asked++
            void slots.take()
          } else if (each !== 'give') slots.resize(each)
          else if (slots.taken > 0) {
            given++
            slots.give()
          }
          // Fewer than are taken take none away.
          expect(slots.taken).to.be.at.most(Math.max(slots.most, before))
          expect(slots.taken).to.equal(Math.min(asked - given, Math.max(slots.taken, slots.most)))
        }
      }),
    )
  })
})
