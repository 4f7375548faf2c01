import {expect} from 'chai'
import * as fc from 'fast-check'
import {emptyRate, etaOf, measureRate} from '../../src/upload/rate.ts'
import type {Rate} from '../../src/upload/rate.ts'

const MIB = 1024 * 1024

/** Measures every 100 ms for `time`, at a steady pace. */
function run(from: Rate, time: number, bytesPerSecond: number): Rate {
  let rate = from
  for (let step = 100; step <= time; step += 100) {
    rate = measureRate(rate, from.at + step, from.bytes + (bytesPerSecond * step) / 1000)
  }
  return rate
}

describe('measureRate', () => {
  it('is silent for the first half second and right from then on', () => {
    expect(run(emptyRate(5000), 400, 10 * MIB).bytesPerSecond).to.equal(undefined)
    for (const time of [500, 1000, 30_000]) {
      expect(run(emptyRate(5000), time, 10 * MIB).bytesPerSecond).to.be.closeTo(10 * MIB, 1)
    }
  })

  it('follows a change within about ten seconds, without jumping', () => {
    const fast = run(emptyRate(0), 20_000, 100 * MIB)
    expect(run(fast, 200, 10 * MIB).bytesPerSecond).to.be.above(90 * MIB)
    expect(run(fast, 10_000, 10 * MIB).bytesPerSecond).to.be.below(25 * MIB)
    expect(run(fast, 30_000, 10 * MIB).bytesPerSecond).to.be.closeTo(10 * MIB, MIB)
  })

  it('does not depend on how often it is asked', () => {
    const often = run(emptyRate(0), 10_000, 10 * MIB)
    const once = measureRate(emptyRate(0), 10_000, 100 * MIB)
    expect(often.bytesPerSecond).to.be.closeTo(once.bytesPerSecond ?? 0, 1)
  })

  it('is never negative, nor infinite, whatever bytes and clock do', () => {
    const samples = fc.array(fc.tuple(fc.integer({min: -100_000, max: 100_000}), fc.nat({max: 2 ** 50})))
    fc.assert(
      fc.property(samples, samples => {
        let rate = emptyRate(0)
        for (const [at, bytes] of samples) {
          rate = measureRate(rate, at, bytes)
          if (rate.bytesPerSecond === undefined) continue
          expect(Number.isFinite(rate.bytesPerSecond)).to.equal(true)
          expect(rate.bytesPerSecond).to.be.at.least(0)
        }
      }),
    )
  })

  it('goes on after bytes fell back: only what moves from there counts', () => {
    const before = run(emptyRate(0), 20_000, 10 * MIB)
    const fallen = measureRate(before, before.at, before.bytes - 64 * MIB)
    expect(fallen.bytesPerSecond).to.be.closeTo(10 * MIB, 1)
    expect(run(fallen, 5000, 10 * MIB).bytesPerSecond).to.be.closeTo(10 * MIB, 1)
  })
})

describe('etaOf', () => {
  const rate = run(emptyRate(0), 5000, 10 * MIB)

  it('is the time that the rest takes', () => {
    expect(etaOf(rate, 30 * MIB)).to.be.closeTo(3000, 1)
    expect(etaOf(rate, 0)).to.equal(0)
    expect(etaOf(rate, -5)).to.equal(0)
  })

  it('is undefined while nobody can tell: at the start, and when nothing moves', () => {
    expect(etaOf(emptyRate(0), 1)).to.equal(undefined)
    expect(etaOf(run(emptyRate(0), 5000, 0), 1)).to.equal(undefined)
    expect(etaOf(run(rate, 120_000, 0), 30 * MIB)).to.equal(undefined)
  })
})
