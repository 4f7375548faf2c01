import {appendFile, open, readFile, utimes, writeFile, stat} from 'node:fs/promises'
import {join} from 'node:path'
import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import type {S3Client} from '@aws-sdk/client-s3'
import {expect} from 'chai'
import {closeAll, openClient, openSandbox} from '../sandbox/support.ts'
import {makeRandomFile} from '../support/random-file.ts'
import {accessEnv, callSkylift, makeHome, readJson} from '../support/run-skylift.ts'
import type {Ending, Home} from '../support/run-skylift.ts'
import {makeTempFolder} from '../support/temp-folder.ts'

const MIB = 1024 * 1024

interface PendingJson {
  readonly pending: readonly {
    readonly target: string
    readonly uploadId: string
    readonly held: number
    readonly parts: number
    readonly isAtStore: boolean
    readonly file: string | null
  }[]
}

describe('what is left of uploads, and what is stored', () => {
  let home: Home
  let client: S3Client
  let folder: string
  let file: string

  before(async () => {
    const sandbox = await openSandbox()
    client = openClient(sandbox)
    home = await makeHome(accessEnv(sandbox))
    folder = await makeTempFolder()
    file = join(folder, 'disk.img')
    await makeRandomFile(file, 12 * MIB)
    await client.send(new CreateBucketCommand({Bucket: 'box'}))
  })
  after(closeAll)

  const call = (...argv: string[]): Promise<Ending> => callSkylift(argv, home)
  const pendingOf = async (...argv: string[]): Promise<PendingJson['pending']> =>
    readJson<PendingJson>(await call('pending', 'list', ...argv, '--json')).pending

  /** Begins an upload as somebody else would, with one part of 5 MiB. */
  async function beginElsewhere(Key: string): Promise<string> {
    const {UploadId} = await client.send(new CreateMultipartUploadCommand({Bucket: 'box', Key}))
    await client.send(new UploadPartCommand({Bucket: 'box', Key, UploadId, PartNumber: 1, Body: Buffer.alloc(5 * MIB)}))
    return UploadId ?? ''
  }

  describe('skylift pending', () => {
    it('says that nothing is unfinished', async () => {
      expect((await call('pending', 'list')).stdout).to.equal('No upload is unfinished.\n')
      expect(await pendingOf('s3://box')).to.deep.equal([])
    })

    it('lists what only the store knows, with the bytes that it holds', async () => {
      const uploadId = await beginElsewhere('theirs.img')
      expect(await pendingOf()).to.deep.equal([])
      const [found] = await pendingOf('s3://box/the')
      expect(found).to.include({
        target: 's3://box/theirs.img',
        uploadId,
        held: 5 * MIB,
        parts: 1,
        isAtStore: true,
        file: null,
      })
      expect(await pendingOf('s3://box/other')).to.deep.equal([])
      const {stdout} = await call('pending', 'list', 's3://box')
      expect(stdout)
        .to.include('5 MiB held')
        .and.include(
          'no record of it on this machine: a stream that was cut off, or somebody else who may still be sending',
        )
    })

    it('does not drop what somebody else began without -y, nor anything that is not there', async () => {
      const refused = await call('pending', 'abort', 's3://box/theirs.img')
      expect(refused.status).to.equal(2)
      expect(refused.stderr).to.include('-y')
      expect((await call('pending', 'abort', 's3://box/nobodys')).status).to.equal(5)
      expect((await call('pending', 'abort', 's3://box/theirs.img', '-y')).stdout).to.equal(
        'Dropped one unfinished upload.\n',
      )
      expect((await client.send(new ListMultipartUploadsCommand({Bucket: 'box'}))).Uploads ?? []).to.deep.equal([])
    })

    it('prunes what is old enough, and only with -y', async () => {
      await beginElsewhere('old.img')
      expect((await call('pending', 'prune', 's3://box')).stdout).to.equal('Nothing is that old.\n')
      // Its age has to pass what is asked for.
      const isOld = async (): Promise<boolean> =>
        (await call('pending', 'prune', 's3://box', '--older-than', '0.001s')).stdout.includes('old.img')
      expect(await isOld()).to.equal(true)
      expect(await pendingOf('s3://box')).to.have.length(1)
      expect((await call('pending', 'prune', 's3://box', '--older-than', '0.001s', '-y')).stdout).to.equal(
        'Dropped 1.\n',
      )
      expect(await pendingOf('s3://box')).to.deep.equal([])
    })
  })

  describe('skylift verify', () => {
    const receipt = (): string => join(folder, 'receipt.json')

    before(async () => {
      const words = ['upload', file, 's3://box/disk.img', '-p', '5M', '-q', '--receipt', receipt(), '--sha256']
      expect((await call(...words)).status).to.equal(0)
    })

    it('compares by the checksum of the store, by every byte, and with a receipt', async () => {
      const same = await call('verify', file, 's3://box/disk.img')
      expect(same).to.include({status: 0, stdout: `s3://box/disk.img is the same as ${file}: crc32.\n`})
      expect((await call('verify', file, 's3://box/disk.img', '--download')).stdout).to.include('every byte')
      expect((await call('verify', file, 's3://box/disk.img', '--receipt', receipt())).status).to.equal(0)
      const written = JSON.parse(await readFile(receipt(), 'utf8')) as {
        parts: unknown[]
        sha256: string
        partSize: number
      }
      expect(written.parts).to.have.length(3)
      expect(written).to.have.property('partSize', 5 * MIB)
      expect(written.sha256).to.match(/^[\da-f]{64}$/u)
    })

    it('recomputes the ETag of parts that somebody else has sent', async () => {
      const body = await readFile(file)
      await client.send(new PutObjectCommand({Bucket: 'box', Key: 'whole.img', Body: body}))
      expect((await call('verify', file, 's3://box/whole.img', '--json')).status).to.equal(0)
    })

    it('finds another size, another byte, and an object that is not there', async () => {
      const other = join(folder, 'other.img')
      await writeFile(other, await readFile(file))
      const handle = await open(other, 'r+')
      await handle.write(Buffer.from([1, 2, 3]), 0, 3, 7 * MIB)
      await handle.close()
      for (const more of [[], ['--download']]) {
        const {status, stderr} = await call('verify', other, 's3://box/disk.img', ...more)
        expect(status, more.join()).to.equal(7)
        expect(stderr).to.include('is not the same as the file')
      }
      expect((await call('verify', other, 's3://box/disk.img', '--receipt', receipt())).stderr).to.include(
        'not the file of the receipt',
      )
      await appendFile(other, 'x')
      expect((await call('verify', other, 's3://box/disk.img')).stderr).to.include(`${12 * MIB + 1} B`)
      expect((await call('verify', file, 's3://box/nothing.img')).status).to.equal(5)
      expect((await call('verify', file, 's3://box')).status).to.equal(2)
      expect((await call('verify', file, 's3://box/disk.img', '--receipt', file)).status).to.equal(2)
    })
  })

  describe('a file that was touched since', () => {
    it('goes up again, as the prefix that it is too', async () => {
      const before = await stat(file)
      expect((await call('upload', file, 's3://box/again.img', '-p', '5M', '-q')).status).to.equal(0)
      await utimes(file, before.atime, new Date(before.mtimeMs + 5000))
      expect(
        (await call('upload', file, 's3://box/again.img', '-p', '5M', '-q', '--on-change', 'prefix')).status,
      ).to.equal(0)
      expect((await call('verify', file, 's3://box/again.img')).status).to.equal(0)
    })
  })
})
