import {expect} from 'chai'
import * as fc from 'fast-check'
import {printable} from '../../src/core/printable.ts'

describe('printable', () => {
  const known: [string, string][] = [
    ['Übersicht 🚀 日本.pdf', 'Übersicht 🚀 日本.pdf'],
    ['a\nb\r\tc', String.raw`a\x0ab\x0d\x09c`],
    ['\u001B[2J\u001B]0;title\u0007', String.raw`\x1b[2J\x1b]0;title\x07`],
    ['\u009B31m', String.raw`\x9b31m`],
    ['a\u0000b\u007F', String.raw`a\x00b\x7f`],
    ['fdp.\u202Eexe', String.raw`fdp.\u202eexe`],
    ['a\u2028b\u200Fc\u2066d\u061Ce', String.raw`a\u2028b\u200fc\u2066d\u061ce`],
  ]
  for (const [text, shown] of known) {
    it(`writes ${JSON.stringify(text)} as ${shown}`, () => {
      expect(printable(text)).to.equal(shown)
    })
  }

  it('leaves no control character in any text, and changes nothing that is printable', () => {
    fc.assert(
      fc.property(fc.string({unit: 'binary'}), text => {
        const shown = printable(text)
        expect(shown).to.not.match(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]/u)
        expect(printable(shown)).to.equal(shown)
      }),
      {numRuns: 500},
    )
  })
})
