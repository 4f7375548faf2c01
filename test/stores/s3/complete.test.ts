import {expect} from 'chai'
import {AWS, UNKNOWN} from '../../../src/stores/s3/quirks.ts'
import type {PartReceipt, Session} from '../../../src/stores/store.ts'
import {failureOf} from '../../http/support.ts'
import {
  answer,
  crcBase64,
  crcOf,
  ENDPOINT,
  errorXml,
  joinedEtag,
  md5Of,
  newCall,
  open,
  PATH,
  stopAnswering,
  target,
  wordsOf,
} from './wire.ts'
import type {Reply} from './wire.ts'

afterEach(stopAnswering)

const PARTS = ['hello ', 'world']
const WHOLE = PARTS.join('')
const RECEIPTS: PartReceipt[] = PARTS.map((text, index) => ({
  number: index + 1,
  size: text.length,
  etag: md5Of(text),
  crc32: crcOf(text),
}))
const SESSION: Session = {target, uploadId: 'u 1', options: {}, size: WHOLE.length, partSize: 6, checksum: 'crc32'}
const CAREFUL: Session = {...SESSION, options: {noClobber: true}}
const ETAG = joinedEtag(...PARTS)
const MINE = {'content-length': String(WHOLE.length), etag: `"${ETAG}"`}

function done(inside: string): Reply {
  return [200, `<CompleteMultipartUploadResult xmlns="x">${inside}</CompleteMultipartUploadResult>`]
}
const DONE = done(`<ETag>&quot;${ETAG}&quot;</ETag>`)

describe('complete of S3', () => {
  it('names every part with its checksum, and the checksum of the whole', async () => {
    const seen = answer([
      [
        200,
        `\n \n<?xml version="1.0"?>${DONE[1]?.replace('<ETag>', `<ChecksumCRC32>${crcBase64(WHOLE)}</ChecksumCRC32><ETag>`)}`,
        {'x-amz-version-id': 'v2'},
      ],
    ])
    const stored = await open().complete(SESSION, RECEIPTS, newCall())
    expect(stored).to.deep.equal({
      target,
      size: WHOLE.length,
      etag: ETAG,
      crc32: crcOf(WHOLE),
      verified: {by: 'crc32'},
      versionId: 'v2',
    })
    expect([seen[0]?.method, seen[0]?.path]).to.deep.equal(['POST', `${PATH}?uploadId=u%201`])
    const body =
      '<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' +
      PARTS.map(
        (text, index) =>
          `<Part><PartNumber>${index + 1}</PartNumber><ETag>&quot;${md5Of(text)}&quot;</ETag>` +
          `<ChecksumCRC32>${crcBase64(text)}</ChecksumCRC32></Part>`,
      ).join('') +
      '</CompleteMultipartUpload>'
    expect(seen[0]?.body).to.equal(body)
    expect(wordsOf(seen[0]!)).to.deep.equal({
      'content-type': 'application/xml',
      'content-length': String(body.length),
      'x-amz-checksum-crc32': crcBase64(WHOLE),
      'x-amz-checksum-type': 'FULL_OBJECT',
    })
  })

  it('says nothing of checksums in md5 mode, nor where a receipt came from a listing', async () => {
    for (const [session, receipts] of [
      [{...SESSION, checksum: 'md5'} as const, RECEIPTS],
      [SESSION, RECEIPTS.map(receipt => ({...receipt, crc32: ''}))],
    ] as const) {
      const seen = answer([DONE])
      const stored = await open().complete(session, receipts, newCall())
      expect(stored).to.deep.include({etag: ETAG, verified: {by: 'md5'}})
      expect(seen[0]?.body).to.not.include('Checksum')
      expect(Object.keys(wordsOf(seen[0]!))).to.have.members(['content-type', 'content-length'])
      stopAnswering()
    }
  })

  it('says how the parts were checked where the store says nothing of the whole', async () => {
    for (const checksum of ['crc32', 'md5'] as const) {
      answer([done('<ETag>opaque</ETag>')])
      const stored = await open().complete({...SESSION, checksum}, RECEIPTS, newCall())
      expect(stored).to.deep.include({etag: 'opaque', crc32: crcOf(WHOLE), verified: {by: checksum}})
      stopAnswering()
    }
  })

  it('escapes whatever a store gave as an ETag', async () => {
    const seen = answer([done('<ETag>x</ETag>')])
    await open().complete({...SESSION, size: 6}, [{...RECEIPTS[0]!, etag: '<a&"b">'}], newCall())
    expect(seen[0]?.body).to.include('<ETag>&quot;&#60;a&#38;&#34;b&#34;&#62;&quot;</ETag>')
  })

  it('fails integrity when the store names another checksum of the whole, not for a checksum of checksums', async () => {
    answer([done(`<ETag>x</ETag><ChecksumCRC32>${crcBase64('other')}</ChecksumCRC32>`)])
    expect(await failureOf(open().complete(SESSION, RECEIPTS, newCall()))).to.include({code: 'integrity'})
    stopAnswering()
    answer([done(`<ETag>&quot;${ETAG}&quot;</ETag><ChecksumCRC32>${crcBase64('other')}-2</ChecksumCRC32>`)])
    expect(await open().complete(SESSION, RECEIPTS, newCall())).to.include({etag: ETAG})
  })

  it('sends nothing while receipts are missing', async () => {
    const seen = answer([])
    expect(await failureOf(open().complete(SESSION, RECEIPTS.slice(0, 1), newCall()))).to.have.property(
      'code',
      'integrity',
    )
    expect(seen).to.have.length(0)
  })
})

describe('complete of S3 whose answer is lost', () => {
  const FORGOTTEN: Reply = [404, errorXml('NoSuchUpload')]
  const lost: [string, Reply, string][] = [
    ['an error inside a success', [200, errorXml('InternalError')], 'POST GET HEAD'],
    ['a cut connection', 'reset', 'POST GET HEAD'],
    ['half an answer', [200, '<CompleteMultipartUploadResult><ETag>'], 'POST GET HEAD'],
    ['a busy store', [503, errorXml('SlowDown')], 'POST GET HEAD'],
    ['an answer without an ETag', done('<Location>x</Location>'), 'POST HEAD'],
    ['an upload that was finished before', FORGOTTEN, 'POST HEAD'],
  ]
  for (const [what, reply, methods] of lost) {
    it(`is success when the upload is no more and ours stands at the key, after ${what}`, async () => {
      for (const headers of [
        MINE,
        {...MINE, etag: MINE.etag.toUpperCase()},
        {...MINE, etag: '"0x8DB"', 'x-amz-checksum-crc32': crcBase64(WHOLE)},
      ]) {
        const seen = answer(({method}) =>
          method === 'POST' ? reply : method === 'GET' ? FORGOTTEN : [200, '', headers],
        )
        const stored = await open().complete(SESSION, RECEIPTS, newCall())
        expect(stored).to.include({size: WHOLE.length, crc32: crcOf(WHOLE), etag: headers.etag.replaceAll('"', '')})
        expect(stored.verified.by).to.equal('x-amz-checksum-crc32' in headers ? 'crc32' : 'md5')
        expect(seen.map(({method}) => method)).to.have.members(methods.split(' '))
        expect(seen.filter(({method}) => method === 'GET').every(({path}) => path.includes('uploadId=u%201'))).to.equal(
          true,
        )
        stopAnswering()
      }
    })
  }

  it('fails as it did while the store knows the upload: the same bytes at the key are those of an earlier one', async () => {
    const seen = answer(({method}) =>
      method === 'POST' ? 'reset' : method === 'GET' ? [200, '<ListPartsResult/>'] : [200, '', MINE],
    )
    expect(await failureOf(open().complete(SESSION, RECEIPTS, newCall()))).to.include({
      code: 'network',
      retryable: true,
    })
    expect(seen.filter(({method}) => method === 'POST')).to.have.length(1)
  })

  const others: [string, Reply][] = [
    ['nothing stands there', [404]],
    ['something of another size does', [200, '', {...MINE, 'content-length': '5'}]],
    [
      'something with another checksum does',
      [200, '', {...MINE, etag: `"${joinedEtag('a', 'b')}"`, 'x-amz-checksum-crc32': crcBase64('other')}],
    ],
    ['it may not be asked', [403]],
  ]
  for (const [what, head] of others) {
    it(`fails as it did when ${what}`, async () => {
      const posts: Reply[] = [[200, errorXml('InternalError')], FORGOTTEN]
      answer(({method}) => (method === 'POST' ? posts.shift()! : method === 'GET' ? FORGOTTEN : head))
      const store = open()
      expect(await failureOf(store.complete(SESSION, RECEIPTS, newCall()))).to.include({code: 'busy', retryable: true})
      expect(await failureOf(store.complete(SESSION, RECEIPTS, newCall()))).to.include({
        code: 'not-found',
        retryable: false,
      })
    })
  }

  it('fails integrity after an answer without an ETag when what stands at the key is not ours', async () => {
    for (const [what, head] of others.slice(0, 3)) {
      answer(({method}) => (method === 'POST' ? done('<Location>x</Location>') : head))
      expect(await failureOf(open().complete(SESSION, RECEIPTS, newCall())), what).to.include({code: 'integrity'})
      stopAnswering()
    }
  })

  it('is success after an answer without an ETag where it may not be asked, or cannot be told', async () => {
    for (const head of [[403], [200, '', {...MINE, etag: '"opaque"'}]] satisfies Reply[]) {
      answer(({method}) => (method === 'POST' ? done('<Location>x</Location>') : head))
      expect(await open().complete(SESSION, RECEIPTS, newCall())).to.include({size: WHOLE.length})
      stopAnswering()
    }
  })

  it('is asked no further where the store said no in so many words', async () => {
    for (const [reply, code] of [
      [[403, errorXml('AccessDenied')], 'forbidden'],
      [[400, errorXml('InvalidPart')], 'integrity'],
    ] as const) {
      const seen = answer([reply])
      expect(await failureOf(open().complete(SESSION, RECEIPTS, newCall()))).to.have.property('code', code)
      expect(seen).to.have.length(1)
      stopAnswering()
    }
  })
})

describe('complete of S3 that may replace nothing', () => {
  it('asks the store to check where it is known to', async () => {
    const seen = answer([DONE])
    await open({quirks: AWS}).complete(CAREFUL, RECEIPTS, newCall())
    expect(wordsOf(seen[0]!)).to.include({'if-none-match': '*'})
  })

  it('fails exists on 412, and does not ask whose it is: nothing was lost', async () => {
    const seen = answer([[412, errorXml('PreconditionFailed')]])
    expect(await failureOf(open({quirks: AWS}).complete(CAREFUL, RECEIPTS, newCall()))).to.include({code: 'exists'})
    expect(seen).to.have.length(1)
  })

  for (const [what, reply] of [
    ['412', [412, errorXml('PreconditionFailed')]],
    ['409', [409, errorXml('ConditionalRequestConflict')]],
  ] as const) {
    it(`takes ${what} for success after a lost answer, when ours stands there`, async () => {
      const posts: Reply[] = ['reset', reply]
      let standing: Reply = [404]
      answer(({method}) =>
        method === 'POST' ? posts.shift()! : method === 'GET' ? [200, '<ListPartsResult/>'] : standing,
      )
      const store = open({quirks: AWS})
      expect(await failureOf(store.complete(CAREFUL, RECEIPTS, newCall()))).to.include({
        code: 'network',
        retryable: true,
      })
      standing = [200, '', MINE]
      expect(await store.complete(CAREFUL, RECEIPTS, newCall())).to.include({etag: ETAG})
      expect(posts).to.have.length(0)
    })
  }

  it('fails exists after a lost answer, when somebody else was faster', async () => {
    const posts: Reply[] = ['reset', [412, errorXml('PreconditionFailed')]]
    const theirs: Reply = [200, '', {...MINE, etag: `"${joinedEtag('a', 'b')}"`}]
    answer(({method}) => (method === 'POST' ? posts.shift()! : method === 'GET' ? [200, '<ListPartsResult/>'] : theirs))
    const store = open({quirks: AWS})
    expect(await failureOf(store.complete(CAREFUL, RECEIPTS, newCall()))).to.include({code: 'network'})
    expect(await failureOf(store.complete(CAREFUL, RECEIPTS, newCall()))).to.include({code: 'exists'})
  })

  for (const [status, code] of [
    [501, 'NotImplemented'],
    [400, 'InvalidArgument'],
    [400, 'InvalidRequest'],
  ] as const) {
    it(`goes on without the condition where the store says ${code}, says so, and remembers that for Complete alone`, async () => {
      const seen = answer([[status, errorXml(code)], [404], DONE])
      const store = open({quirks: {...UNKNOWN, conditionalPut: true}})
      const stored = await store.complete(CAREFUL, RECEIPTS, newCall())
      expect(stored.notes).to.have.length(1)
      expect(seen.map(({method, headers}) => [method, headers['if-none-match']])).to.deep.equal([
        ['POST', '*'],
        ['HEAD', undefined],
        ['POST', undefined],
      ])
      expect(store.findings.get(ENDPOINT)).to.deep.equal({conditionalComplete: false})
    })
  }

  it('remembers nothing where the same is refused without the condition', async () => {
    const refused: Reply = [400, errorXml('InvalidArgument')]
    const seen = answer([refused, [404], refused])
    const store = open({quirks: AWS})
    expect(await failureOf(store.complete(CAREFUL, RECEIPTS, newCall()))).to.include({code: 'usage'})
    expect(seen.map(({headers}) => headers['if-none-match'])).to.deep.equal(['*', undefined, undefined])
    expect(store.findings.get(ENDPOINT)).to.deep.equal({})
  })

  it('completes nothing where the store does not know the condition and it may not look', async () => {
    const seen = answer([[403], [403], [501, errorXml('NotImplemented')], [403]])
    expect(await failureOf(open().complete(CAREFUL, RECEIPTS, newCall()))).to.include({code: 'forbidden'})
    expect(seen.map(({method}) => method)).to.deep.equal(['HEAD', 'GET', 'POST', 'HEAD'])
  })

  it('knows by a look what a killed process had finished, where the upload is no more', async () => {
    for (const [listing, isOurs] of [
      [[404, errorXml('NoSuchUpload')], true],
      [[200, '<ListPartsResult/>'], false],
    ] satisfies [Reply, boolean][]) {
      const seen = answer(({method}) => (method === 'HEAD' ? [200, '', MINE] : listing))
      const completing = open().complete(CAREFUL, RECEIPTS, newCall())
      if (isOurs) expect(await completing).to.include({etag: ETAG})
      else expect(await failureOf(completing)).to.include({code: 'exists'})
      expect(seen.map(({method}) => method)).to.deep.equal(isOurs ? ['HEAD', 'GET', 'HEAD'] : ['HEAD', 'GET'])
      stopAnswering()
    }
  })
})
