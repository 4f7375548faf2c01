import {expect} from 'chai'
import type {ObjectInfo, PendingUpload} from '../../../src/stores/store.ts'
import {failureOf} from '../../http/support.ts'
import {
  answer,
  crcBase64,
  crcOf,
  errorXml,
  joinedEtag,
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

  for (const status of [400, 501] as const) {
    it(`asks without checksums where they are refused with ${status}, from then on`, async () => {
      for (const second of [[200, '', HEADERS], [404]] satisfies Reply[]) {
        let looksWithout = 0
        const seen = answer(({method, headers}) => {
          if (method === 'GET' || 'x-amz-checksum-mode' in headers) return [status]
          return ++looksWithout === 1 ? second : [404]
        })
        const store = open()
        const asking = store.head(target, newCall())
        if (second[0] === 200) expect(await asking).to.include({size: 11})
        else expect(await failureOf(asking)).to.include({code: 'not-found'})
        expect(await failureOf(store.head(target, newCall()))).to.include({code: 'not-found'})
        const looks = seen.filter(({method}) => method === 'HEAD')
        expect(looks.map(wordsOf)).to.deep.equal([{'x-amz-checksum-mode': 'ENABLED'}, {}, {}])
        stopAnswering()
      }
    })
  }

  it('goes on asking for checksums where something else was refused, or nothing was told', async () => {
    for (const second of [[400], 'reset', [503]] satisfies Reply[]) {
      let isFirst = true
      const seen = answer(({method, headers}) => {
        if (method === 'GET') return [400]
        return 'x-amz-checksum-mode' in headers ? (isFirst ? [400] : [200, '', HEADERS]) : second
      })
      const store = open()
      await failureOf(store.head(target, newCall()))
      isFirst = false
      expect(await store.head(target, newCall())).to.include({size: 11})
      expect(wordsOf(seen.at(-1)!)).to.deep.equal({'x-amz-checksum-mode': 'ENABLED'})
      stopAnswering()
    }
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
    expect(await open().head(target, newCall())).to.deep.equal({target, size: -1, etag: 'e', metadata: {}})
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

  it('hands over nothing where the store passes over the range, or sends another', async () => {
    for (const reply of [
      [200, 'hello world', HEADERS],
      [206, 'hel', {...HEADERS, 'content-length': '3', 'content-range': 'bytes 0-2/11'}],
    ] satisfies Reply[]) {
      answer([reply])
      let read = ''
      const reading = open().read(target, {offset: 6, size: 3}, bytes => void (read += bytes.toString()), newCall())
      expect(await failureOf(reading)).to.include({code: 'unsupported', retryable: false})
      expect(read).to.equal('')
      stopAnswering()
    }
  })

  it('takes the whole for a range that is the whole', async () => {
    answer([[200, 'hello world', HEADERS]])
    let read = ''
    await open().read(target, {offset: 0, size: 11}, bytes => void (read += bytes.toString()), newCall())
    expect(read).to.equal('hello world')
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

describe('compare of S3 where the size is not said', () => {
  const {'content-length': _, 'x-amz-checksum-crc32': __, ...silent} = HEADERS
  const compare = (text: string, headers: Record<string, string>) => {
    answer(({path}) => (path.includes('partNumber') ? [400] : [200, '', {...silent, ...headers}]))
    return open().compare(target, textBody(text), {}, newCall())
  }

  for (const [by, headers] of [
    ['crc32', {'x-amz-checksum-crc32': crcBase64('hello world')}],
    ['md5', {etag: `"${md5Of('hello world')}"`}],
    ['md5', {etag: `"${md5Of('hello world').toUpperCase()}"`}],
    ['md5', {etag: `"${joinedEtag('hello world').toUpperCase()}"`}],
  ] satisfies [string, Record<string, string>][]) {
    it(`tells by the ${by} of ${Object.values(headers).join()}`, async () => {
      expect(await compare('hello world', headers))
        .to.deep.include({by})
        .and.nested.include({'info.size': 11})
      stopAnswering()
      if (!headers['etag']?.endsWith('-1"'))
        expect(await failureOf(compare('hello', headers))).to.include({code: 'integrity'})
    })
  }

  it('says that it cannot tell without them', async () => {
    expect(await compare('hello world', {})).to.not.have.property('by')
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

  const more = (...keys: string[]): Reply => [
    200,
    `<ListBucketResult>${keys.map(entry).join('')}<IsTruncated>true</IsTruncated></ListBucketResult>`,
  ]

  it('goes on after the last key where a store says that there is more and names no token', async () => {
    const seen = answer([more('a', 'b+ü'), more('c'), [200, `<ListBucketResult>${entry('d')}</ListBucketResult>`]])
    const all = await collect(open().list(prefix, newCall()))
    expect(all.map(({target}) => target.key)).to.deep.equal(['a', 'b+ü', 'c', 'd'])
    const after = (key: string): string =>
      `/box?encoding-type=url&list-type=2&marker=${key}&prefix=a%20b%2F&start-after=${key}`
    expect(seen.map(({path}) => path)).to.deep.equal([first, after('b%2B%C3%BC'), after('c')])
  })

  it('fails where nothing new comes, or nothing tells where to go on', async () => {
    for (const [pages, keys] of [
      [[more('a', 'b'), more('a', 'b')], 'a b'],
      [[more('a', 'b'), more()], 'a b'],
      [[more()], ''],
    ] satisfies [Reply[], string][]) {
      const seen = answer(pages)
      const found: string[] = []
      const listing = async (): Promise<void> => {
        for await (const {target} of open().list(prefix, newCall())) found.push(target.key)
      }
      const failure = await failureOf(listing())
      expect(failure).to.include({code: 'network', retryable: false})
      expect(failure.message).to.include('does not go on')
      expect(found.join(' ')).to.equal(keys)
      expect(seen).to.have.length(pages.length)
      stopAnswering()
    }
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
  const upload = (key: string, id: string): string =>
    `<Upload><Key>${key}</Key><UploadId>${id}</UploadId><Initiated>2010-11-10T20:48:33.000Z</Initiated></Upload>`
  const more = (...uploads: string[]): Reply => [
    200,
    `<ListMultipartUploadsResult>${uploads.join('')}<IsTruncated>true</IsTruncated></ListMultipartUploadsResult>`,
  ]

  it('goes on from page to page', async () => {
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

  it('asks again for keys as they are where they may be encoded and nobody says so', async () => {
    const page = (...keys: string[]): Reply => [
      200,
      `<ListMultipartUploadsResult>${keys.map((key, at) => upload(key, `u${at}`)).join('')}</ListMultipartUploadsResult>`,
    ]
    const seen = answer([page('a', 'odd%20%2B%2520'), page('a', 'odd +%20')])
    const all = await collect(open().listUploads({...target, key: ''}, newCall()))
    expect(all.map(each => each.target.key)).to.deep.equal(['a', 'odd +%20'])
    expect(seen.map(({path}) => path)).to.deep.equal([
      '/box?encoding-type=url&prefix=&uploads=',
      '/box?prefix=&uploads=',
    ])
  })

  it('goes on after the last upload where a store says that there is more and names no marker', async () => {
    const last: Reply = [200, `<ListMultipartUploadsResult>${upload('b', 'u3')}</ListMultipartUploadsResult>`]
    const seen = answer([more(upload('a+b', 'u1'), upload('a+b', 'u2')), last])
    const all = await collect(open().listUploads({...target, key: ''}, newCall()))
    expect(all.map(({uploadId}) => uploadId)).to.deep.equal(['u1', 'u2', 'u3'])
    expect(seen[1]?.path).to.equal('/box?encoding-type=url&key-marker=a%2Bb&prefix=&upload-id-marker=u2&uploads=')
  })

  it('fails where nothing new comes, or nothing tells where to go on', async () => {
    for (const pages of [[more(upload('a', 'u1')), more(upload('a', 'u1'))], [more()]]) {
      const seen = answer(pages)
      const failure = await failureOf(collect(open().listUploads({...target, key: ''}, newCall())))
      expect(failure).to.include({code: 'network', retryable: false})
      expect(failure.message).to.include('does not go on')
      expect(seen).to.have.length(pages.length)
      stopAnswering()
    }
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
