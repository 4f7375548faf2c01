import {createHash} from 'node:crypto'
import {Agent} from 'node:https'
import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListPartsCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import {expect} from 'chai'
import {type Sandbox, startSandbox} from '../../src/sandbox/server.ts'
import {makeCertificate} from './certificate.ts'
import {errorInside200, noChecksums, slowDown, wrongEtag} from './fault-answers.ts'
import {type FaultProxy, startFaultProxy} from './fault-proxy.ts'
import {reset} from './faults.ts'
import {startPolicyProxy} from './policy-proxy.ts'
import {startShapingProxy} from './shaping-proxy.ts'
import {makeTempFolder} from './temp-folder.ts'

const where = {Bucket: 'box', Key: 'a/é b+c.bin'}
const bodies = [Buffer.alloc(5 * 1024 * 1024, 1), Buffer.alloc(100_000, 2)]

describe('the sandbox through the proxies, with a client of another make', () => {
  const closers: (() => unknown)[] = []
  let sandbox: Sandbox
  let proxy: FaultProxy
  let client: S3Client

  function connect(endpoint: string, ca?: string): S3Client {
    const {region, accessKeyId, secretAccessKey} = sandbox
    const s3 = new S3Client({
      endpoint,
      region,
      credentials: {accessKeyId, secretAccessKey},
      forcePathStyle: true,
      maxAttempts: 1,
      requestHandler: {httpsAgent: new Agent({keepAlive: true, ...(ca ? {ca} : {})})},
    })
    closers.push(() => s3.destroy())
    return s3
  }

  before(async () => {
    sandbox = await startSandbox({folder: await makeTempFolder()})
    closers.push(() => sandbox.close())
    proxy = await startFaultProxy({upstream: sandbox.endpoint})
    closers.push(() => proxy.close())
    client = connect(proxy.endpoint)
    await client.send(new CreateBucketCommand({Bucket: where.Bucket}))
  })

  after(async () => {
    for (const close of closers.toReversed()) await close()
  })

  beforeEach(() => {
    proxy.clear()
  })

  async function uploadPart(s3: S3Client, UploadId: string, index: number) {
    const part = {...where, UploadId, PartNumber: index + 1, Body: bodies[index]!}
    const {ETag} = await s3.send(new UploadPartCommand(part))
    return {ETag, PartNumber: index + 1}
  }

  /** A multipart upload as the SDK does it; a part that fails is sent once more. */
  async function upload(s3: S3Client): Promise<void> {
    const {UploadId = ''} = await s3.send(new CreateMultipartUploadCommand(where))
    const Parts = []
    for (const index of bodies.keys()) {
      Parts.push(await uploadPart(s3, UploadId, index).catch(() => uploadPart(s3, UploadId, index)))
    }
    await s3.send(new CompleteMultipartUploadCommand({...where, UploadId, MultipartUpload: {Parts}}))
  }

  async function expectStored(): Promise<void> {
    const {Body} = await connect(sandbox.endpoint).send(new GetObjectCommand(where))
    const hash = createHash('md5').update((await Body?.transformToByteArray()) ?? '')
    expect(hash.digest('hex')).to.equal(createHash('md5').update(Buffer.concat(bodies)).digest('hex'))
  }

  function rejection(promise: Promise<unknown>): Promise<{name: string; code?: string}> {
    return promise.then(
      () => expect.fail('no failure'),
      (reason: {name: string; code?: string}) => reason,
    )
  }

  it('keeps signatures valid, and knows each operation', async () => {
    await upload(client)
    await client.send(new HeadObjectCommand(where))
    const operations = proxy.log.map(({operation, status}) => `${operation} ${status}`)
    expect(operations).to.deep.equal(['create 200', 'part 200', 'part 200', 'complete 200', 'head 200'])
    await expectStored()
  })

  it('over TLS, and over a shaped line', async () => {
    const certificate = makeCertificate()
    const secure = await startFaultProxy({upstream: sandbox.endpoint, tls: certificate})
    closers.push(() => secure.close())
    const line = await startShapingProxy({upstream: secure.port, delay: 3, rate: 100_000_000})
    closers.push(() => line.close())
    await upload(connect(`https://localhost:${line.port}`, certificate.cert))
    expect(secure.bytesForwarded('part')).to.be.at.least(5_342_880)
    expect(line.bytes.up).to.be.above(secure.bytesReceived())
    await expectStored()
  })

  it('a part that is torn is no part; one whose answer is lost is one', async () => {
    const {UploadId = ''} = await client.send(new CreateMultipartUploadCommand(where))
    const listed = async () => (await client.send(new ListPartsCommand({...where, UploadId}))).Parts ?? []
    proxy.inject({operation: 'part', fault: reset('body', 3_000_000)})
    expect((await rejection(uploadPart(client, UploadId, 0))).code).to.be.oneOf(['ECONNRESET', 'EPIPE'])
    expect(await listed()).to.have.length(0)
    proxy.inject({operation: 'part', fault: reset('stored')})
    expect((await rejection(uploadPart(client, UploadId, 0))).code).to.equal('ECONNRESET')
    expect(await listed()).to.have.length(1)
  })

  it('a client that tries again gets the object in the end', async () => {
    proxy.inject({operation: 'part', fault: slowDown()})
    proxy.inject({operation: 'part', fault: reset('body', 50_000), match: request => request.partNumber === 2})
    await upload(client)
    expect(proxy.count('part')).to.equal(4)
    await expectStored()
  })

  it('understands the failures and sees the edits', async () => {
    const put = () => client.send(new PutObjectCommand({...where, Body: bodies[1]!}))
    const right = await put()
    expect(right.ChecksumCRC32).to.be.a('string')
    proxy.inject({operation: 'put', fault: slowDown()})
    expect((await rejection(put())).name).to.equal('SlowDown')
    proxy.inject({operation: 'put', fault: wrongEtag()})
    expect((await put()).ETag).to.not.equal(right.ETag)
    proxy.inject({operation: 'put', fault: noChecksums()})
    expect((await put()).ChecksumCRC32).to.equal(undefined)
    proxy.inject({operation: 'complete', fault: errorInside200()})
    expect((await rejection(upload(client))).name).to.equal('InternalError')
  })

  it('with a put-only key uploads and reads nothing', async () => {
    const policy = await startPolicyProxy({upstream: sandbox.endpoint})
    closers.push(() => policy.close())
    const writer = connect(policy.endpoint)
    await upload(writer)
    expect((await rejection(writer.send(new GetObjectCommand(where)))).name).to.equal('AccessDenied')
    await rejection(writer.send(new HeadObjectCommand(where)))
    expect(policy.log.slice(-2).map(({operation, status}) => `${operation} ${status}`)).to.deep.equal([
      'get 403',
      'head 403',
    ])
    await expectStored()
  })
})
