import {existsSync} from 'node:fs'
import {join, posix} from 'node:path'
import {expect} from 'chai'
import {readAnchors, readBlocks, readLinks} from './markdown.ts'
import {readPages, ROOT} from './pages.ts'

describe('the links of the documentation', () => {
  const pages = readPages()
  const anchors = new Map(pages.map(({path, text}) => [path, readAnchors(text)]))

  for (const {path, text} of pages) {
    it(`lead somewhere: ${path}`, () => {
      const broken = readLinks(text).filter(link => {
        const to = link.path === '' ? path : posix.normalize(posix.join(posix.dirname(path), link.path))
        if (!existsSync(join(ROOT, to))) return true
        return link.anchor !== '' && anchors.get(to)?.has(link.anchor) === false
      })
      expect(broken).to.deep.equal([])
    })
  }

  it('would not if they were broken', () => {
    const page = '# A title: `x`\n\n[a](b.md#c) `[d](e)` [f](https://g.example)\n\n```sh\n[h](i)\n```\n\n![j](k.svg)\n'
    expect(readLinks(page)).to.deep.equal([
      {path: 'b.md', anchor: 'c'},
      {path: 'k.svg', anchor: ''},
    ])
    expect([...readAnchors(page)]).to.deep.equal(['a-title-x'])
  })
})

describe('the blocks of a page', () => {
  it('have what the comments above them say', () => {
    const page = [
      '<!-- before: echo 1 -->',
      '<!-- ends with 6: it is there -->',
      '',
      '```sh',
      'one',
      '```',
      '',
      '<!-- not run: needs AWS -->',
      '```yaml',
      'two: 2',
      '```',
      '- a list:',
      '',
      '  ```sh',
      '  three \\',
      '    more',
      '  ```',
    ].join('\n')
    expect(readBlocks(page)).to.deep.equal([
      {language: 'sh', code: 'one\n', line: 4, before: 'echo 1', status: 6},
      {language: 'yaml', code: 'two: 2\n', line: 9, notRun: 'needs AWS', status: 0},
      {language: 'sh', code: 'three \\\n  more\n', line: 14, status: 0},
    ])
  })

  it('are not read where a comment says what nobody knows', () => {
    expect(() => readBlocks('<!-- nto run: needs AWS -->\n```sh\nx\n```\n')).to.throw('nothing that is known')
    expect(() => readBlocks('<!-- ends with six -->\n```sh\nx\n```\n')).to.throw('nothing that is known')
  })
})
