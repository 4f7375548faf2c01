import {expect} from 'chai'
import * as fc from 'fast-check'
import {isFailure} from '../../src/core/failure.ts'
import {formatSize, GIB, KIB, MIB, parseSize, TIB} from '../../src/core/sizes.ts'

describe('parseSize', () => {
  const known: [string, number][] = [
    ['0', 0],
    ['1', 1],
    ['1048576', MIB],
    ['64k', 64 * KIB],
    ['64K', 64 * KIB],
    ['10MiB', 10 * MIB],
    ['10MB', 10 * MIB],
    ['10 mb', 10 * MIB],
    ['10b', 10],
    [' 16M ', 16 * MIB],
    ['1.5g', 1.5 * GIB],
    ['5GiB', 5 * GIB],
    ['48.8TiB', Math.round(48.8 * TIB)],
    ['7P', 7 * 1024 ** 5],
  ]
  for (const [text, bytes] of known) {
    it(`reads "${text}" as ${bytes}`, () => {
      expect(parseSize(text)).to.equal(bytes)
    })
  }

  for (const text of [
    '',
    ' ',
    'M',
    '-1',
    '+1',
    '1e3',
    '0x10',
    '1,5M',
    '1.M',
    '.5M',
    '5 M iB',
    '5X',
    '5MM',
    '1 2',
    'Infinity',
    '8E',
    '99P',
    '٣',
  ]) {
    it(`refuses "${text}" and says how to write it`, () => {
      expect(() => parseSize(text))
        .to.throw()
        .with.property('code', 'usage')
      expect(() => parseSize(text))
        .to.throw(`"${text}" is not a size.`)
        .with.property('suggestion')
        .that.includes('64M')
    })
  }

  it('gives whole bytes or a usage failure, whatever is typed', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9.]{1,20} ?[kmgtpeKMGTPE]?i?[bB]?$/)), text => {
        try {
          expect(Number.isSafeInteger(parseSize(text)) && parseSize(text) >= 0).to.equal(true)
        } catch (error) {
          if (!isFailure(error, 'usage')) throw error
        }
      }),
      {numRuns: 500},
    )
  })
})

describe('formatSize', () => {
  const known: [number, string][] = [
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1 KiB'],
    [1536, '1.5 KiB'],
    [MIB - 1, '1.0 MiB'],
    [1023.5 * KIB, '1.0 MiB'],
    [1023.4 * KIB, '1023 KiB'],
    [99.94 * MIB, '99.9 MiB'],
    [99.97 * MIB, '100 MiB'],
    [100.4 * MIB, '100 MiB'],
    [16 * MIB, '16 MiB'],
    [5 * TIB, '5 TiB'],
    [1024 ** 6, '1 EiB'],
  ]
  for (const [bytes, text] of known) {
    it(`writes ${bytes} as ${text}`, () => {
      expect(formatSize(bytes)).to.equal(text)
    })
  }

  it('never writes 1,024 of a smaller unit, and what it writes reads back within its rounding', () => {
    fc.assert(
      fc.property(
        fc.nat({max: 2 ** 30}).chain(fine => fc.nat({max: 22}).map(shift => fine * 2 ** shift)),
        bytes => {
          const text = formatSize(bytes)
          expect(Number.parseFloat(text)).to.be.below(1024)
          expect(parseSize(text)).to.be.closeTo(bytes, Math.max(0.5, bytes * 0.051))
        },
      ),
      {numRuns: 1000},
    )
  })
})
