import {createHash} from 'node:crypto'
import {Readable} from 'node:stream'
import {crc32} from 'node:zlib'
import {
  ChecksumAlgorithm,
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  DeleteObjectTaggingCommand,
  GetObjectAclCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  PutObjectAclCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
} from '@aws-sdk/client-s3'
import type {S3Client, S3ServiceException} from '@aws-sdk/client-s3'
import {expect} from 'chai'
import {crc32ToBase64} from '../../src/core/crc32.ts'
import type {Sandbox} from '../../src/sandbox/server.ts'
import {closeAll, codeOf, openClient, openSandbox, sendRaw, sendSigned} from './support.ts'

describe('sandbox objects', () => {
  let sandbox: Sandbox
  let client: S3Client
  const Bucket = 'objects'

  before(async () => {
    sandbox = await openSandbox()
    client = openClient(sandbox)
    await client.send(new CreateBucketCommand({Bucket}))
  })
  after(closeAll)

  const put = async (Key: string, Body: string | Buffer, more = {}) =>
    client.send(new PutObjectCommand({Bucket, Key, Body, ...more}))
  const read = async (Key: string, more = {}) => {
    const answer = await client.send(new GetObjectCommand({Bucket, Key, ...more}))
    return {...answer, text: await answer.Body?.transformToString()}
  }

  it('keeps bytes, metadata and headers', async () => {
    const Expires = new Date('2030-01-02T03:04:05Z')
    const more = {
      ContentType: 'text/plain; charset=utf-8',
      CacheControl: 'max-age=60',
      ContentDisposition: 'attachment; filename="a b.txt"',
      ContentEncoding: 'identity',
      ContentLanguage: 'de',
      Expires,
      StorageClass: 'STANDARD_IA' as const,
      ServerSideEncryption: 'aws:kms' as const,
      Metadata: {Colour: 'blue  and green', 'with-dash': '1'},
      Tagging: 'a=1&b=two%20words',
    }
    const answer = await put('all', 'hello', more)
    expect(answer.ETag).to.equal(`"${createHash('md5').update('hello').digest('hex')}"`)
    expect(answer.ServerSideEncryption).to.equal('aws:kms')
    const {text, ...got} = await read('all')
    expect(text).to.equal('hello')
    expect(got).to.include({
      ContentType: more.ContentType,
      CacheControl: more.CacheControl,
      ContentDisposition: more.ContentDisposition,
      ContentEncoding: more.ContentEncoding,
      ContentLanguage: more.ContentLanguage,
      StorageClass: more.StorageClass,
      ServerSideEncryption: more.ServerSideEncryption,
      TagCount: 2,
      ContentLength: 5,
      AcceptRanges: 'bytes',
    })
    expect(got.ExpiresString).to.equal(Expires.toUTCString())
    expect(got.Metadata).to.deep.equal({colour: 'blue  and green', 'with-dash': '1'})
  })

  it('gives an object without a type the type of S3', async () => {
    await sendSigned(sandbox, {method: 'PUT', path: '/objects/untyped', body: 'x'})
    expect((await client.send(new HeadObjectCommand({Bucket, Key: 'untyped'}))).ContentType).to.equal(
      'binary/octet-stream',
    )
  })

  it('keeps an empty object', async () => {
    await put('empty', '')
    expect((await read('empty')).ContentLength).to.equal(0)
  })

  it('keeps 24 MiB sent as a stream in signed chunks with a trailing checksum', async () => {
    const bytes = Buffer.alloc(24 * 1024 * 1024, 'skylift ')
    const Body = Readable.from([bytes.subarray(0, 1_000_001), bytes.subarray(1_000_001)])
    const answer = await client.send(new PutObjectCommand({Bucket, Key: 'stream', Body, ContentLength: bytes.length}))
    expect(answer.ChecksumCRC32).to.equal(crc32ToBase64(crc32(bytes)))
    const got = await client.send(new GetObjectCommand({Bucket, Key: 'stream'}))
    expect(Buffer.from((await got.Body?.transformToByteArray()) ?? []).equals(bytes)).to.equal(true)
    expect(got.ContentEncoding).to.equal(undefined)
  })

  for (const algorithm of [ChecksumAlgorithm.CRC32, ChecksumAlgorithm.SHA1, ChecksumAlgorithm.SHA256]) {
    it(`verifies, echoes and keeps ${algorithm}`, async () => {
      const name = algorithm.toLowerCase()
      const field = `Checksum${algorithm}` as const
      const right =
        algorithm === 'CRC32' ? crc32ToBase64(crc32('hello')) : createHash(name).update('hello').digest('base64')
      const wrong = algorithm === 'CRC32' ? crc32ToBase64(1) : createHash(name).update('other').digest('base64')
      expect((await put(name, 'hello', {[field]: right}))[field]).to.equal(right)
      expect(await codeOf(put(name, 'hellO', {[field]: wrong}))).to.equal('BadDigest')
      const got = await read(name, {ChecksumMode: 'ENABLED'})
      expect(got.text).to.equal('hello')
      expect(got[field]).to.equal(right)
      expect(got.ChecksumType).to.equal('FULL_OBJECT')
      const attributes = await client.send(
        new GetObjectAttributesCommand({
          Bucket,
          Key: name,
          ObjectAttributes: ['ETag', 'Checksum', 'ObjectSize', 'StorageClass'],
        }),
      )
      expect(attributes.Checksum?.[field]).to.equal(right)
      expect(attributes.ObjectSize).to.equal(5)
      expect(attributes.StorageClass).to.equal('STANDARD')
      expect(attributes.ETag).to.equal(createHash('md5').update('hello').digest('hex'))
    })
  }

  const refused: [string, Record<string, string>, number, string][] = [
    ['a wrong MD5', {'content-md5': createHash('md5').update('other').digest('base64')}, 400, 'BadDigest'],
    ['what is no MD5', {'content-md5': 'nonsense'}, 400, 'InvalidDigest'],
    ['a CRC32 of the wrong length', {'x-amz-checksum-crc32': 'AAAA'}, 400, 'InvalidRequest'],
    [
      'two checksums',
      {'x-amz-checksum-crc32': 'AAAAAA==', 'x-amz-checksum-sha1': 'a'.repeat(27) + '='},
      400,
      'InvalidRequest',
    ],
    ['CRC32C', {'x-amz-checksum-crc32c': 'AAAAAA=='}, 501, 'NotImplemented'],
    ['CRC64NVME', {'x-amz-checksum-crc64nvme': 'AAAAAAAAAAA='}, 501, 'NotImplemented'],
    ['a wrong SHA-256 of the payload', {'x-amz-content-sha256': '0'.repeat(64)}, 400, 'XAmzContentSHA256Mismatch'],
    ['a customer key', {'x-amz-server-side-encryption-customer-algorithm': 'AES256'}, 501, 'NotImplemented'],
    ['a grant', {'x-amz-grant-read': 'id=x'}, 501, 'NotImplemented'],
    ['an object lock', {'x-amz-object-lock-mode': 'GOVERNANCE'}, 501, 'NotImplemented'],
    ['an unknown encryption', {'x-amz-server-side-encryption': 'rot13'}, 400, 'InvalidArgument'],
    ['an unknown class', {'x-amz-storage-class': 'ATTIC'}, 400, 'InvalidStorageClass'],
    ['an unknown ACL', {'x-amz-acl': 'all-mine'}, 400, 'InvalidArgument'],
    ['eleven tags', {'x-amz-tagging': Array.from({length: 11}, (_, i) => `k${i}=v`).join('&')}, 400, 'BadRequest'],
    ['a tag twice', {'x-amz-tagging': 'a=1&a=2'}, 400, 'InvalidTag'],
    ['3 KiB of metadata', {'x-amz-meta-a': 'x'.repeat(3000)}, 400, 'MetadataTooLarge'],
    ['an If-None-Match of an ETag', {'if-none-match': '"abc"'}, 501, 'NotImplemented'],
  ]
  for (const [what, headers, status, code] of refused) {
    it(`refuses ${what} with ${status} ${code} and keeps the old object`, async () => {
      await put('kept', 'old')
      const reply = await sendSigned(sandbox, {method: 'PUT', path: '/objects/kept', headers, body: 'new'})
      expect([reply.status, reply.code]).to.deep.equal([status, code])
      expect((await read('kept')).text).to.equal('old')
    })
  }

  it('refuses a PUT of unknown length', async () => {
    const unknown = await sendSigned(sandbox, {
      method: 'PUT',
      path: '/objects/x',
      headers: {'transfer-encoding': 'chunked'},
    })
    expect([unknown.status, unknown.code]).to.deep.equal([501, 'NotImplemented'])
  })

  it('writes on condition', async () => {
    expect(await codeOf(put('once', '1', {IfMatch: '"abc"'}))).to.equal('NoSuchKey')
    const {ETag} = await put('once', '1', {IfNoneMatch: '*'})
    expect(await codeOf(put('once', '2', {IfNoneMatch: '*'}))).to.equal('PreconditionFailed')
    expect(await codeOf(put('once', '2', {IfMatch: '"abc"'}))).to.equal('PreconditionFailed')
    expect((await read('once')).text).to.equal('1')
    await put('once', '3', {IfMatch: ETag})
    expect((await read('once')).text).to.equal('3')
  })

  it('lets one of many conditional writers win', async () => {
    const results = await Promise.all(
      Array.from({length: 20}, async (_, i) => codeOf(put('race', `writer ${i}`, {IfNoneMatch: '*'}))),
    )
    expect(results.filter(code => code === 'no error')).to.have.length(1)
    expect(results.filter(code => code === 'PreconditionFailed')).to.have.length(19)
    const winner = results.indexOf('no error')
    expect((await read('race')).text).to.equal(`writer ${winner}`)
  })

  it('reads on condition', async () => {
    const {ETag} = await put('conditions', 'x')
    const {LastModified = new Date(0)} = await client.send(new HeadObjectCommand({Bucket, Key: 'conditions'}))
    const later = new Date(LastModified.getTime() + 60_000)
    const earlier = new Date(LastModified.getTime() - 60_000)
    const status = async (more: object) =>
      read('conditions', more).then(
        answer => answer.$metadata.httpStatusCode,
        (error: S3ServiceException) => error.$metadata.httpStatusCode,
      )
    expect((await read('conditions', {IfMatch: ETag})).text).to.equal('x')
    expect(await codeOf(read('conditions', {IfMatch: '"a"'}))).to.equal('PreconditionFailed')
    expect(await status({IfNoneMatch: ETag})).to.equal(304)
    expect((await read('conditions', {IfNoneMatch: '"a"'})).text).to.equal('x')
    expect(await status({IfModifiedSince: LastModified})).to.equal(304)
    expect((await read('conditions', {IfModifiedSince: earlier})).text).to.equal('x')
    expect(await codeOf(read('conditions', {IfUnmodifiedSince: earlier}))).to.equal('PreconditionFailed')
    expect((await read('conditions', {IfUnmodifiedSince: later})).text).to.equal('x')
  })

  const ranges: [string, string, string][] = [
    ['bytes=0-0', 'a', '0-0'],
    ['bytes=2-4', 'cde', '2-4'],
    ['bytes=7-', 'hij', '7-9'],
    ['bytes=-3', 'hij', '7-9'],
    ['bytes=-100', 'abcdefghij', '0-9'],
    ['bytes=5-100', 'fghij', '5-9'],
  ]
  for (const [Range, bytes, part] of ranges) {
    it(`answers ${Range} of ten bytes with ${part}`, async () => {
      await put('ten', 'abcdefghij')
      const got = await read('ten', {Range})
      expect(got.$metadata.httpStatusCode).to.equal(206)
      expect(got.text).to.equal(bytes)
      expect(got.ContentRange).to.equal(`bytes ${part}/10`)
      expect(got.ContentLength).to.equal(bytes.length)
    })
  }
  for (const Range of ['bytes=10-', 'bytes=-0', 'bytes=100-200']) {
    it(`refuses ${Range} of ten bytes with 416`, async () => {
      await put('ten', 'abcdefghij')
      expect(await codeOf(read('ten', {Range}))).to.equal('InvalidRange')
    })
  }
  for (const Range of ['bytes=5-2', 'bytes=a-b', 'bytes=0-1,3-4', 'lines=1-2', 'bytes=-']) {
    it(`answers ${Range} with the whole object`, async () => {
      await put('ten', 'abcdefghij')
      const got = await read('ten', {Range})
      expect([got.$metadata.httpStatusCode, got.text]).to.deep.equal([200, 'abcdefghij'])
    })
  }

  it('answers with the headers that the query asks for', async () => {
    await put('override', 'x', {ContentType: 'text/plain'})
    const disposition = `attachment; filename="r_sum_.txt"; filename*=UTF-8''r%C3%A9sum%C3%A9%2C%20v2.txt`
    const got = await read('override', {
      ResponseContentDisposition: disposition,
      ResponseContentType: 'a/b',
      ResponseCacheControl: 'no-store',
    })
    expect(got).to.include({ContentDisposition: disposition, ContentType: 'a/b', CacheControl: 'no-store'})
    const split = await sendSigned(sandbox, {
      path: '/objects/override',
      query: {'response-content-type': 'a\r\nx-evil: 1'},
    })
    expect([split.status, split.code]).to.deep.equal([400, 'InvalidArgument'])
  })

  it('deletes, also what is not there', async () => {
    await put('gone', 'x')
    const first = await client.send(new DeleteObjectCommand({Bucket, Key: 'gone'}))
    const second = await client.send(new DeleteObjectCommand({Bucket, Key: 'gone'}))
    expect([first.$metadata.httpStatusCode, second.$metadata.httpStatusCode]).to.deep.equal([204, 204])
    expect(await codeOf(read('gone'))).to.equal('NoSuchKey')
    expect(await codeOf(client.send(new HeadObjectCommand({Bucket, Key: 'gone'})))).to.equal('NotFound')
  })

  it('deletes many, and in silence when asked', async () => {
    await Promise.all(['m/1', 'm/<&>', 'm/ü'].map(async Key => put(Key, 'x')))
    const loud = await client.send(
      new DeleteObjectsCommand({Bucket, Delete: {Objects: [{Key: 'm/1'}, {Key: 'm/none'}]}}),
    )
    expect(loud.Deleted?.map(each => each.Key)).to.deep.equal(['m/1', 'm/none'])
    const quiet = await client.send(
      new DeleteObjectsCommand({Bucket, Delete: {Quiet: true, Objects: [{Key: 'm/<&>'}, {Key: 'm/ü'}]}}),
    )
    expect(quiet.Deleted).to.equal(undefined)
    expect(await codeOf(read('m/<&>'))).to.equal('NoSuchKey')
    expect(await codeOf(read('m/ü'))).to.equal('NoSuchKey')
  })

  it("copies, with the source's metadata or with new", async () => {
    await put('source ü', 'to copy', {Metadata: {a: '1'}, ContentType: 'text/x', Tagging: 'k=v'})
    const CopySource = `${Bucket}/${encodeURIComponent('source ü')}`
    await client.send(new CopyObjectCommand({Bucket, Key: 'copy', CopySource}))
    await client.send(new DeleteObjectCommand({Bucket, Key: 'source ü'}))
    const copy = await read('copy')
    expect(copy).to.deep.include({text: 'to copy', Metadata: {a: '1'}, ContentType: 'text/x', TagCount: 1})
    await client.send(
      new CopyObjectCommand({
        Bucket,
        Key: 'copy',
        CopySource: `${Bucket}/copy`,
        MetadataDirective: 'REPLACE',
        Metadata: {b: '2'},
        ContentType: 'text/y',
      }),
    )
    expect(await read('copy')).to.deep.include({text: 'to copy', Metadata: {b: '2'}, ContentType: 'text/y'})
    const onto = (more = {}) =>
      codeOf(client.send(new CopyObjectCommand({Bucket, Key: 'copy', CopySource: `${Bucket}/copy`, ...more})))
    expect(await onto()).to.equal('InvalidRequest')
    expect(await onto({CopySource: `${Bucket}/nothing`})).to.equal('NoSuchKey')
    expect(await onto({CopySource: 'nowhere/x'})).to.equal('NoSuchBucket')
    expect(await onto({CopySource: `${Bucket}/copy`, CopySourceIfMatch: '"x"'})).to.equal('PreconditionFailed')
  })

  it('keeps, replaces and removes tags', async () => {
    await put('tags', 'x')
    const get = async () => (await client.send(new GetObjectTaggingCommand({Bucket, Key: 'tags'}))).TagSet
    expect(await get()).to.deep.equal([])
    const TagSet = [{Key: 'colour', Value: 'blue & <green>'}]
    await client.send(new PutObjectTaggingCommand({Bucket, Key: 'tags', Tagging: {TagSet}}))
    expect(await get()).to.deep.equal(TagSet)
    await client.send(new DeleteObjectTaggingCommand({Bucket, Key: 'tags'}))
    expect(await get()).to.deep.equal([])
  })

  it('makes an object public by its ACL, and private again', async () => {
    await put('public', 'for all')
    expect((await sendRaw(sandbox, {path: '/objects/public'})).code).to.equal('AccessDenied')
    await client.send(new PutObjectAclCommand({Bucket, Key: 'public', ACL: 'public-read'}))
    const {Grants} = await client.send(new GetObjectAclCommand({Bucket, Key: 'public'}))
    expect(Grants?.map(grant => grant.Permission)).to.deep.equal(['FULL_CONTROL', 'READ'])
    expect((await sendRaw(sandbox, {path: '/objects/public?v=3'})).text).to.equal('for all')
    const override = await sendRaw(sandbox, {path: '/objects/public', query: {'response-content-type': 'x/y'}})
    expect([override.status, override.code]).to.deep.equal([400, 'InvalidRequest'])
    expect((await sendRaw(sandbox, {method: 'PUT', path: '/objects/public', body: 'mine'})).code).to.equal(
      'AccessDenied',
    )
    await client.send(new PutObjectAclCommand({Bucket, Key: 'public', ACL: 'private'}))
    expect((await sendRaw(sandbox, {path: '/objects/public'})).code).to.equal('AccessDenied')
  })

  it('lets a reader finish while the object is overwritten and deleted', async () => {
    const old = Buffer.alloc(32 * 1024 * 1024, 'old ')
    await put('read', old)
    const answer = await client.send(new GetObjectCommand({Bucket, Key: 'read'}))
    await put('read', 'new')
    await client.send(new DeleteObjectCommand({Bucket, Key: 'read'}))
    const bytes = Buffer.from((await answer.Body?.transformToByteArray()) ?? [])
    expect(bytes.equals(old)).to.equal(true)
  })
})
