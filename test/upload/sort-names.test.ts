import * as fc from 'fast-check'
import {expect} from 'chai'
import {sortNames} from '../../src/upload/sort-names.ts'

/** Some at a time, in pages of 0, 1, 2 and so on. */
async function* inPages(names: readonly string[]): AsyncGenerator<readonly string[]> {
  for (let at = 0, size = 0; at < names.length; at += size++) yield names.slice(at, at + size)
}

async function sorted(names: readonly string[], most?: number): Promise<string[]> {
  const all: string[] = []
  for await (const page of sortNames(inPages(names), most)) all.push(...page)
  return all
}

describe('sortNames', () => {
  const bytes = fc.string({unit: fc.integer({min: 1, max: 255}).map(code => String.fromCharCode(code)), maxLength: 8})

  it('sorts by bytes, in memory and through the disk alike, and loses none', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(bytes, {maxLength: 60}), fc.integer({min: 1, max: 20}), async (names, most) => {
        const expected = names
          .map(name => Buffer.from(name, 'latin1'))
          .sort((a, b) => Buffer.compare(a, b))
          .map(name => name.toString('latin1'))
        expect(await sorted(names)).to.deep.equal(expected)
        expect(await sorted(names, most)).to.deep.equal(expected)
      }),
      {numRuns: 100},
    )
  })

  it('reads runs that are longer than its window', async () => {
    const names = Array.from({length: 3000}, (_, index) => `${(index * 7919) % 3000}-${'x'.repeat(100)}`)
    expect(await sorted(names, 1000)).to.deep.equal(names.toSorted())
  })

  it('can be left early', async () => {
    for await (const [name] of sortNames(inPages(['b', 'a', 'c']), 1)) {
      expect(name).to.equal('a')
      break
    }
  })

  it('says which folder is too small, and how to name another', async () => {
    const before = process.env['TMPDIR']
    process.env['TMPDIR'] = '/nowhere-at-all'
    try {
      const failure = await sorted(['a', 'b'], 1).catch((error: unknown) => error)
      expect(failure).to.include({code: 'config', suggestion: 'Name a folder on a larger disk in TMPDIR.'})
      expect((failure as Error).message).to.include('/nowhere-at-all')
    } finally {
      if (before === undefined) delete process.env['TMPDIR']
      else process.env['TMPDIR'] = before
    }
  })
})
