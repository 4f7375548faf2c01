import {createHash, randomBytes} from 'node:crypto'
import {expect} from 'chai'
import {skipUnless} from '../support/skip.ts'
import {buildSink, canBuildSink, makeCertificate, startSink, type Sink} from './sink.ts'

const md5 = (data: Buffer | string): string => createHash('md5').update(data).digest('hex')

describe('the sink of the bench', function () {
  this.timeout(60_000)
  let sink: Sink

  before(async function () {
    skipUnless(
      this,
      await canBuildSink(),
      'a C compiler or OpenSSL is missing (Debian: apt-get install gcc libssl-dev)',
    )
    sink = await startSink(await buildSink(), await makeCertificate(), ['-m'])
  })

  after(async () => sink?.stop())
  beforeEach(async () => sink.reset())

  const call = async (
    method: string,
    path: string,
    body?: Uint8Array<ArrayBuffer> | string,
    headers: Record<string, string> = {},
  ) => {
    const answer = await fetch(sink.http + path, {method, headers, ...(body === undefined ? {} : {body})})
    return {status: answer.status, headers: answer.headers, text: await answer.text()}
  }
  const begin = async (): Promise<string> =>
    /<UploadId>(.+)<\/UploadId>/.exec((await call('POST', '/b/k?uploads')).text)?.[1] ?? ''

  it('joins parts in the order of the list, with the ETag that S3 would give', async () => {
    const parts = [1, 2, 3].map(number => randomBytes(number * 100_000))
    const id = await begin()
    for (const number of [3, 1, 2]) {
      const body = parts[number - 1] ?? Buffer.alloc(0)
      const put = await call('PUT', `/b/k?partNumber=${number}&uploadId=${id}`, body, {
        'x-amz-checksum-crc32': 'AAAAAA==',
      })
      expect(put.headers.get('etag')).to.equal(`"${md5(body)}"`)
      expect(put.headers.get('x-amz-checksum-crc32')).to.equal('AAAAAA==')
    }
    const list = [1, 2, 3].map(number => `<Part><PartNumber>${number}</PartNumber></Part>`).join('')
    const completed = await call(
      'POST',
      `/b/k?uploadId=${id}`,
      `<CompleteMultipartUpload>${list}</CompleteMultipartUpload>`,
    )
    const etag = `"${md5(Buffer.concat(parts.map(part => createHash('md5').update(part).digest())))}-3"`
    expect(completed.text).to.contain(`<ETag>${etag}</ETag>`)
    const head = await call('HEAD', '/b/k')
    expect(head.headers.get('content-length')).to.equal('600000')
    expect(head.headers.get('etag')).to.equal(etag)
    expect(await sink.stats()).to.include({bytes: 600_000, part: 3, complete: 1, put: 0, cut: 0})
  })

  it('lists parts in pages and forgets the upload when it is aborted', async () => {
    const id = await begin()
    for (const number of [9, 2, 5]) await call('PUT', `/b/k?partNumber=${number}&uploadId=${id}`, 'x'.repeat(number))
    const numbers = (text: string) => [...text.matchAll(/<PartNumber>(\d+)</g)].map(match => Number(match[1]))
    const first = await call('GET', `/b/k?uploadId=${id}&max-parts=2`)
    expect(numbers(first.text)).to.deep.equal([2, 5])
    expect(first.text).to.contain('<IsTruncated>true<').and.to.contain('<NextPartNumberMarker>5<')
    const second = await call('GET', `/b/k?uploadId=${id}&part-number-marker=5`)
    expect(numbers(second.text)).to.deep.equal([9])
    expect(second.text)
      .to.contain('<Size>9</Size>')
      .and.to.contain(`<ETag>"${md5('xxxxxxxxx')}"</ETag>`)
    expect((await call('DELETE', `/b/k?uploadId=${id}`)).status).to.equal(204)
    expect((await call('GET', `/b/k?uploadId=${id}`)).text).to.contain('NoSuchUpload')
  })

  it('refuses a list with a part that it does not have', async () => {
    const id = await begin()
    const completed = await call('POST', `/b/k?uploadId=${id}`, '<Part><PartNumber>1</PartNumber></Part>')
    expect(completed).to.include({status: 400}).and.to.have.property('text').that.contains('InvalidPart')
  })

  it('echoes checksum headers at PUT and Create', async () => {
    const put = await call('PUT', '/b/k', 'abc', {'x-amz-checksum-crc32': 'NSRBwg=='})
    expect(put.headers.get('x-amz-checksum-crc32')).to.equal('NSRBwg==')
    const wish = {'x-amz-checksum-algorithm': 'CRC32', 'x-amz-checksum-type': 'FULL_OBJECT'}
    const created = await call('POST', '/b/k?uploads', undefined, wish)
    for (const [name, value] of Object.entries(wish)) expect(created.headers.get(name)).to.equal(value)
  })

  it('takes an SLO manifest, with and without a heartbeat, and lists its segments', async () => {
    for (const name of ['a%20ñ/1', 'a%20ñ/2', 'b/1']) await call('PUT', `/v1/AUTH_test/c/${name}`, name)
    const manifest = JSON.stringify([
      {path: '/c/a "etag": {ñ}/1', etag: '0'.repeat(32), size_bytes: 11},
      {path: '/c/a ñ/2', size_bytes: 4_000_000_000, etag: '1'.repeat(32)},
    ])
    const etag = `"${md5('0'.repeat(32) + '1'.repeat(32))}"`
    const put = await call('PUT', '/v1/AUTH_test/c/whole?multipart-manifest=put', manifest)
    expect([put.status, put.headers.get('etag')]).to.deep.equal([201, etag])
    const head = await call('HEAD', '/v1/AUTH_test/c/whole')
    expect(head.headers.get('x-static-large-object')).to.equal('True')
    expect(head.headers.get('content-length')).to.equal('4000000011')
    const beating = await call('PUT', '/v1/AUTH_test/c/whole?multipart-manifest=put&heartbeat=on', manifest)
    expect(beating.status).to.equal(202)
    expect(JSON.parse(beating.text)).to.include({'Response Status': '201 Created', Etag: etag})
    const listed = await call('GET', '/v1/AUTH_test/c?prefix=a%20&format=json')
    const rows = JSON.parse(listed.text) as {name: string; hash: string}[]
    expect(rows.map(row => row.name)).to.deep.equal(['a ñ/1', 'a ñ/2'])
    expect(rows[0]?.hash).to.equal(md5('a%20ñ/1'))
  })

  it('says the ETags that it was told, by the size of a body', async () => {
    const told = await startSink(await buildSink(), await makeCertificate(), ['-e', `3=${md5('abc')}`])
    try {
      const put = async (path: string, body: string): Promise<string | null> =>
        (await fetch(told.http + path, {method: 'PUT', body})).headers.get('etag')
      expect(await put('/b/k', 'xyz')).to.equal(`"${md5('abc')}"`)
      expect(await put('/v1/AUTH_test/b/k', 'xyz')).to.equal(md5('abc'))
      expect(await put('/b/k', 'four')).to.match(/^"sink-/)
    } finally {
      await told.stop()
    }
  })
})
