import {expect} from 'chai'
import type {ObjectInfo, PendingUpload} from '../../../src/stores/store.ts'
import {failureOf} from '../../http/support.ts'
import {answer, crcBase64, crcOf, errorXml, newCall, open, PATH, stopAnswering, target, wordsOf} from './wire.ts'

afterEach(stopAnswering)

const HEADERS = {
  'content-length': '11',
  'content-type': 'text/plain',
  'content-disposition': 'attachment',
  'last-modified': 'Wed, 12 Oct 2009 17:50:00 GMT',
  etag: '"abc-3"',
  'x-amz-version-id': 'v1',
  'x-amz-checksum-crc32': crcBase64('hello world'),
  'x-amz-meta-origin': 'build 7',
  'x-amz-meta-city': '=?UTF-8?B?WsO8cmljaA==?=',
}
const INFO: ObjectInfo = {
  target,
  size: 11,
  etag: 'abc-3',
  modified: new Date('2009-10-12T17:50:00Z'),
  contentType: 'text/plain',
  contentDisposition: 'attachment',
  metadata: {origin: 'build 7', city: 'Zürich'},
  crc32: crcOf('hello world'),
  versionId: 'v1',
  parts: 3,
}

async function collect<T>(list: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const each of list) all.push(each)
  return all
}

describe('head of S3', () => {
  it('asks for checksums and reads what the answer says', async () => {
    const seen = answer([[200, '', HEADERS]])
    expect(await open().head(target, newCall())).to.deep.equal(INFO)
    expect(seen.map(({method, path}) => `${method} ${path}`)).to.deep.equal([`HEAD ${PATH}`])
    expect(wordsOf(seen[0]!)).to.deep.equal({'x-amz-checksum-mode': 'ENABLED'})
  })

  it('does not take a checksum of checksums for the one of the whole', async () => {
    answer([
      [200, '', {...HEADERS, 'x-amz-checksum-type': 'COMPOSITE'}],
      [200, '', {...HEADERS, 'x-amz-checksum-crc32': `${crcBase64('x')}-3`}],
    ])
    const store = open()
    expect(await store.head(target, newCall())).to.not.have.property('crc32')
    expect(await store.head(target, newCall())).to.not.have.property('crc32')
  })

  it('says no more than the answer does', async () => {
    answer([[200, '', {etag: 'W/"e"'}]])
    expect(await open().head(target, newCall())).to.deep.equal({target, size: 0, etag: 'e', metadata: {}})
  })

  it('fails not-found, without a body to tell it', async () => {
    answer([[404]])
    expect(await failureOf(open().head(target, newCall()))).to.include({
      code: 'not-found',
      message: `There is no "box/${target.key}".`,
    })
  })
})

describe('read of S3', () => {
  it('reads the whole, or a range', async () => {
    const seen = answer([
      [200, 'hello world', HEADERS],
      [206, 'wor', {...HEADERS, 'content-length': '3', 'content-range': 'bytes 6-8/11'}],
    ])
    const store = open()
    for (const [range, text] of [
      [undefined, 'hello world'],
      [{offset: 6, size: 3}, 'wor'],
    ] as const) {
      let read = ''
      expect(await store.read(target, range, bytes => void (read += bytes.toString()), newCall())).to.include({
        size: 11,
        etag: 'abc-3',
      })
      expect(read).to.equal(text)
    }
    expect(seen.map(({method, path}) => `${method} ${path}`)).to.deep.equal([`GET ${PATH}`, `GET ${PATH}`])
    expect(seen.map(wordsOf)).to.deep.equal([{}, {range: 'bytes=6-8'}])
  })

  it('hands over nothing of a refusal', async () => {
    answer([[404, errorXml('NoSuchKey')]])
    let read = ''
    expect(
      await failureOf(open().read(target, undefined, bytes => void (read += bytes.toString()), newCall())),
    ).to.have.property('code', 'not-found')
    expect(read).to.equal('')
  })
})

describe('list of S3', () => {
  const entry = (key: string): string =>
    `<Contents><Key>${key}</Key><LastModified>2009-10-12T17:50:00.000Z</LastModified><ETag>&quot;e&quot;</ETag><Size>5</Size></Contents>`
  const prefix = {...target, key: 'a b/'}
  const first = '/box?encoding-type=url&list-type=2&prefix=a%20b%2F'

  it('goes on from page to page, and decodes keys, + too', async () => {
    const seen = answer([
      [
        200,
        `<ListBucketResult><EncodingType>url</EncodingType>${entry('a+b/c%2Bd')}${entry('a%20b/%C3%BC%25')}<IsTruncated>true</IsTruncated><NextContinuationToken>t+1=</NextContinuationToken></ListBucketResult>`,
      ],
      [
        200,
        `<ListBucketResult><EncodingType>url</EncodingType>${entry('a%2520')}<IsTruncated>false</IsTruncated></ListBucketResult>`,
      ],
    ])
    const all = await collect(open().list(prefix, newCall()))
    expect(all.map(({target}) => target.key)).to.deep.equal(['a b/c+d', 'a b/ü%', 'a%20'])
    expect(all[0]).to.deep.equal({
      target: {...target, key: 'a b/c+d'},
      size: 5,
      etag: 'e',
      modified: new Date('2009-10-12T17:50:00Z'),
    })
    expect(seen.map(({path}) => path)).to.deep.equal([
      first,
      '/box?continuation-token=t%2B1%3D&encoding-type=url&list-type=2&prefix=a%20b%2F',
    ])
    expect(wordsOf(seen[0]!)).to.deep.equal({})
  })

  it('takes keys as they are from a store that does not encode them', async () => {
    answer([
      [200, `<ListBucketResult>${entry('a+b')}${entry('100%')}${entry('a%20b')}${entry('x&amp;y')}</ListBucketResult>`],
    ])
    const all = await collect(open().list(prefix, newCall()))
    expect(all.map(({target}) => target.key)).to.deep.equal(['a+b', '100%', 'a%20b', 'x&y'])
  })

  it('survives a store that says it encodes and does not', async () => {
    answer([[200, `<ListBucketResult><EncodingType>url</EncodingType>${entry('100%')}</ListBucketResult>`]])
    expect((await collect(open().list(prefix, newCall()))).map(({target}) => target.key)).to.deep.equal(['100%'])
  })

  it('begins after a key', async () => {
    const seen = answer([[200, '<ListBucketResult/>']])
    expect(await collect(open().list(prefix, newCall(), 'a b/ü'))).to.deep.equal([])
    expect(seen[0]?.path).to.equal(`${first}&start-after=a%20b%2F%C3%BC`)
  })

  it('ends where a store says that there is more and not where', async () => {
    const seen = answer([[200, '<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>']])
    expect(await collect(open().list(prefix, newCall()))).to.deep.equal([])
    expect(seen).to.have.length(1)
  })

  it('fails in the middle as the store does', async () => {
    answer([
      [
        200,
        `<ListBucketResult>${entry('a')}<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken></ListBucketResult>`,
      ],
      [503, errorXml('SlowDown')],
    ])
    const keys: string[] = []
    const failure = await failureOf(
      (async () => {
        for await (const {target} of open().list(prefix, newCall())) keys.push(target.key)
      })(),
    )
    expect(failure).to.include({code: 'busy', retryable: true})
    expect(keys).to.deep.equal(['a'])
  })
})

describe('listUploads of S3', () => {
  it('goes on from page to page', async () => {
    const upload = (key: string, id: string): string =>
      `<Upload><Key>${key}</Key><UploadId>${id}</UploadId><Initiated>2010-11-10T20:48:33.000Z</Initiated></Upload>`
    const seen = answer([
      [
        200,
        `<ListMultipartUploadsResult><EncodingType>url</EncodingType>${upload('a+b', 'u1')}<IsTruncated>true</IsTruncated><NextKeyMarker>a+b</NextKeyMarker><NextUploadIdMarker>u1</NextUploadIdMarker></ListMultipartUploadsResult>`,
      ],
      [
        200,
        `<ListMultipartUploadsResult><EncodingType>url</EncodingType>${upload('a%2Bb', 'u2')}<IsTruncated>false</IsTruncated></ListMultipartUploadsResult>`,
      ],
    ])
    const all: PendingUpload[] = await collect(open().listUploads({...target, key: 'a'}, newCall()))
    const started = new Date('2010-11-10T20:48:33Z')
    expect(all).to.deep.equal([
      {target: {...target, key: 'a b'}, uploadId: 'u1', started},
      {target: {...target, key: 'a+b'}, uploadId: 'u2', started},
    ])
    expect(seen.map(({path}) => path)).to.deep.equal([
      '/box?encoding-type=url&prefix=a&uploads=',
      '/box?encoding-type=url&key-marker=a%20b&prefix=a&upload-id-marker=u1&uploads=',
    ])
  })
})

describe('deleteObject of S3', () => {
  it('deletes, and takes what is gone for success', async () => {
    const seen = answer([[204], [404, errorXml('NoSuchKey')], [404, errorXml('NoSuchBucket')]])
    const store = open()
    await store.deleteObject(target, newCall())
    await store.deleteObject(target, newCall())
    expect(await failureOf(store.deleteObject(target, newCall()))).to.have.property('code', 'not-found')
    expect(seen.map(({method, path}) => `${method} ${path}`)).to.deep.equal(Array(3).fill(`DELETE ${PATH}`))
  })
})
