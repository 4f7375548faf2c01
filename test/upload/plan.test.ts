import {expect} from 'chai'
import * as fc from 'fast-check'
import {Failure} from '../../src/core/failure.ts'
import {GIB, MIB, TIB} from '../../src/core/sizes.ts'
import {AWS, UNKNOWN} from '../../src/stores/s3/quirks.ts'
import type {Limits, PartPlan} from '../../src/stores/store.ts'
import {partOf, partsOf, planParts} from '../../src/upload/plan.ts'
import type {PlanWish} from '../../src/upload/plan.ts'

const aws = AWS.limits
const unknown = UNKNOWN.limits
const {part: _, ...wholeOnly} = aws

function failureOf(run: () => unknown): Failure {
  try {
    run()
  } catch (error) {
    if (error instanceof Failure) return error
    throw error
  }
  throw new Error('nothing failed')
}

const planFailure = (size: number, limits: Limits, wish?: PlanWish): Failure =>
  failureOf(() => planParts(size, limits, wish))

describe('planParts', () => {
  const table: readonly (readonly [what: string, size: number, wish: PlanWish, partSize: number, count: number])[] = [
    ['0 bytes go whole', 0, {}, 0, 0],
    ['0 bytes go whole whatever is wished', 0, {partSize: 5 * MIB}, 0, 0],
    ['1 byte goes whole', 1, {}, 1, 0],
    ['what fits into one part goes whole', 16 * MIB, {}, 16 * MIB, 0],
    ['one byte more makes two parts', 16 * MIB + 1, {}, 16 * MIB, 2],
    ['an exact multiple has no empty last part', 48 * MIB, {}, 16 * MIB, 3],
    ['a wish that fits is taken', 48 * MIB, {partSize: 5 * MIB}, 5 * MIB, 10],
    ['a wish that need be no multiple of anything', 48 * MIB, {partSize: 5 * MIB + 1}, 5 * MIB + 1, 10],
    ['a wish larger than the file lets it go whole', 48 * MIB, {partSize: 64 * MIB}, 48 * MIB, 0],
    ['10,000 parts of 16 MiB', 10_000 * 16 * MIB, {}, 16 * MIB, 10_000],
    ['parts grow by whole MiB when 10,000 are too few', 10_000 * 16 * MIB + 1, {}, 17 * MIB, 9412],
    ['the largest object of all', 10_000 * 5 * GIB, {}, 5 * GIB, 10_000],
  ]
  for (const [what, size, wish, partSize, count] of table) {
    it(what, () => {
      expect(planParts(size, aws, wish)).to.deep.equal({size, partSize, count})
    })
  }

  it('keeps to the 1,000 parts of a store that nobody knows', () => {
    expect(planParts(1000 * 16 * MIB + 1, unknown)).to.deep.equal({
      size: 1000 * 16 * MIB + 1,
      partSize: 17 * MIB,
      count: 942,
    })
  })

  it('sends whole where there are no parts, up to the limit of one PUT', () => {
    expect(planParts(5 * GIB, wholeOnly)).to.deep.equal({size: 5 * GIB, partSize: 5 * GIB, count: 0})
    const {code, message} = planFailure(5 * GIB + 1, wholeOnly)
    expect(code).to.equal('too-large')
    expect(message).to.match(/more than the 5 GiB of one PUT here\.$/u)
  })

  it('sends in parts what is too large for one PUT, however small that is', () => {
    expect(planParts(2 * MIB, {...aws, whole: MIB}).count).to.be.greaterThan(0)
  })

  it('refuses parts that have no whole bytes, rather than cut for ever', () => {
    for (const partSize of [Number.NaN, 5 * MIB + 0.5, Number.POSITIVE_INFINITY]) {
      expect(planFailure(GIB, aws, {partSize})).to.include({code: 'usage'})
    }
  })

  const refused: readonly (readonly [what: string, size: number, limits: Limits, wish: PlanWish, words: RegExp])[] = [
    [
      'a part below the smallest',
      GIB,
      aws,
      {partSize: 5 * MIB - 1},
      /A part of .* is not possible: .* 5 MiB to 5 GiB/u,
    ],
    ['a part of 0 bytes', GIB, aws, {partSize: 0}, /A part of 0 B is not possible/u],
    ['a part above the largest', GIB, aws, {partSize: 5 * GIB + 1}, /is not possible/u],
    [
      'more parts than the store takes',
      50_001 * MIB,
      aws,
      {partSize: 5 * MIB},
      /makes 10,001 parts: .* takes 10,000\.$/u,
    ],
    [
      'more than 1,000 on an unknown one',
      5001 * MIB,
      unknown,
      {partSize: 5 * MIB},
      /makes 1,001 parts: .* takes 1,000/u,
    ],
  ]
  for (const [what, size, limits, wish, words] of refused) {
    it(`refuses ${what}`, () => {
      const {code, message} = planFailure(size, limits, wish)
      expect(code).to.equal('usage')
      expect(message).to.match(words)
    })
  }

  it('suggests a part size that is then accepted, and the smallest in MiB', () => {
    const size = 160_000 * MIB
    const suggestion = planFailure(size, aws, {partSize: 5 * MIB}).suggestion ?? ''
    const partSize = Number(/--part-size (\d+)M/u.exec(suggestion)?.[1]) * MIB
    expect(planParts(size, aws, {partSize}).count).to.be.at.most(10_000)
    expect(planFailure(size, aws, {partSize: partSize - MIB}).code).to.equal('usage')
  })

  it('fails too-large where the object is larger than the store takes', () => {
    expect(planFailure(10_000 * 5 * GIB + 1, aws).code).to.equal('too-large')
    expect(planFailure(6 * TIB, {...aws, object: 5 * TIB}, {partSize: GIB}).code).to.equal('too-large')
  })

  it('fails too-large, and not for a wish that nobody had, where no part size is large enough', () => {
    const failure = planFailure(5 * TIB, unknown)
    expect(failure.code).to.equal('too-large')
    expect(failure.suggestion ?? '').not.to.contain('leave it out')
  })
})

describe('planParts and partsOf, whatever the size', () => {
  const largest = 10_000 * 5 * GIB
  const sizes = fc.oneof(
    fc.integer({min: 0, max: 100 * MIB}),
    fc.maxSafeInteger().map(any => Math.abs(any) % (largest + 1)),
    // Around the places where the plan changes.
    fc
      .tuple(fc.constantFrom(16 * MIB, 10_000 * 16 * MIB, 5 * GIB, largest), fc.integer({min: -3, max: 0}))
      .map(([near, by]) => near + by),
    fc.tuple(fc.integer({min: 1, max: 49_999}), fc.integer({min: -1, max: 1})).map(([n, by]) => n * GIB + by),
  )

  /** The parts at both ends and some between: all 10,000 for each of the sizes would take too long. */
  function checkPlan(plan: PartPlan, limits: Limits): void {
    const {size, partSize, count} = plan
    if (count === 0) {
      expect(size).to.be.at.most(limits.whole)
      expect([...partsOf(plan)]).to.deep.equal([])
      return
    }
    const {min = 0, max = 0, count: most = 0} = limits.part ?? {}
    expect(count).to.be.within(1, most)
    expect(partSize).to.be.within(min, max)
    for (const number of new Set([1, 2, Math.ceil(count / 2), count - 1, count])) {
      if (number < 1 || number > count) continue
      const part = partOf(plan, number)
      expect(part.number).to.equal(number)
      expect(part.offset).to.equal((number - 1) * partSize)
      if (number < count) expect(part.size).to.equal(partSize)
      else {
        expect(part.size).to.be.within(1, partSize)
        expect(part.offset + part.size).to.equal(size)
      }
    }
  }

  it('fits the part count of AWS up to 48.8 TiB', () => {
    fc.assert(
      fc.property(sizes, size => {
        const plan = planParts(size, aws)
        expect(plan.size).to.equal(size)
        checkPlan(plan, aws)
      }),
      {numRuns: 500},
    )
  })

  it('makes parts that meet and whose sizes sum to the whole, equal but the last', () => {
    fc.assert(
      fc.property(
        fc.integer({min: 1, max: 10_000 * 20 * MIB}),
        fc.integer({min: 5 * MIB, max: GIB}),
        (size, partSize) => {
          fc.pre(size / partSize <= 10_000)
          const plan = planParts(size, aws, {partSize})
          if (plan.count === 0) return
          let offset = 0
          for (const part of partsOf(plan)) {
            if (part.offset !== offset)
              throw new Error(`part ${part.number} begins at ${part.offset}, not at ${offset}`)
            offset += part.size
          }
          expect(offset).to.equal(size)
          checkPlan(plan, aws)
        },
      ),
      {numRuns: 100},
    )
  })

  it('with any wish gives a plan that keeps it, or fails usage', () => {
    fc.assert(
      fc.property(sizes, fc.integer({min: 0, max: 6 * GIB}), (size, partSize) => {
        try {
          const plan = planParts(size, aws, {partSize})
          checkPlan(plan, aws)
          if (plan.count > 0) expect(plan.partSize).to.equal(partSize)
        } catch (error) {
          if (!(error instanceof Failure)) throw error
          expect(error.code).to.equal('usage')
          const isPossible = partSize >= 5 * MIB && partSize <= 5 * GIB && Math.ceil(size / partSize) <= 10_000
          expect(isPossible, `${size} in parts of ${partSize}`).to.equal(false)
        }
      }),
      {numRuns: 500},
    )
  })

  it('fails nothing but too-large when nothing is wished, for any limits that hold together', () => {
    const limits = fc.record({
      whole: fc.integer({min: 1, max: 5 * GIB}),
      min: fc.integer({min: 1, max: 64 * MIB}),
      more: fc.integer({min: 0, max: 5 * GIB}),
      count: fc.integer({min: 1, max: 10_000}),
    })
    fc.assert(
      fc.property(sizes, limits, (size, {whole, min, more, count}) => {
        const max = min + more
        // No store takes less in parts than in one PUT.
        const given = {
          whole: Math.min(whole, max * count),
          object: largest,
          key: 1024,
          part: {min, max, count, equal: true},
        }
        try {
          checkPlan(planParts(size, given), given)
        } catch (error) {
          if (!(error instanceof Failure)) throw error
          expect(error.code).to.equal('too-large')
          expect(size).to.be.greaterThan(max * count)
        }
      }),
      {numRuns: 500},
    )
  })
})
