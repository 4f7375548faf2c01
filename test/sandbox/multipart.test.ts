import {createHash, randomBytes} from 'node:crypto'
import {appendFile, readdir, readFile} from 'node:fs/promises'
import {join} from 'node:path'
import {crc32} from 'node:zlib'
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  PutObjectCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3'
import type {CompletedPart, CreateMultipartUploadCommandInput, S3Client} from '@aws-sdk/client-s3'
import {expect} from 'chai'
import {crc32ToBase64} from '../../src/core/crc32.ts'
import {closeAll, codeOf, openClient, openSandbox, sendSigned} from './support.ts'
import {SOON} from '../support/soon.ts'

const MIB = 1024 * 1024
const Bucket = 'multipart'
const five = randomBytes(5 * MIB)
const last = randomBytes(1234)
const whole = Buffer.concat([five, five, last])

const md5 = (bytes: Buffer) => createHash('md5').update(bytes).digest()
const etagOf = (...parts: Buffer[]) => `"${md5(Buffer.concat(parts.map(md5))).toString('hex')}-${parts.length}"`
const crcOf = (bytes: Buffer) => crc32ToBase64(crc32(bytes))

describe('sandbox multipart', () => {
  let sandbox: Awaited<ReturnType<typeof openSandbox>>
  let client: S3Client

  before(async () => {
    sandbox = await openSandbox()
    client = openClient(sandbox, {requestChecksumCalculation: 'WHEN_REQUIRED'})
    await client.send(new CreateBucketCommand({Bucket}))
  })
  after(closeAll)

  const create = async (Key: string, more: Partial<CreateMultipartUploadCommandInput> = {}) => {
    const {UploadId = ''} = await client.send(new CreateMultipartUploadCommand({Bucket, Key, ...more}))
    return {Bucket, Key, UploadId}
  }
  type Upload = Awaited<ReturnType<typeof create>>
  const send = async (upload: Upload, PartNumber: number, Body: Buffer, more = {}): Promise<CompletedPart> => {
    const {ETag, ChecksumCRC32} = await client.send(new UploadPartCommand({...upload, PartNumber, Body, ...more}))
    return {PartNumber, ETag, ChecksumCRC32}
  }
  const complete = async (upload: Upload, Parts: CompletedPart[], more = {}) =>
    client.send(new CompleteMultipartUploadCommand({...upload, MultipartUpload: {Parts}, ...more}))
  const read = async (Key: string) => {
    const {Body} = await client.send(new GetObjectCommand({Bucket, Key}))
    return Buffer.from((await Body?.transformToByteArray()) ?? [])
  }
  const segments = () => readdir(join(sandbox.folder, 'segments'))
  /** How many there are now that were not there before; those of what was replaced go a little later. */
  const newSegments = async (before: readonly string[]) =>
    (await segments()).filter(name => !before.includes(name)).length

  it('joins parts that came in any order', async () => {
    const upload = await create('joined', {ContentType: 'a/b', Metadata: {m: '1'}, Tagging: 'a=b'})
    const sent = await Promise.all([send(upload, 7, last), send(upload, 2, five), send(upload, 5, five)])
    const [third, first, second] = sent
    expect(first.ETag).to.equal(`"${md5(five).toString('hex')}"`)
    const done = await complete(upload, [first, second, third])
    expect(done.ETag).to.equal(etagOf(five, five, last))
    expect(done.Location).to.equal(`${sandbox.endpoint}/multipart/joined`)
    expect((await read('joined')).equals(whole)).to.equal(true)
    const head = await client.send(new HeadObjectCommand({Bucket, Key: 'joined'}))
    expect(head).to.deep.include({
      ContentLength: whole.length,
      ETag: etagOf(five, five, last),
      ContentType: 'a/b',
      Metadata: {m: '1'},
    })
    expect(await codeOf(client.send(new ListPartsCommand(upload)))).to.equal('NoSuchUpload')
  })

  it('reads ranges across parts, and single parts', async () => {
    for (const [from, to] of [
      [0, 0],
      [5 * MIB - 3, 5 * MIB + 3],
      [5 * MIB, 10 * MIB - 1],
      [10 * MIB - 1, whole.length - 1],
    ] as const) {
      const got = await client.send(new GetObjectCommand({Bucket, Key: 'joined', Range: `bytes=${from}-${to}`}))
      expect(Buffer.from((await got.Body?.transformToByteArray()) ?? []).equals(whole.subarray(from, to + 1))).to.equal(
        true,
      )
    }
    const part = await client.send(new GetObjectCommand({Bucket, Key: 'joined', PartNumber: 3}))
    expect(Buffer.from((await part.Body?.transformToByteArray()) ?? []).equals(last)).to.equal(true)
    expect(part).to.include({PartsCount: 3, ContentRange: `bytes ${10 * MIB}-${whole.length - 1}/${whole.length}`})
    const attributes = await client.send(
      new GetObjectAttributesCommand({Bucket, Key: 'joined', ObjectAttributes: ['ObjectParts', 'ObjectSize']}),
    )
    expect([attributes.ObjectParts?.TotalPartsCount, attributes.ObjectSize]).to.deep.equal([3, whole.length])
  })

  it('verifies the CRC32 of the whole object', async () => {
    const upload = await create('full', {ChecksumAlgorithm: 'CRC32', ChecksumType: 'FULL_OBJECT'})
    const parts = [await send(upload, 1, five), await send(upload, 2, five), await send(upload, 3, last)]
    expect(parts.map(part => part.ChecksumCRC32)).to.deep.equal([five, five, last].map(crcOf))
    const listed = await client.send(new ListPartsCommand(upload))
    expect(listed.Parts?.map(part => part.ChecksumCRC32)).to.deep.equal([five, five, last].map(crcOf))
    expect([listed.ChecksumAlgorithm, listed.ChecksumType]).to.deep.equal(['CRC32', 'FULL_OBJECT'])
    expect(await codeOf(complete(upload, parts, {ChecksumCRC32: crcOf(last), ChecksumType: 'FULL_OBJECT'}))).to.equal(
      'BadDigest',
    )
    expect(await codeOf(complete(upload, parts, {MpuObjectSize: 5}))).to.equal('InvalidRequest')
    const done = await complete(upload, parts, {
      ChecksumCRC32: crcOf(whole),
      ChecksumType: 'FULL_OBJECT',
      MpuObjectSize: whole.length,
    })
    expect(done).to.include({ChecksumCRC32: crcOf(whole), ChecksumType: 'FULL_OBJECT'})
    const head = await client.send(new HeadObjectCommand({Bucket, Key: 'full', ChecksumMode: 'ENABLED'}))
    expect(head).to.include({ChecksumCRC32: crcOf(whole), ChecksumType: 'FULL_OBJECT'})
  })

  it('joins composite checksums', async () => {
    const upload = await create('composite', {ChecksumAlgorithm: 'SHA256'})
    const sums = [five, last].map(bytes => createHash('sha256').update(bytes).digest())
    const parts = [await send(upload, 1, five), await send(upload, 2, last)]
    const done = await complete(upload, parts)
    expect(done.ChecksumSHA256).to.equal(`${createHash('sha256').update(Buffer.concat(sums)).digest('base64')}-2`)
    expect(done.ChecksumType).to.equal('COMPOSITE')
  })

  it('refuses a part whose checksum is wrong, and keeps the one before', async () => {
    const upload = await create('verified')
    const before = await segments()
    await send(upload, 1, five)
    expect(await codeOf(send(upload, 1, last, {ChecksumCRC32: crcOf(five)}))).to.equal('BadDigest')
    expect(await codeOf(send(upload, 1, last, {ContentMD5: md5(five).toString('base64')}))).to.equal('BadDigest')
    const {Parts} = await client.send(new ListPartsCommand(upload))
    expect(Parts?.map(part => part.Size)).to.deep.equal([five.length])
    expect(await newSegments(before)).to.equal(1)
    await client.send(new AbortMultipartUploadCommand(upload))
  })

  it('takes the last of several parts with one number', async () => {
    const upload = await create('again')
    await send(upload, 1, last)
    const second = await send(upload, 1, Buffer.from('second'))
    await complete(upload, [second])
    expect((await read('again')).toString()).to.equal('second')
  })

  it('refuses what does not fit at Complete, and the upload lives on', async () => {
    const upload = await create('refused')
    const [one, two, three] = [await send(upload, 1, five), await send(upload, 2, last), await send(upload, 3, last)]
    expect(await codeOf(complete(upload, [two, one]))).to.equal('InvalidPartOrder')
    expect(await codeOf(complete(upload, [one, one]))).to.equal('InvalidPartOrder')
    expect(await codeOf(complete(upload, [one, {PartNumber: 9, ETag: '"x"'}]))).to.equal('InvalidPart')
    expect(await codeOf(complete(upload, [{...one, ETag: two.ETag}]))).to.equal('InvalidPart')
    expect(await codeOf(complete(upload, [one, two, three]))).to.equal('EntityTooSmall')
    expect(await codeOf(complete(upload, []))).to.equal('MalformedXML')
    const garbled = await sendSigned(sandbox, {
      method: 'POST',
      path: '/multipart/refused',
      query: {uploadId: upload.UploadId},
      body: '<a>',
    })
    expect([garbled.status, garbled.code]).to.deep.equal([400, 'MalformedXML'])
    await client.send(new PutObjectCommand({Bucket, Key: 'refused', Body: 'stands'}))
    expect(await codeOf(complete(upload, [one, two], {IfNoneMatch: '*'}))).to.equal('PreconditionFailed')
    expect((await read('refused')).toString()).to.equal('stands')
    await complete(upload, [one, two])
    expect((await read('refused')).equals(Buffer.concat([five, last]))).to.equal(true)
  })

  it('refuses part numbers and uploads that do not exist', async () => {
    const upload = await create('numbers')
    for (const partNumber of ['0', '10001', '-1', 'x', '1.5', '']) {
      const reply = await sendSigned(sandbox, {
        method: 'PUT',
        path: '/multipart/numbers',
        query: {uploadId: upload.UploadId, partNumber},
        body: 'x',
      })
      expect([reply.status, reply.code], partNumber).to.deep.equal([400, 'InvalidArgument'])
    }
    expect((await send(upload, 10_000, last)).ETag).to.be.a('string')
    expect(await codeOf(send({...upload, UploadId: 'nothing'}, 1, last))).to.equal('NoSuchUpload')
    expect(await codeOf(send({...upload, Key: 'other'}, 1, last))).to.equal('NoSuchUpload')
  })

  it('answers a second Complete as the first, while the object stands', async () => {
    const upload = await create('twice')
    const part = await send(upload, 1, last)
    const [first, second] = await Promise.all([complete(upload, [part]), complete(upload, [part])])
    expect(second.ETag).to.equal(first.ETag)
    expect((await complete(upload, [part])).ETag).to.equal(first.ETag)
    await client.send(new DeleteObjectCommand({Bucket, Key: 'twice'}))
    expect(await codeOf(complete(upload, [part]))).to.equal('NoSuchUpload')
  })

  it('aborts, removes the parts, and knows the upload no more', async () => {
    const before = await segments()
    const upload = await create('aborted')
    await send(upload, 1, five)
    expect(await newSegments(before)).to.equal(1)
    const {$metadata} = await client.send(new AbortMultipartUploadCommand(upload))
    expect($metadata.httpStatusCode).to.equal(204)
    for (let wait = 0; (await newSegments(before)) > 0 && wait < 100; wait++)
      await new Promise(resolve => setTimeout(resolve, 10))
    expect(await newSegments(before)).to.equal(0)
    expect(await codeOf(client.send(new AbortMultipartUploadCommand(upload)))).to.equal('NoSuchUpload')
    expect(await codeOf(send(upload, 1, last))).to.equal('NoSuchUpload')
    expect(await codeOf(client.send(new ListPartsCommand(upload)))).to.equal('NoSuchUpload')
  })

  it('copies parts from objects, also from ranges', async () => {
    await client.send(new PutObjectCommand({Bucket, Key: 'origin', Body: whole}))
    const upload = await create('copied', {ChecksumAlgorithm: 'CRC32', ChecksumType: 'FULL_OBJECT'})
    const copy = async (PartNumber: number, CopySourceRange?: string) => {
      const {CopyPartResult} = await client.send(
        new UploadPartCopyCommand({...upload, PartNumber, CopySource: `${Bucket}/origin`, CopySourceRange}),
      )
      return {PartNumber, ETag: CopyPartResult?.ETag}
    }
    const parts = [await copy(1), await copy(2, `bytes=${5 * MIB}-${10 * MIB + 9}`)]
    expect(parts[0]?.ETag).to.equal(`"${md5(whole).toString('hex')}"`)
    await client.send(new DeleteObjectCommand({Bucket, Key: 'origin'}))
    const wanted = Buffer.concat([whole, whole.subarray(5 * MIB, 10 * MIB + 10)])
    expect((await complete(upload, parts)).ChecksumCRC32).to.equal(crcOf(wanted))
    expect((await read('copied')).equals(wanted)).to.equal(true)
    const beyond = await create('beyond')
    const asked = new UploadPartCopyCommand({
      ...beyond,
      PartNumber: 1,
      CopySource: `${Bucket}/copied`,
      CopySourceRange: 'bytes=0-99999999999',
    })
    expect(await codeOf(client.send(asked))).to.equal('InvalidArgument')
  })

  it('lists parts page by page', async () => {
    const upload = await create('pages')
    await Promise.all([1, 3, 5, 7, 9].map(async number => send(upload, number, Buffer.from(`part ${number}`))))
    const numbers: (number | undefined)[] = []
    let marker: string | undefined
    for (let page = 0; page < 3; page++) {
      const listed = await client.send(new ListPartsCommand({...upload, MaxParts: 2, PartNumberMarker: marker}))
      numbers.push(...(listed.Parts ?? []).map(part => part.PartNumber))
      expect(listed.IsTruncated).to.equal(page < 2)
      marker = listed.NextPartNumberMarker
    }
    expect(numbers).to.deep.equal([1, 3, 5, 7, 9])
  })

  it('lists uploads page by page, with prefix and delimiter', async () => {
    await client.send(new CreateBucketCommand({Bucket: 'pending'}))
    const begin = async (Key: string) =>
      (await client.send(new CreateMultipartUploadCommand({Bucket: 'pending', Key}))).UploadId ?? ''
    const ids: [string, string][] = []
    for (const key of ['a', 'b', 'b', 'b', 'c/1', 'c/2', 'd']) ids.push([key, await begin(key)])
    const all: [string, string][] = []
    let markers = {}
    for (let more = true; more;) {
      const listed = await client.send(new ListMultipartUploadsCommand({Bucket: 'pending', MaxUploads: 2, ...markers}))
      all.push(...(listed.Uploads ?? []).map(each => [each.Key ?? '', each.UploadId ?? ''] as [string, string]))
      markers = {KeyMarker: listed.NextKeyMarker, UploadIdMarker: listed.NextUploadIdMarker}
      more = listed.IsTruncated ?? false
    }
    expect(all.map(([key]) => key)).to.deep.equal(['a', 'b', 'b', 'b', 'c/1', 'c/2', 'd'])
    expect(new Set(all.map(([, id]) => id))).to.deep.equal(new Set(ids.map(([, id]) => id)))
    const folded = await client.send(new ListMultipartUploadsCommand({Bucket: 'pending', Delimiter: '/'}))
    expect(folded.CommonPrefixes).to.deep.equal([{Prefix: 'c/'}])
    expect(folded.Uploads).to.have.length(5)
    const within = await client.send(new ListMultipartUploadsCommand({Bucket: 'pending', Prefix: 'c/'}))
    expect(within.Uploads?.map(each => each.Key)).to.deep.equal(['c/1', 'c/2'])
  })

  it('completes 10,000 parts at once', async function () {
    const upload = await create('many', {ChecksumAlgorithm: 'CRC32', ChecksumType: 'FULL_OBJECT'})
    const part = await send(upload, 1, five)
    await sandbox.close()
    // 50 GB of parts, all of them the same 5 MiB on the disk: their lines in the upload's log say so.
    const log = join(sandbox.folder, 'uploads', `${upload.UploadId}.jsonl`)
    const line = (await readFile(log, 'utf8')).trimEnd().split('\n').at(-1) ?? ''
    const lines = Array.from({length: 9999}, (_, index) => line.replace('"number":1,', `"number":${index + 2},`))
    await appendFile(log, lines.map(each => `${each}\n`).join(''))
    sandbox = await openSandbox({folder: sandbox.folder})
    const Parts = Array.from({length: 10_000}, (_, index) => ({...part, PartNumber: index + 1}))
    const body = Parts.map(each => `<Part><PartNumber>${each.PartNumber}</PartNumber><ETag>${each.ETag}</ETag></Part>`)
    const call = {
      method: 'POST',
      path: '/multipart/many',
      query: {uploadId: upload.UploadId},
      body: `<CompleteMultipartUpload>${body.join('')}</CompleteMultipartUpload>`,
    }
    const begun = performance.now()
    const reply = await sendSigned(sandbox, call)
    const took = performance.now() - begun
    expect(reply.status, reply.text).to.equal(200)
    expect(reply.text).to.include('-10000&quot;</ETag>')
    // About 100 ms on an idle machine; copying 50 GB would take a minute.
    expect(took).to.be.below(SOON)
    const end = await sendSigned(sandbox, {path: '/multipart/many', headers: {range: 'bytes=-10'}})
    expect(end.body.equals(five.subarray(-10))).to.equal(true)
    expect((await sendSigned(sandbox, {method: 'DELETE', path: '/multipart/many'})).status).to.equal(204)
  })

  it('refuses algorithms and types that do not go together', async () => {
    expect(await codeOf(create('x', {ChecksumAlgorithm: 'CRC64NVME'}))).to.equal('NotImplemented')
    expect(await codeOf(create('x', {ChecksumAlgorithm: 'SHA256', ChecksumType: 'FULL_OBJECT'}))).to.equal(
      'InvalidRequest',
    )
    expect(await codeOf(create('x', {ChecksumType: 'FULL_OBJECT'}))).to.equal('InvalidRequest')
  })
})
