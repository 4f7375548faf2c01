import {expect} from 'chai'
import * as fc from 'fast-check'
import {formatDuration, parseDuration} from '../../src/core/durations.ts'
import {isFailure} from '../../src/core/failure.ts'
import {cpuOf} from '../support/soon.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

describe('parseDuration', () => {
  const known: [string, number][] = [
    ['90', 90_000],
    ['0.5', 500],
    ['90s', 90_000],
    ['10ms', 10],
    ['5 min', 5 * MINUTE],
    ['1h30m', 1.5 * HOUR],
    ['1 h 30 m', 1.5 * HOUR],
    ['1.5h', 1.5 * HOUR],
    ['1H', HOUR],
    ['7d', 7 * DAY],
    ['2 weeks', 14 * DAY],
    ['3 hours', 3 * HOUR],
    ['P1D', DAY],
    ['P2W', 14 * DAY],
    ['PT1H30M', 1.5 * HOUR],
    ['P1DT12H', 1.5 * DAY],
    [' 12h ', 12 * HOUR],
  ]
  for (const [text, ms] of known) {
    it(`reads "${text}" as ${ms} ms`, () => {
      expect(parseDuration(text)).to.equal(ms)
    })
  }

  const wrong = ['', ' ', '0', '0s', '-5', '-1h', '+1h', '5 foo', '1h 5foo', '5foos10s', '1,5h', '1e3', 'h', '1h-30m']
  for (const text of [
    ...wrong,
    '1µs',
    '0.4ms',
    'P',
    'PT',
    'P1',
    'P1M',
    'P1Y',
    'PT5',
    'PXX',
    'inf',
    'never',
    '1 constructor',
    '٣s',
  ]) {
    it(`refuses "${text}" and says how to write it`, () => {
      expect(() => parseDuration(text))
        .to.throw(`"${text}" is not a duration.`)
        .with.property('suggestion')
        .that.includes('1h30m')
      expect(() => parseDuration(text))
        .to.throw()
        .with.property('code', 'usage')
    })
  }

  it('gives whole milliseconds above zero or a usage failure, whatever is typed', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.stringMatching(/^(?:[0-9.]{1,6} ?(?:ms|s|m|min|h|d|w|mo|y|x)? ?){1,3}$/)),
        text => {
          try {
            const ms = parseDuration(text)
            expect(Number.isInteger(ms) && ms > 0, `${ms}`).to.equal(true)
          } catch (error) {
            if (!isFailure(error, 'usage')) throw error
          }
        },
      ),
      {numRuns: 500},
    )
  })

  it('refuses a long word without taking long', () => {
    const took = cpuOf(() => {
      expect(() => parseDuration(`${'1h '.repeat(100_000)}x`)).to.throw('is not a duration')
      expect(() => parseDuration('1'.repeat(100_000))).to.throw('is not a duration')
    })
    expect(took).to.be.below(1000)
  })
})

describe('formatDuration', () => {
  const known: [number, string][] = [
    [0, '0.0 s'],
    [400, '0.4 s'],
    [9949, '9.9 s'],
    [12_000, '12 s'],
    [59_999, '1 min'],
    [200_000, '3 min 20 s'],
    [HOUR, '1 h'],
    [2 * HOUR + 5 * MINUTE + 3000, '2 h 5 min'],
    [7 * DAY, '7 d'],
    [DAY + 5000, '1 d'],
  ]
  for (const [ms, text] of known) {
    it(`writes ${ms} as ${text}`, () => {
      expect(formatDuration(ms)).to.equal(text)
    })
  }

  it('leaves out less than a twenty-fourth', () => {
    fc.assert(
      fc.property(fc.integer({min: 12_000, max: 400 * DAY}), ms => {
        expect(parseDuration(formatDuration(ms))).to.be.closeTo(ms, ms / 24)
      }),
    )
  })
})
