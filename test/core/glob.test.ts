import {expect} from 'chai'
import {hasWildcards, parseGlob} from '../../src/core/glob.ts'
import {Failure} from '../../src/core/failure.ts'

const NAMES = [
  'a',
  'b.js',
  'b.css',
  '.hidden',
  'a b',
  'x[1]',
  'x1',
  'd/a',
  'd/b.js',
  'd/e/f.js',
  'd/.h/g.js',
  'ä.js',
  'n\nl',
]

describe('a glob', () => {
  const ROWS: readonly (readonly [pattern: string, base: string, matched: readonly string[]])[] = [
    ['*', '.', ['a', 'b.js', 'b.css', 'a b', 'x[1]', 'x1', 'ä.js', 'n\nl']],
    ['.*', '.', ['.hidden']],
    ['*.js', '.', ['b.js', 'ä.js']],
    ['**/*.js', '.', ['b.js', 'd/b.js', 'd/e/f.js', 'ä.js']],
    ['src/**/*.js', 'src', ['b.js', 'd/b.js', 'd/e/f.js', 'ä.js']],
    ['/', '/', []],
    ['/*', '/', ['a', 'b.js', 'b.css', 'a b', 'x[1]', 'x1', 'ä.js', 'n\nl']],
    [String.raw`x\[1\]/a\*/*.js`, 'x[1]/a*', ['b.js', 'ä.js']],
    ['//*', '/', ['a', 'b.js', 'b.css', 'a b', 'x[1]', 'x1', 'ä.js', 'n\nl']],
    ['/tmp//*.css', '/tmp', ['b.css']],
    ['**', '.', ['a', 'b.js', 'b.css', 'a b', 'x[1]', 'x1', 'd/a', 'd/b.js', 'd/e/f.js', 'ä.js', 'n\nl']],
    ['**/**', '.', ['a', 'b.js', 'b.css', 'a b', 'x[1]', 'x1', 'd/a', 'd/b.js', 'd/e/f.js', 'ä.js', 'n\nl']],
    ['d/**', 'd', ['a', 'b.js', 'b.css', 'a b', 'x[1]', 'x1', 'd/a', 'd/b.js', 'd/e/f.js', 'ä.js', 'n\nl']],
    ['?/**', '.', ['d/a', 'd/b.js', 'd/e/f.js']],
    ['*/*/*', '.', ['d/e/f.js']],
    ['**/.h/*', '.', ['d/.h/g.js']],
    ['b.{js,css}', '.', ['b.js', 'b.css']],
    ['{a,d/{a,e/*}}', '.', ['a', 'd/a', 'd/e/f.js']],
    ['{a}*', '.', []],
    ['x[0-9]', '.', ['x1']],
    ['[!ab]1', '.', ['x1']],
    [String.raw`x\[1\]`, '.', ['x[1]']],
    ['x[[]1]', '.', ['x[1]']],
    ['x[', '.', []],
    ['?', '.', ['a']],
    ['?.js', '.', ['b.js', 'ä.js']],
    ['n?l', '.', ['n\nl']],
    ['[z-a]', '.', []],
  ]
  for (const [pattern, base, matched] of ROWS) {
    it(`${pattern} begins in ${base} and matches ${matched.length} names`, () => {
      const glob = parseGlob(pattern)
      expect(glob.base).to.equal(base)
      expect(NAMES.filter(name => glob.matches(name))).to.deep.equal(matched)
    })
  }

  it('looks into every folder that may hold what matches, and into no other', () => {
    const folders = ['d', 'd/e', 'd/e/f', '.git', 'x']
    for (const [pattern, held] of [
      ['*.js', []],
      ['d/e/*', ['d', 'd/e', 'd/e/f', '.git', 'x']],
      ['*/*', ['d', 'x']],
      ['{d,x}/e/*', ['d', 'd/e', 'x']],
      ['**/*.js', ['d', 'd/e', 'd/e/f', 'x']],
    ] as const) {
      const {base, mayHold} = parseGlob(pattern)
      // Below another base every folder counts from there.
      expect(
        folders.filter(folder => (base === '.' ? mayHold(folder) : true)),
        pattern,
      ).to.deep.equal(held)
    }
  })

  it('is told from a plain name by its wildcards', () => {
    expect(['a*', 'a?', '[a]', '{a,b}'].every(hasWildcards)).to.equal(true)
    expect(['a', 'a b', 'a\\b', 'a,b', '~a'].some(hasWildcards)).to.equal(false)
  })

  it('refuses more choices than anybody can mean', () => {
    expect(() => parseGlob('{a,b,c,d,e,f,g,h,i,j}'.repeat(4))).to.throw(Failure, 'too many choices')
  })
})
