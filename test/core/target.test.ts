import {expect} from 'chai'
import * as fc from 'fast-check'
import {
  formatTarget,
  isDestination,
  isFolderTarget,
  nameDestination,
  parseDestination,
  parseTarget,
} from '../../src/core/target.ts'

describe('parseTarget', () => {
  const known: [string, string, string, string][] = [
    ['s3://artifacts/build.tar', 's3', 'artifacts', 'build.tar'],
    ['s3://c', 's3', 'c', ''],
    ['s3://c/', 's3', 'c', ''],
    ['s3://', 's3', '', ''],
    ['s3://c//x', 's3', 'c', '/x'],
    ['s3://c/a//b/', 's3', 'c', 'a//b/'],
    ['s3://c/../x', 's3', 'c', '../x'],
    ['s3://c/./x/..', 's3', 'c', './x/..'],
    ['s3://c/a%2Fb', 's3', 'c', 'a%2Fb'],
    ['s3://c/a%zz', 's3', 'c', 'a%zz'],
    ['s3://c/a?b#c', 's3', 'c', 'a?b#c'],
    ['s3://c/s3://d/x', 's3', 'c', 's3://d/x'],
    ['s3://c/ ', 's3', 'c', ' '],
    ['s3://c/line\nbreak', 's3', 'c', 'line\nbreak'],
    ['swift://Ablage/Übersicht 🚀.pdf', 'swift', 'Ablage', 'Übersicht 🚀.pdf'],
    ['my-nas2://c/k', 'my-nas2', 'c', 'k'],
    ['s3://user@host:80/k', 's3', 'user@host:80', 'k'],
  ]
  for (const [text, remote, container, key] of known) {
    it(`reads ${JSON.stringify(text)}: key ${JSON.stringify(key)}`, () => {
      expect(parseTarget(text)).to.deep.equal({remote, container, key})
    })
  }

  for (const text of [
    '',
    'c/k',
    's3:/c/k',
    's3:c',
    '://c/k',
    'S3://c/k',
    '3s://c/k',
    'x://c/k',
    '-s://c',
    ' s3://c/k',
    's_3://c/k',
    'C:\\x',
  ]) {
    it(`refuses ${JSON.stringify(text)} as usage`, () => {
      expect(() => parseTarget(text))
        .to.throw('is not a target')
        .with.property('code', 'usage')
    })
  }

  it('keeps every key as it stands, and formatTarget is its inverse', () => {
    const containers = fc.string().filter(text => !text.includes('/'))
    fc.assert(
      fc.property(containers, fc.string({unit: 'binary', minLength: 1}), (container, key) => {
        const target = {remote: 's3', container, key}
        expect(parseTarget(`s3://${container}/${key}`)).to.deep.equal(target)
        expect(parseTarget(formatTarget(target))).to.deep.equal(target)
      }),
    )
  })

  it('formats a container without a slash at its end', () => {
    expect(formatTarget({remote: 's3', container: 'c', key: ''})).to.equal('s3://c')
    expect(formatTarget({remote: 's3', container: 'c', key: '/x'})).to.equal('s3://c//x')
  })
})

describe('parseDestination', () => {
  it('tells targets, temp URLs and tickets apart', () => {
    expect(parseDestination('s3://c/k')).to.deep.equal({kind: 'target', remote: 's3', container: 'c', key: 'k'})
    for (const url of ['https://h/b/k?X-Amz-Signature=0', 'http://h/..', 'HTTPS://h/k']) {
      expect(parseDestination(url)).to.deep.equal({kind: 'url', url})
    }
    expect(parseDestination('ticket:disk.json')).to.deep.equal({kind: 'ticket', file: 'disk.json'})
    expect(parseDestination('ticket:/tmp/a:b.json')).to.deep.equal({kind: 'ticket', file: '/tmp/a:b.json'})
    // What SKYLIFT_TICKET says, where it says something.
    expect(parseDestination('ticket:')).to.deep.equal({kind: 'ticket', file: ''})
    expect(() => parseDestination('disk.json'))
      .to.throw('is not a target')
      .with.property('code', 'usage')
  })

  it('knows what is spelled like a destination, right or wrong', () => {
    const spelled = ['s3://c', 'S3://c', 'https://h/k', 'ticket:', 'ticket:x', 'a+b://c']
    const files = ['build.tar', './s3:/x', 'a/b://c', 'C:\\x', '-', '', '//c/k', 'my ticket:x']
    expect(spelled.filter(text => !isDestination(text))).to.deep.equal([])
    expect(files.filter(isDestination)).to.deep.equal([])
  })

  it('takes the name of the source for an empty key and one that ends in a slash', () => {
    const folders = ['s3://c', 's3://c/', 's3://c/a/', 's3://c//'].map(parseTarget)
    expect(folders.every(isFolderTarget)).to.equal(true)
    expect(['s3://c/a', 's3://c/a/ '].map(parseTarget).some(isFolderTarget)).to.equal(false)
  })

  it('goes by the target where that says it: the path of a URL may end in a slash, or in the midst of a name', () => {
    const place = {remote: 'https', container: 'h'}
    expect(isFolderTarget({...place, key: 'c/dir/', takesName: false})).to.equal(false)
    expect(isFolderTarget({...place, key: 'c/scan-', takesName: true})).to.equal(true)
  })

  it('names a temp URL without what makes it one, and takes none for a target', () => {
    const url = 'https://h/b/k?X-Amz-Signature=5ec2e7'
    expect(nameDestination(url)).to.equal('https://h/b/k?…')
    expect(nameDestination('s3://c/k?x')).to.equal('s3://c/k?x')
    for (const text of [url, url.toUpperCase()]) {
      expect(() => parseTarget(text))
        .to.throw(/^"https:\/\/h\/b\/k\?…" is a URL, and a target is wanted\.$/iu)
        .with.property('code', 'usage')
    }
  })
})
