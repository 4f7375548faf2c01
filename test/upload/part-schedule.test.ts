import {expect} from 'chai'
import * as fc from 'fast-check'
import {Failure} from '../../src/core/failure.ts'
import {GIB, MIB, TIB} from '../../src/core/sizes.ts'
import {AWS, findQuirks, UNKNOWN} from '../../src/stores/s3/quirks.ts'
import {CLOSED} from '../../src/stores/swift/quirks.ts'
import type {Limits} from '../../src/stores/store.ts'
import {partSizeAt, scheduleParts, stepsOf, tooLong} from '../../src/upload/part-schedule.ts'
import type {PartSchedule} from '../../src/upload/part-schedule.ts'
import {partsOf, planParts} from '../../src/upload/plan.ts'

const aws = AWS.limits
const equal = findQuirks('https://account.r2.cloudflarestorage.com').limits
const {part: _, ...wholeOnly} = aws

/** All parts of a stream of this size, cut as they would be while it comes. */
function cut(schedule: PartSchedule, size: number): number[] {
  const sizes: number[] = []
  for (let offset = 0; offset < size;) {
    const part = Math.min(partSizeAt(schedule, offset), size - offset)
    if (part <= 0) throw new Error(`No part at ${offset}`)
    sizes.push(part)
    offset += part
  }
  return sizes
}

function codeOf(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    if (error instanceof Failure) return error.code
    throw error
  }
  return 'none'
}

describe('scheduleParts', () => {
  for (const partSize of [undefined, 5 * MIB, 5 * MIB + 1, 64 * MIB, GIB]) {
    it(`reaches 20 TiB with 10,000 parts that begin at ${partSize ?? 'the usual size'}`, () => {
      const schedule = scheduleParts(aws, partSize === undefined ? {} : {partSize})
      expect(schedule.reach).to.be.at.least(20 * TIB)
      const sizes = cut(schedule, 20 * TIB)
      expect(sizes.length).to.be.at.most(10_000)
      expect(sizes.reduce((sum, size) => sum + size, 0)).to.equal(20 * TIB)
      expect(sizes[0]).to.equal(partSize ?? 16 * MIB)
      expect(Math.max(...sizes)).to.be.at.most(5 * GIB)
    })
  }

  it('keeps parts small where little has come: the first 16 GiB are in parts of 16 MiB', () => {
    const sizes = cut(scheduleParts(aws), 10 * TIB)
    expect(sizes.findIndex(size => size > 16 * MIB)).to.be.at.least(1000)
    let offset = 0
    for (const size of sizes) {
      expect(size).to.be.at.most(Math.max(16 * MIB, offset / 1000 + MIB))
      offset += size
    }
  })

  it('goes as far as a store of 1,000 parts lets it, S3 or Swift', () => {
    for (const {limits} of [UNKNOWN, CLOSED]) {
      const {reach, count} = scheduleParts(limits)
      expect(count).to.equal(1000)
      expect(reach).to.be.within(2 * TIB, limits.object)
    }
  })

  it('reaches all that a store takes where that is less', () => {
    for (const host of ['s3.wasabisys.com', 'storage.googleapis.com']) {
      const {limits} = findQuirks(`https://${host}`)
      const schedule = scheduleParts(limits)
      expect(schedule.reach).to.equal(5 * TIB)
      expect(schedule.largest, 'no larger than it must').to.be.below(1.3 * GIB)
      expect(cut(schedule, 5 * TIB).length).to.be.at.most(10_000)
    }
  })

  it('never grows where parts must be equal', () => {
    const schedule = scheduleParts(equal)
    expect(schedule).to.include({ratio: 0, reach: 10_000 * 16 * MIB, count: 10_000})
    expect(new Set(cut(schedule, 20 * GIB))).to.deep.equal(new Set([16 * MIB]))
    expect(scheduleParts(equal, {partSize: 100 * MIB}).reach).to.equal(10_000 * 100 * MIB)
  })

  it('takes the plan of a file of the expected size, which reaches the end of every store', () => {
    for (const limits of [aws, equal, UNKNOWN.limits, CLOSED.limits]) {
      const {max = 0, count = 0} = limits.part ?? {}
      for (const size of [0, 1, 16 * MIB, 100 * MIB, 300 * GIB, Math.min(limits.object, max * count)]) {
        const plan = planParts(size, limits)
        const schedule = scheduleParts(limits, {expectSize: size})
        expect(schedule).to.include({count: plan.count, partSize: plan.partSize, reach: size})
        expect(cut(schedule, size).length).to.equal(Math.max(plan.count, size > 0 ? 1 : 0))
        const [first] = partsOf(plan)
        if (first !== undefined) expect(partSizeAt(schedule, 0)).to.equal(first.size)
      }
    }
    expect(codeOf(() => scheduleParts(equal, {expectSize: 6 * TIB}))).to.equal('too-large')
    expect(codeOf(() => scheduleParts(aws, {expectSize: TIB, partSize: 5 * MIB}))).to.equal('usage')
  })

  it('makes one piece for a store that takes whole objects only', () => {
    expect(scheduleParts(wholeOnly)).to.include({count: 0, partSize: 5 * GIB, reach: 5 * GIB})
    expect(codeOf(() => scheduleParts(wholeOnly, {expectSize: 6 * GIB}))).to.equal('too-large')
  })

  it('fails usage for a part size that the store does not take', () => {
    for (const partSize of [1, 5 * MIB - 1, 5 * GIB + 1]) {
      expect(
        codeOf(() => scheduleParts(aws, {partSize})),
        String(partSize),
      ).to.equal('usage')
    }
  })

  it('keeps every limit, whatever the store: sizes sum, none shrinks, none is too small, the last one alone is short', () => {
    const limitsOf = fc
      .record({
        min: fc.integer({min: 1, max: 5 * MIB}),
        more: fc.integer({min: 0, max: 64 * MIB}),
        count: fc.integer({min: 1, max: 400}),
        object: fc.integer({min: 1, max: 2 * GIB}),
        equal: fc.boolean(),
      })
      .map(({min, more, count, object, equal}): Limits => ({
        whole: min + more,
        object,
        part: {min, max: min + more, count, equal},
        key: 1024,
      }))
    fc.assert(
      fc.property(limitsOf, fc.double({min: 0, max: 1, noNaN: true}), (limits, share) => {
        const schedule = scheduleParts(limits)
        const size = Math.ceil(share * schedule.reach)
        const sizes = cut(schedule, size)
        const {min = 0, max = 0, count = 0, equal = false} = limits.part ?? {}
        expect(schedule.reach).to.be.at.most(limits.object)
        expect(sizes.length).to.be.at.most(count)
        expect(sizes.reduce((sum, each) => sum + each, 0)).to.equal(size)
        for (const [index, each] of sizes.slice(0, -1).entries()) {
          expect(each).to.be.within(min, max)
          expect(each).to.be.at.least(sizes[index - 1] ?? 0)
          if (equal) expect(each).to.equal(sizes[0])
        }
        expect(sizes.at(-1) ?? 0).to.be.at.most(max)
        expect(partSizeAt(schedule, schedule.reach)).to.equal(0)
      }),
      {numRuns: 300},
    )
  })

  it('shows its steps: where parts have doubled, and the largest', () => {
    const schedule = scheduleParts(aws)
    const steps = [...stepsOf(schedule)]
    expect(steps[0]).to.deep.equal({part: 1, offset: 0, partSize: 16 * MIB})
    expect(steps.at(-1)?.partSize).to.equal(5 * GIB)
    expect(steps.length).to.be.within(8, 12)
    for (const {part, offset, partSize} of steps) {
      expect(partSizeAt(schedule, offset)).to.equal(partSize)
      expect(cut(schedule, offset).length).to.equal(part - 1)
    }
    expect([...stepsOf(scheduleParts(equal))]).to.have.length(1)
    expect([...stepsOf(scheduleParts(wholeOnly))]).to.deep.equal([{part: 1, offset: 0, partSize: 5 * GIB}])
  })

  it('says how to get further', () => {
    expect(tooLong('stdin', scheduleParts(equal)))
      .to.have.property('suggestion')
      .that.includes('--expect-size')
    expect(tooLong('stdin', scheduleParts(wholeOnly)).message).to.include('5 GiB')
    expect(tooLong('stdin', scheduleParts(aws)).code).to.equal('too-large')
  })
})
