import {readdirSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import {expect} from 'chai'
import {EXIT_CODES} from '../../src/cli/exit-codes.ts'
import type {FailureCode} from '../../src/core/failure.ts'
import {readPage, ROOT} from './pages.ts'

const CODES = Object.keys(EXIT_CODES) as FailureCode[]

/** The sources with `${…}` and other holes of a sentence as one sign. */
const HOLE = '…'
const sources = readdirSync(join(ROOT, 'src'), {recursive: true, encoding: 'utf8'})
  .filter(path => path.endsWith('.ts'))
  .map(path => readFileSync(join(ROOT, 'src', path), 'utf8'))
  .join('\n')
  .replaceAll(/\$\{(?:[^{}]|\{[^{}]*\})*\}/gu, HOLE)
  .replaceAll(/…+/gu, HOLE)
  .replaceAll(/\\(['"`])/gu, '$1')

interface Section {
  readonly code: string
  readonly text: string
  readonly messages: readonly string[]
}

function readSections(page: string): Section[] {
  return page
    .split(/^## /mu)
    .slice(1)
    .map(text => ({
      code: text.split('\n', 1)[0] ?? '',
      text,
      messages: [...text.matchAll(/^\| `(?<message>[^`]+)` +\|/gmu)].map(({groups}) => groups?.['message'] ?? ''),
    }))
}

describe('docs/errors.md', () => {
  const {text} = readPage('docs/errors.md')
  const sections = readSections(text).filter(({code}) => code !== 'Trying it out')

  it('has a section for each code, in the order of their statuses', () => {
    expect(sections.map(({code}) => code)).to.deep.equal(CODES)
  })

  for (const [code, {status}] of Object.entries(EXIT_CODES)) {
    it(`says that ${code} ends with ${status}, and what to do`, () => {
      const section = sections.find(each => each.code === code)
      expect(section?.text).to.match(new RegExp(`Exit status ${status}[.:]`, 'u'))
      const row = text.split('\n').find(line => line.startsWith('|') && line.includes(`(#${code})`)) ?? ''
      expect(/^\| (\d+)/u.exec(row)?.[1]).to.equal(String(status))
      if (code !== 'partial') expect(section?.messages).to.not.deep.equal([])
    })
  }

  for (const {code, messages} of sections) {
    for (const message of messages) {
      it(`quotes what Skylift says: ${message}`, () => {
        expect(isSaid(message, code), message).to.equal(true)
      })
    }
  }

  it('would find a sentence that nobody says, or another code', () => {
    expect(isSaid('There is no file "…".', 'not-found')).to.equal(true)
    expect(isSaid('There is no file "…".', 'usage')).to.equal(false)
    expect(isSaid('There is no such file "…".', 'not-found')).to.equal(false)
  })
})

/** Some sentences are put together by a table of their own, where only their middle stands. */
const PUT_TOGETHER: Readonly<Record<string, string>> = {
  'The store asks to slow down.': `busy('asks to slow down')`,
  'The store had an internal error.': `busy('had an internal error')`,
  '… is not known to DNS.': `'is not known to DNS'`,
  '… refused the connection.': `'refused the connection'`,
  '… cut the connection.': `'cut the connection'`,
  'Interrupted.': `'Interrupted.'`,
  'Terminated by a signal.': `'Terminated by a signal.'`,
}

/** Whether the sources have this sentence, and the code shortly before it. */
function isSaid(message: string, code: string): boolean {
  const whole = PUT_TOGETHER[message]
  if (whole !== undefined) return sources.includes(whole)
  const pieces = message.split(HOLE).map(piece => piece.replaceAll(/[.*+?^${}()|[\]\\]/gu, '\\$&'))
  const sentence = new RegExp(`[\`'"]${pieces.join(HOLE)}(?:[\`'"]|$)`, 'gmu')
  return [...sources.matchAll(sentence)].some(({index}) =>
    sources.slice(Math.max(0, index - 160), index).includes(`'${code}'`),
  )
}
