import {expect} from 'chai'
import * as fc from 'fast-check'
import {isFailure} from '../../src/core/failure.ts'
import {child, childText, parseXml} from '../../src/core/xml.ts'
import {cpuOf} from '../support/soon.ts'

describe('parseXml', () => {
  it('reads what stores send: declaration, comments, namespaces, attributes, white space', () => {
    const root = parseXml(
      '\uFEFF<?xml version="1.0" encoding="UTF-8"?>\n<!-- a > b -->\n<s3:ListPartsResult xmlns:s3="http://x/">\n' +
        `  <Part a='1>2' b="it's"><PartNumber>1</PartNumber><ETag>&quot;e1&quot;</ETag></Part>\n` +
        '  <Part><PartNumber >2</PartNumber ><ETag/></Part><Owner />\n</s3:ListPartsResult>\n',
    )
    expect(root.name).to.equal('ListPartsResult')
    const parts = root.children.filter(({name}) => name === 'Part')
    expect(parts.map(part => childText(part, 'PartNumber'))).to.deep.equal(['1', '2'])
    expect(parts.map(part => childText(part, 'ETag'))).to.deep.equal(['"e1"', ''])
    expect(child(root, 'Owner')).to.deep.equal({name: 'Owner', text: '', children: []})
    expect(childText(root, 'Missing')).to.equal(undefined)
    expect(childText(undefined, 'Missing')).to.equal(undefined)
  })

  const texts: [string, string][] = [
    ['a &amp;&lt;&gt;&quot;&apos; b', `a &<>"' b`],
    ['&#65;&#x42;&#x1F680;&#xfc;', 'AB🚀ü'],
    ['a & b &; &# &#x; &', 'a & b &; &# &#x; &'],
    ['&amp;lt;', '&lt;'],
    ['a<![CDATA[<b>&amp;]]>c', 'a<b>&amp;c'],
    ['a<![CDATA[]]>b', 'ab'],
    ['a<!-- <b> -->c', 'ac'],
    [' \n ', ' \n '],
  ]
  for (const [source, text] of texts) {
    it(`reads the text ${JSON.stringify(source)}`, () => {
      expect(parseXml(`<r>${source}</r>`).text).to.equal(text)
    })
  }

  it('passes over a DOCTYPE that says nothing but the name of the root', () => {
    for (const before of [
      '<!DOCTYPE r>',
      '\uFEFF<?xml version="1.0"?>\n<!DOCTYPE s3:r >\n',
      ' <!DOCTYPE r><!-- c -->',
    ]) {
      expect(parseXml(`${before}<r>text</r>`)).to.include({name: 'r', text: 'text'})
    }
  })

  const refused: [string, string][] = [
    ['a DTD', '<!DOCTYPE r [<!ENTITY a "b">]><r>&a;</r>'],
    ['a DTD that names a file', '<!DOCTYPE r SYSTEM "file:///etc/passwd"><r/>'],
    ['a DTD behind the root', '<r/><!DOCTYPE r>'],
    ['a DTD inside the root', '<r><!DOCTYPE r></r>'],
    ['two of them', '<!DOCTYPE r><!DOCTYPE r><r/>'],
    ['an entity behind a DOCTYPE', '<!DOCTYPE r><r>&a;</r>'],
    ['nothing but a DOCTYPE', '<!DOCTYPE r>'],
    ['an entity that is none of the five', '<r>&nbsp;</r>'],
    ['an entity that every object has', '<r>&constructor;</r>'],
    ['an entity of a prototype', '<r>&__proto__;</r>'],
    ['a character that does not exist', '<r>&#x110000;</r>'],
    ['nothing', ''],
    ['white space', ' \n'],
    ['words', 'Service unavailable'],
    ['words behind the element', '<r/>x'],
    ['two elements', '<r/><r/>'],
    ['tags that do not match', '<a><b></a></b>'],
    ['an end without a beginning', '<a></a></a>'],
    ['a beginning without an end', '<a><b></b>'],
    ['a cut in the middle of a tag', '<a><b'],
    ['a cut in the middle of an attribute', '<a b="c'],
    ['a cut in the middle of CDATA', '<a><![CDATA[b</a>'],
    ['a cut in the middle of a comment', '<a><!-- b</a>'],
    ['a name that begins with a digit', '<1/>'],
    ['a lone angle', '<r><</r>'],
    ['33 levels', '<a>'.repeat(33) + '</a>'.repeat(33)],
  ]
  for (const [what, source] of refused) {
    it(`refuses ${what} as a network failure`, () => {
      expect(() => parseXml(source))
        .to.throw('is not XML that Skylift reads')
        .with.property('code', 'network')
    })
  }

  it('reads 32 levels', () => {
    expect(parseXml('<a>'.repeat(32) + '</a>'.repeat(32)).name).to.equal('a')
    expect(parseXml(`${'<a>'.repeat(31)}<a/>${'</a>'.repeat(31)}`).name).to.equal('a')
  })

  it('refuses more than 16 MiB', () => {
    expect(() => parseXml(`<r>${' '.repeat(16 * 1024 * 1024)}</r>`)).to.throw('16 MiB')
  })

  it('refuses every truncation of a real answer', () => {
    const whole = '<?xml version="1.0"?><E><Code a="b">NoSuchKey</Code><M><![CDATA[<x>]]></M><!--c--></E>'
    expect(parseXml(whole).children).to.have.length(2)
    for (let end = 0; end < whole.length; end++) {
      expect(() => parseXml(whole.slice(0, end)), whole.slice(0, end))
        .to.throw('is not XML')
        .with.property('code', 'network')
    }
  })

  it('neither crashes nor hangs on any bytes', () => {
    const grain = fc.constantFrom(
      '<',
      '>',
      '/',
      '"',
      "'",
      '&',
      ';',
      '#x',
      '<!--',
      '-->',
      '<![CDATA[',
      ']]>',
      '<?',
      'a',
      ' ',
      '<a>',
      '</a>',
      '<!DOCTYPE',
    )
    const bytes = fc.uint8Array({maxLength: 400}).map(each => Buffer.from(each).toString('utf8'))
    const hostile = fc
      .array(fc.oneof(grain, fc.string({unit: 'binary', maxLength: 3})), {maxLength: 60})
      .map(all => all.join(''))
    fc.assert(
      fc.property(fc.oneof(bytes, hostile), text => {
        try {
          expect(parseXml(text).name).to.match(/^[\w.-]+$|^[^:]*$/u)
        } catch (error) {
          if (!isFailure(error, 'network')) throw error
        }
      }),
      {numRuns: 2000},
    )
  })

  it('takes time by the length of hostile input, not by its square', () => {
    const n = 1_000_000
    const hostile = {
      name: `<${'a'.repeat(n)}`,
      endName: `<a></${'a'.repeat(n)}`,
      colons: `<${'a:'.repeat(n / 2)}`,
      spaces: `<a${' '.repeat(n)}`,
      slashes: `<a${'/'.repeat(n)}`,
      attributes: `<a ${'b="c" '.repeat(n / 6)}`,
      openQuote: `<a b="${'c'.repeat(n)}`,
      quotes: `<a ${'"'.repeat(n + 1)}`,
      mixedQuotes: `<a ${`"'`.repeat(n / 2)}`,
      comments: '<!--'.repeat(n / 4),
      instructions: '<?'.repeat(n / 2),
      cdata: `<a>${'<![CDATA['.repeat(n / 9)}`,
      entities: `<a>${'&a'.repeat(n / 2)}`,
      longEntity: `<a>&${'a'.repeat(n)}`,
      elements: `<a>${'<b/>'.repeat(n / 4)}`,
    }
    for (const [what, source] of Object.entries(hostile)) {
      const took = cpuOf(() => {
        expect(() => parseXml(source), what)
          .to.throw('is not XML')
          .with.property('code', 'network')
      })
      expect(took, what).to.be.below(1000)
    }
  })
})
