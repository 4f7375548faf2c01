import {execFile} from 'node:child_process'
import {randomBytes} from 'node:crypto'
import {existsSync} from 'node:fs'
import {readFile} from 'node:fs/promises'
import {join} from 'node:path'
import {promisify} from 'node:util'
import {expect} from 'chai'
import {MIB} from '../../src/core/sizes.ts'
import {bufferBody} from '../../src/core/buffer-body.ts'
import {startSandbox} from '../../src/sandbox/server.ts'
import type {PartReceipt, Store} from '../../src/stores/store.ts'
import {needSwift, startSwift} from '../servers/swift.ts'
import {skipUnless} from '../support/skip.ts'
import {makeTempFolder} from '../support/temp-folder.ts'
import {newCall, partOf} from './contract/bench.ts'
import {makeBucket} from './foreign-s3.ts'
import type {S3Access} from './open-s3.ts'
import {openS3} from './open-s3.ts'

const run = promisify(execFile)
const AWS = '/usr/bin/aws'
const CONTAINER = 'foreign-readers'
const KEY = 'dir/ü + 100%.bin'

async function uploadParts(store: Store, bytes: Buffer): Promise<void> {
  const target = {remote: 'test', container: CONTAINER, key: KEY}
  const partSize = 5 * MIB
  const count = Math.ceil(bytes.length / partSize)
  const session = await store.begin(target, {}, {size: bytes.length, partSize, count}, newCall())
  const receipts: PartReceipt[] = []
  for (let number = 1; number <= count; number++) {
    const body = bufferBody(bytes.subarray((number - 1) * partSize, number * partSize))
    receipts.push(await store.putPart(session, partOf(session, number, body), body, newCall()))
  }
  await store.complete(session, receipts, newCall())
}

/** Downloads with aws and returns what it got, and how the store lists it. */
async function downloadByAws(access: S3Access): Promise<{bytes: Buffer; listed: unknown}> {
  const folder = await makeTempFolder()
  const env = {
    PATH: process.env['PATH'],
    HOME: folder,
    AWS_ACCESS_KEY_ID: access.accessKeyId,
    AWS_SECRET_ACCESS_KEY: access.secretAccessKey,
    AWS_DEFAULT_REGION: access.region,
    AWS_EC2_METADATA_DISABLED: 'true',
  }
  const aws = async (...args: string[]) =>
    (await run(AWS, ['--endpoint-url', access.endpoint, ...args], {env, timeout: 60_000})).stdout
  const file = join(folder, 'back')
  await aws('s3', 'cp', '--no-progress', `s3://${CONTAINER}/${KEY}`, file)
  const listing = JSON.parse(await aws('s3api', 'list-objects-v2', '--bucket', CONTAINER)) as {
    Contents: {Key: string; Size: number}[]
  }
  return {bytes: await readFile(file), listed: listing.Contents.map(({Key, Size}) => ({Key, Size}))}
}

describe('what we uploaded, read by clients that we did not write', function () {
  this.timeout(120_000)
  const bytes = randomBytes(11 * MIB + 3)
  const needAws = (context: Mocha.Context): void =>
    skipUnless(context, existsSync(AWS), 'the aws client is missing: apt-get install awscli')

  it('in the sandbox, by aws', async function () {
    needAws(this)
    const sandbox = await startSandbox({folder: await makeTempFolder()})
    await makeBucket(sandbox, CONTAINER)
    const opened = await openS3(sandbox, {isSandbox: true})
    try {
      await uploadParts(opened.store, bytes)
      const back = await downloadByAws(sandbox)
      expect(back.bytes.equals(bytes)).to.equal(true)
      expect(back.listed).to.deep.equal([{Key: KEY, Size: bytes.length}])
    } finally {
      opened.close()
      await sandbox.close()
    }
  })

  it('in OpenStack Swift, by aws and by its own API', async function () {
    needAws(this)
    needSwift(this)
    const {s3, v1} = await startSwift()
    await makeBucket(s3, CONTAINER)
    const opened = await openS3(s3)
    try {
      await uploadParts(opened.store, bytes)
    } finally {
      opened.close()
    }
    const back = await downloadByAws(s3)
    expect(back.bytes.equals(bytes)).to.equal(true)
    expect(back.listed).to.deep.equal([{Key: KEY, Size: bytes.length}])

    const login = await fetch(v1.authUrl, {headers: {'x-auth-user': v1.user, 'x-auth-key': v1.key}})
    const headers = {'x-auth-token': login.headers.get('x-auth-token') ?? ''}
    const path = [CONTAINER, ...KEY.split('/')].map(encodeURIComponent).join('/')
    const object = await fetch(`${v1.storageUrl}/${path}`, {headers})
    expect(object.status).to.equal(200)
    expect(object.headers.get('content-type')).to.equal('application/octet-stream')
    expect(Buffer.from(await object.arrayBuffer()).equals(bytes)).to.equal(true)
  })
})
