import {expect} from 'chai'
import {AWS} from '../../../src/stores/s3/quirks.ts'
import type {S3Settings} from '../../../src/stores/s3/client.ts'
import type {FailureCode} from '../../../src/core/failure.ts'
import type {ChecksumMode, Part, Session} from '../../../src/stores/store.ts'
import {failureOf} from '../../http/support.ts'
import {
  answer,
  countedBody,
  crcBase64,
  crcOf,
  ENDPOINT,
  errorXml,
  md5Base64,
  md5Of,
  newCall,
  open,
  PATH,
  stopAnswering,
  target,
  textBody,
  wordsOf,
} from './wire.ts'
import type {Reply} from './wire.ts'

afterEach(stopAnswering)

const BEGUN = '<InitiateMultipartUploadResult xmlns="x"><UploadId>u/1+2=</UploadId></InitiateMultipartUploadResult>'
const CRC32_UPLOAD = {'x-amz-checksum-algorithm': 'CRC32', 'x-amz-checksum-type': 'FULL_OBJECT'}
const PLAN = {size: 11, partSize: 6, count: 2}
const TEXT = 'hello '
const ETAG = {etag: `"${md5Of(TEXT)}"`}
const PART: Part = {number: 1, offset: 0, size: TEXT.length}
const PART_PATH = `${PATH}?partNumber=1&uploadId=u%2F1%2B2%3D`

function sessionOf(checksum: ChecksumMode): Session {
  return {target, uploadId: 'u/1+2=', options: {}, size: 11, partSize: 6, checksum}
}

describe('begin of S3', () => {
  it('asks for a CRC-32 of the whole, with what the object is to carry', async () => {
    const seen = answer([[200, BEGUN]])
    const options = {contentType: 'text/plain', metadata: {a: 'b'}}
    const session = await open().begin(target, options, PLAN, newCall())
    expect(session).to.deep.equal({target, options, size: 11, partSize: 6, uploadId: 'u/1+2=', checksum: 'crc32'})
    expect([seen[0]?.method, seen[0]?.path, seen[0]?.body]).to.deep.equal(['POST', `${PATH}?uploads=`, ''])
    expect(wordsOf(seen[0]!)).to.deep.equal({
      'content-type': 'text/plain',
      'content-length': '0',
      'x-amz-meta-a': 'b',
      ...CRC32_UPLOAD,
    })
  })

  for (const [status, code] of [
    [400, 'InvalidArgument'],
    [501, 'NotImplemented'],
  ] as const) {
    it(`goes on in md5 mode where the store refuses the words with ${status}`, async () => {
      const seen = answer([
        [status, errorXml(code)],
        [200, BEGUN],
      ])
      expect(await open().begin(target, {}, PLAN, newCall())).to.include({checksum: 'md5'})
      expect(wordsOf(seen[1]!)).to.deep.equal({'content-type': 'application/octet-stream', 'content-length': '0'})
    })
  }

  it('does not ask where the store is known not to verify', async () => {
    const seen = answer([[200, BEGUN]])
    const store = open()
    store.findings.learn(ENDPOINT, {checksum: 'md5'})
    expect(await store.begin(target, {}, PLAN, newCall())).to.include({checksum: 'md5'})
    expect(seen).to.have.length(1)
    expect(wordsOf(seen[0]!)).to.not.have.any.keys(Object.keys(CRC32_UPLOAD))
  })

  it('reads an answer whatever stands before its root', async () => {
    answer([[200, `<?xml version="1.0"?>\n<!DOCTYPE x>\n<!-- hello -->\n${BEGUN}`]])
    expect(await open().begin(target, {}, PLAN, newCall())).to.have.property('uploadId', 'u/1+2=')
  })

  const strange: [string, string, string, boolean][] = [
    ['no upload ID', '<InitiateMultipartUploadResult/>', 'network', false],
    // Tried once more; each further attempt would leave an upload behind.
    ['half an answer', BEGUN.slice(0, 60), 'network', false],
    ['a web page', '<!doctype html><html><body>Welcome</body></html>', 'config', false],
    ['another document', '<feed/>', 'config', false],
    ['an error inside a success', errorXml('SlowDown'), 'busy', true],
  ]
  for (const [what, text, code, retryable] of strange) {
    it(`fails ${code} on ${what}`, async () => {
      const seen = answer([
        [200, text],
        [200, text],
      ])
      expect(await failureOf(open().begin(target, {}, PLAN, newCall()))).to.include({code, retryable})
      expect(seen.length).to.equal(code === 'network' ? 2 : 1)
    })
  }
})

describe('an ETag of S3 in capitals', () => {
  for (const checksum of ['crc32', 'md5'] as const) {
    it(`is compared all the same in ${checksum} mode, and stays as it is`, async () => {
      const etag = md5Of(TEXT).toUpperCase()
      const seen = answer([
        [200, '', {etag: `"${etag}"`}],
        [200, `<CompleteMultipartUploadResult><ETag>"x"</ETag></CompleteMultipartUploadResult>`],
      ])
      const store = open()
      const receipt = await store.putPart(sessionOf(checksum), PART, textBody(TEXT), newCall())
      expect(receipt).to.include({etag})
      await store.complete({...sessionOf(checksum), size: TEXT.length}, [receipt], newCall())
      expect(seen[1]?.body).to.include(`<ETag>&quot;${etag}&quot;</ETag>`)
    })
  }
})

describe('begin of S3 that may replace nothing', () => {
  const options = {noClobber: true}
  const begun: [string, Reply, Partial<S3Settings>][] = [
    ['nothing stands there', [404], {}],
    ['it may not look', [403], {}],
    ['the look fails, and the store checks it at the end', [400], {quirks: AWS}],
  ]
  for (const [what, head, settings] of begun) {
    it(`looks before any part is sent, and begins where ${what}`, async () => {
      const seen = answer(({method}) => (method === 'HEAD' ? head : [200, BEGUN]))
      expect(await open(settings).begin(target, options, PLAN, newCall())).to.include({uploadId: 'u/1+2='})
      expect(seen[0]?.method).to.equal('HEAD')
    })
  }

  const refused: [string, Reply, Partial<S3Settings>, FailureCode][] = [
    ['something stands there', [200, '', ETAG], {}, 'exists'],
    ['something stands there, though the store checks it at the end', [200, '', ETAG], {quirks: AWS}, 'exists'],
    ['neither it nor the store may look', [403], {quirks: {...AWS, conditionalPut: false}}, 'forbidden'],
    ['the store is busy', [503], {quirks: AWS}, 'busy'],
  ]
  for (const [what, head, settings, code] of refused) {
    it(`begins nothing where ${what}`, async () => {
      const seen = answer(() => head)
      const failure = await failureOf(open(settings).begin(target, options, PLAN, newCall()))
      expect(failure).to.include({code, retryable: code === 'busy'})
      // A GET asks why a look is refused.
      expect(seen.map(({method}) => method)).to.deep.equal(head[0] === 403 ? ['HEAD', 'GET'] : ['HEAD'])
    })
  }
})

describe('putPart of S3 in crc32 mode', () => {
  it('sums first, and takes the echo for the proof', async () => {
    const seen = answer([[200, '', {...ETAG, 'x-amz-checksum-crc32': crcBase64(TEXT)}]])
    const store = open()
    const body = countedBody(TEXT)
    const sent: number[] = []
    const receipt = await store.putPart(sessionOf('crc32'), PART, body, newCall({onSent: bytes => sent.push(bytes)}))
    expect(receipt).to.deep.equal({number: 1, size: 6, etag: md5Of(TEXT), crc32: crcOf(TEXT)})
    expect([seen[0]?.method, seen[0]?.path, seen[0]?.body]).to.deep.equal(['PUT', PART_PATH, TEXT])
    expect(wordsOf(seen[0]!)).to.deep.equal({'content-length': '6', 'x-amz-checksum-crc32': crcBase64(TEXT)})
    expect([body.readings(), sent]).to.deep.equal([2, [6]])
    expect(store.findings.get(ENDPOINT)).to.deep.equal({checksum: 'crc32'})
  })

  it('compares the MD5 where no echo comes, learns that, and goes on in md5 mode with one reading', async () => {
    const seen = answer([
      [200, '', ETAG],
      [200, '', ETAG],
    ])
    const store = open()
    const [first, second] = [countedBody(TEXT), countedBody(TEXT)]
    const receipt = await store.putPart(sessionOf('crc32'), PART, first, newCall())
    expect(receipt).to.deep.equal({number: 1, size: 6, etag: md5Of(TEXT), crc32: crcOf(TEXT)})
    expect(store.findings.get(ENDPOINT)).to.deep.equal({checksum: 'md5'})
    expect(await store.putPart(sessionOf('crc32'), PART, second, newCall())).to.deep.equal(receipt)
    expect(wordsOf(seen[1]!)).to.deep.equal({'content-length': '6'})
    expect([first.readings(), second.readings()]).to.deep.equal([3, 1])
  })

  const wrong: [string, Record<string, string>][] = [
    ['a wrong echo', {...ETAG, 'x-amz-checksum-crc32': crcBase64('other')}],
    ['no echo and the MD5 of other bytes', {etag: `"${md5Of('other')}"`}],
    ['no ETag', {'x-amz-checksum-crc32': crcBase64(TEXT)}],
  ]
  for (const [what, headers] of wrong) {
    it(`fails integrity, to be tried again, on ${what}; the mode stays`, async () => {
      answer([[200, '', headers]])
      const store = open()
      const failure = await failureOf(store.putPart(sessionOf('crc32'), PART, textBody(TEXT), newCall()))
      expect(failure).to.include({code: 'integrity', retryable: true})
      expect(failure).to.have.deep.property('context', {container: 'box', key: target.key, part: 1})
      expect(store.findings.get(ENDPOINT)).to.deep.equal({})
    })
  }

  for (const [what, headers] of [
    ['an ETag that is no MD5', {etag: '"0x8DB"'}],
    [
      'SSE-KMS, whose ETag only looks like one',
      {etag: `"${md5Of('sealed')}"`, 'x-amz-server-side-encryption': 'aws:kms'},
    ],
  ] as const) {
    it(`lets the store check Content-MD5 from the next attempt on, after no echo and ${what}`, async () => {
      const seen = answer([
        [200, '', headers],
        [200, '', headers],
        [200, '', headers],
      ])
      const store = open()
      expect(await failureOf(store.putPart(sessionOf('crc32'), PART, textBody(TEXT), newCall()))).to.include({
        code: 'integrity',
        retryable: true,
      })
      for (const index of [1, 2]) {
        const body = countedBody(TEXT)
        const receipt = await store.putPart(sessionOf('crc32'), PART, body, newCall())
        expect(receipt).to.include({etag: headers.etag.replaceAll('"', ''), crc32: crcOf(TEXT)})
        expect(wordsOf(seen[index]!)).to.deep.equal({'content-length': '6', 'content-md5': md5Base64(TEXT)})
        expect(body.readings()).to.equal(2)
      }
    })
  }

  it('accepts any ETag beside an echo', async () => {
    answer([[200, '', {etag: '"0x8DB"', 'x-amz-checksum-crc32': crcBase64(TEXT)}]])
    expect(await open({quirks: AWS}).putPart(sessionOf('crc32'), PART, textBody(TEXT), newCall())).to.include({
      etag: '0x8DB',
    })
  })
})

describe('putPart of S3 in md5 mode', () => {
  it('reads once: hashed while it leaves, compared with the ETag', async () => {
    const seen = answer([[200, '', ETAG]])
    const body = countedBody(TEXT)
    const receipt = await open().putPart(sessionOf('md5'), PART, body, newCall())
    expect(receipt).to.deep.equal({number: 1, size: 6, etag: md5Of(TEXT), crc32: crcOf(TEXT)})
    expect(wordsOf(seen[0]!)).to.deep.equal({'content-length': '6'})
    expect(body.readings()).to.equal(1)
  })

  it('fails integrity, to be tried again, on other bytes, and compares again the next time', async () => {
    const seen = answer([
      [200, '', {etag: `"${md5Of('other')}"`}],
      [200, '', ETAG],
    ])
    const store = open()
    expect(await failureOf(store.putPart(sessionOf('md5'), PART, textBody(TEXT), newCall()))).to.include({
      code: 'integrity',
      retryable: true,
    })
    await store.putPart(sessionOf('md5'), PART, textBody(TEXT), newCall())
    expect(wordsOf(seen[1]!)).to.deep.equal({'content-length': '6'})
  })

  it('lets the store check Content-MD5 once ETags turn out to be none', async () => {
    const seen = answer([
      [200, '', {etag: '"0x8DB"'}],
      [200, '', {etag: '"0x8DC"'}],
      [400, errorXml('BadDigest')],
    ])
    const store = open()
    expect(await failureOf(store.putPart(sessionOf('md5'), PART, textBody(TEXT), newCall()))).to.include({
      code: 'integrity',
      retryable: true,
    })
    expect(await store.putPart(sessionOf('md5'), PART, textBody(TEXT), newCall())).to.include({
      etag: '0x8DC',
      crc32: crcOf(TEXT),
    })
    expect(wordsOf(seen[1]!)).to.deep.equal({'content-length': '6', 'content-md5': md5Base64(TEXT)})
    expect(await failureOf(store.putPart(sessionOf('md5'), PART, textBody(TEXT), newCall()))).to.include({
      code: 'integrity',
      retryable: true,
    })
  })

  it('hashes anew when the store has the body sent again elsewhere', async () => {
    const elsewhere = 'http://other.test:9000'
    const seen = answer(
      ({host}) => (host === 'store.test:9000' ? [307, '', {location: `${elsewhere}${PART_PATH}`}] : [200, '', ETAG]),
      ENDPOINT,
      elsewhere,
    )
    expect(await open().putPart(sessionOf('md5'), PART, textBody(TEXT), newCall())).to.include({
      etag: md5Of(TEXT),
      crc32: crcOf(TEXT),
    })
    expect(seen.map(({host, body}) => [host, body])).to.deep.equal([
      ['store.test:9000', TEXT],
      ['other.test:9000', TEXT],
    ])
  })
})

describe('listParts of S3', () => {
  const part = (number: number): string =>
    `<Part><PartNumber>${number}</PartNumber><ETag>&quot;e${number}&quot;</ETag><Size>${number * 10}</Size></Part>`
  const page = (parts: number[], more: string): string =>
    `<ListPartsResult xmlns="x">${parts.map(part).join('')}${more}</ListPartsResult>`

  it('goes on from page to page', async () => {
    const more = '<IsTruncated>true</IsTruncated><NextPartNumberMarker>2</NextPartNumberMarker>'
    const seen = answer([
      [200, page([1, 2], more)],
      [200, page([5], '<IsTruncated>false</IsTruncated>')],
    ])
    expect(await open().listParts(sessionOf('crc32'), newCall())).to.deep.equal(
      [1, 2, 5].map(number => ({number, size: number * 10, etag: `e${number}`, crc32: ''})),
    )
    expect(seen.map(({method, path}) => `${method} ${path}`)).to.deep.equal(
      ['0', '2'].map(marker => `GET ${PATH}?max-parts=1000&part-number-marker=${marker}&uploadId=u%2F1%2B2%3D`),
    )
    expect(wordsOf(seen[1]!)).to.deep.equal({})
  })

  it('goes on after the last part where a store says that there is more and names no marker', async () => {
    const seen = answer([
      [200, page([1, 2], '<IsTruncated>true</IsTruncated>')],
      [200, page([3], '')],
    ])
    expect(await open().listParts(sessionOf('crc32'), newCall())).to.have.length(3)
    expect(seen[1]?.path).to.include('part-number-marker=2&')
  })

  it('ends where a store says that there is more and not where', async () => {
    const seen = answer([
      [200, page([1], '<IsTruncated>true</IsTruncated><NextPartNumberMarker>0</NextPartNumberMarker>')],
    ])
    expect(await open().listParts(sessionOf('crc32'), newCall())).to.have.length(1)
    expect(seen).to.have.length(1)
  })

  it('fails not-found when the store has forgotten the upload', async () => {
    answer([[404, errorXml('NoSuchUpload')]])
    expect(await failureOf(open().listParts(sessionOf('crc32'), newCall()))).to.include({
      code: 'not-found',
      retryable: false,
    })
  })
})

describe('abort of S3', () => {
  it('deletes the upload, and takes a forgotten one for success', async () => {
    const seen = answer([[204], [404, errorXml('NoSuchUpload')], [403, errorXml('AccessDenied')]])
    const store = open()
    await store.abort(sessionOf('crc32'), newCall())
    await store.abort(sessionOf('crc32'), newCall())
    expect(seen.map(({method, path}) => `${method} ${path}`)).to.deep.equal(
      Array(2).fill(`DELETE ${PATH}?uploadId=u%2F1%2B2%3D`),
    )
    expect(wordsOf(seen[0]!)).to.deep.equal({})
    expect(await failureOf(store.abort(sessionOf('crc32'), newCall()))).to.have.property('code', 'forbidden')
  })
})
