import {readFile, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {CreateBucketCommand, GetObjectCommand, ListMultipartUploadsCommand} from '@aws-sdk/client-s3'
import type {S3Client} from '@aws-sdk/client-s3'
import {expect} from 'chai'
import {closeAll, openClient, openSandbox} from '../sandbox/support.ts'
import type {FaultProxy} from '../support/fault-proxy.ts'
import {reads, startPolicyProxy} from '../support/policy-proxy.ts'
import {makeRandomFile} from '../support/random-file.ts'
import {accessEnv, makeHome, readJson, runSkylift} from '../support/run-skylift.ts'
import type {Home} from '../support/run-skylift.ts'

const MIB = 1024 * 1024

describe('a key that may only put objects, as CI has them', () => {
  let proxy: FaultProxy
  let client: S3Client
  let home: Home
  let small: string
  let big: string

  before(async () => {
    const sandbox = await openSandbox()
    client = openClient(sandbox)
    await client.send(new CreateBucketCommand({Bucket: 'box'}))
    proxy = await startPolicyProxy({upstream: sandbox.endpoint, deny: [...reads, 'delete']})
    home = await makeHome(accessEnv({...sandbox, endpoint: proxy.endpoint}))
    small = join(home.folder, 'small')
    big = join(home.folder, 'big')
    await writeFile(small, 'small')
    await makeRandomFile(big, 20 * MIB)
  })
  afterEach(() => proxy.clear())
  after(async () => {
    await proxy.close()
    await closeAll()
  })

  const read = async (Key: string): Promise<Buffer> => {
    const {Body} = await client.send(new GetObjectCommand({Bucket: 'box', Key}))
    return Buffer.from((await Body?.transformToByteArray()) ?? [])
  }

  for (const engine of ['skylift', 'sdk']) {
    it(`uploads whole and in parts, verified, and asks for nothing: --engine ${engine}`, async () => {
      const argv = ['upload', small, big, `s3://box/${engine}/`, '-q', '--json', '--engine', engine]
      const ending = await runSkylift(argv, home)
      expect({status: ending.status, stderr: ending.stderr}).to.deep.equal({status: 0, stderr: ''})
      for (const {verifiedBy} of readJson<{objects: {verifiedBy: string}[]}>(ending).objects) {
        expect(verifiedBy).to.be.oneOf(['crc32', 'md5'])
      }
      expect((await read(`${engine}/small`)).toString()).to.equal('small')
      expect((await read(`${engine}/big`)).equals(await readFile(big))).to.equal(true)
      const refused = proxy.log.filter(({status}) => status === 403).map(({method, path}) => `${method} ${path}`)
      expect(refused).to.deep.equal([])
    })
  }

  it('makes tickets that upload, though nobody can ask what they have sent', async () => {
    const file = join(home.folder, 'big.ticket')
    const made = await runSkylift(['ticket', 'create', 's3://box/ticket', '-o', file, '--size', '40M'], home)
    expect(made.status, made.stderr).to.equal(0)
    const {status, stderr} = await runSkylift(['upload', big, `ticket:${file}`, '-q'], home)
    expect(status, stderr).to.equal(0)
    expect((await read('ticket')).equals(await readFile(big))).to.equal(true)
  })

  it('keeps what is there with --no-clobber', async () => {
    await runSkylift(['upload', small, 's3://box/once', '-q'], home)
    const again = await runSkylift(['upload', big, 's3://box/once', '-q', '--no-clobber'], home)
    expect(again.status).to.equal(6)
    expect((await read('once')).toString()).to.equal('small')
    const {Uploads = []} = await client.send(new ListMultipartUploadsCommand({Bucket: 'box'}))
    expect(Uploads).to.deep.equal([])
  })
})
