import {spawn, spawnSync} from 'node:child_process'
import type {ChildProcess} from 'node:child_process'
import {once} from 'node:events'
import {mkdir, readdir, readFile, rename, rm, stat, symlink, writeFile} from 'node:fs/promises'
import {connect} from 'node:net'
import {join} from 'node:path'
import {createInterface} from 'node:readline'
import {fileURLToPath} from 'node:url'
import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListPartsCommand,
  PutBucketCorsCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import type {S3Client} from '@aws-sdk/client-s3'
import {expect} from 'chai'
import {isFailure} from '../../src/core/failure.ts'
import {findSandbox} from '../../src/sandbox/find-sandbox.ts'
import {identifyThisProcess} from '../../src/state/process-identity.ts'
import {startSandbox} from '../../src/sandbox/server.ts'
import {makeTempFolder} from '../support/temp-folder.ts'
import {skipUnless} from '../support/skip.ts'
import {closeAll, codeOf, openClient, openSandbox, presign, sendRaw, signHeaders} from './support.ts'
import type {Access} from './support.ts'
import {reset} from '../support/reset.ts'

const MIB = 1024 * 1024
const RUN = fileURLToPath(new URL('run-sandbox.ts', import.meta.url))

interface Process {
  readonly access: Access & {code?: string; message?: string; idle?: boolean}
  readonly child: ChildProcess
  readonly lines: AsyncIterator<string>
}

/** Starts a sandbox in a process of its own. */
async function spawnSandbox(folder: string, options: {idle?: number; fileBlocks?: number} = {}): Promise<Process> {
  const command = [process.execPath, '--import', 'tsx', RUN, folder, String(options.idle ?? 0)]
  const limited = options.fileBlocks
    ? ['sh', '-c', `ulimit -f ${options.fileBlocks}; exec "$@"`, 'sh', ...command]
    : command
  const [program = '', ...args] = limited
  const child = spawn(program, args, {stdio: ['ignore', 'pipe', 'inherit']})
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  const {value} = await lines.next()
  return {access: JSON.parse(String(value)) as Process['access'], child, lines}
}

async function kill({child}: Process): Promise<void> {
  child.kill('SIGKILL')
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
}

async function listFiles(folder: string): Promise<string[]> {
  const names = await readdir(folder, {recursive: true})
  return names
    .filter(name => /^(?:segments|uploads|objects|buckets)\//u.test(name) && !/^objects\/[\da-f]+$/u.test(name))
    .toSorted()
}

const read = async (client: S3Client, Key: string, Bucket = 'kept') =>
  (await client.send(new GetObjectCommand({Bucket, Key}))).Body?.transformToString()

describe('sandbox durability', () => {
  let folder: string
  const running: Process[] = []
  beforeEach(async () => {
    folder = join(await makeTempFolder(), 'data')
  })
  afterEach(async () => {
    await closeAll()
    for (const each of running.splice(0)) await kill(each)
  })
  const run = async (options?: Parameters<typeof spawnSandbox>[1]) => {
    const started = await spawnSandbox(folder, options)
    running.push(started)
    return started
  }

  it('keeps everything over a restart, links too', async () => {
    const first = await openSandbox({folder})
    const client = openClient(first, {requestChecksumCalculation: 'WHEN_REQUIRED'})
    await client.send(new CreateBucketCommand({Bucket: 'kept'}))
    const CORSRules = [{AllowedMethods: ['GET'], AllowedOrigins: ['*']}]
    await client.send(new PutBucketCorsCommand({Bucket: 'kept', CORSConfiguration: {CORSRules}}))
    await client.send(
      new PutObjectCommand({Bucket: 'kept', Key: 'a/../ü', Body: 'content', Metadata: {a: '1'}, Tagging: 'k=v'}),
    )
    const upload = {Bucket: 'kept', Key: 'pending'}
    const {UploadId} = await client.send(new CreateMultipartUploadCommand({...upload, ContentType: 'x/y'}))
    const {ETag} = await client.send(
      new UploadPartCommand({...upload, UploadId, PartNumber: 1, Body: Buffer.alloc(5 * MIB, 1)}),
    )
    const done = {Bucket: 'kept', Key: 'done'}
    const {UploadId: doneId} = await client.send(new CreateMultipartUploadCommand(done))
    const donePart = await client.send(new UploadPartCommand({...done, UploadId: doneId, PartNumber: 1, Body: 'done'}))
    const completion = {...done, UploadId: doneId, MultipartUpload: {Parts: [{PartNumber: 1, ETag: donePart.ETag}]}}
    const completed = await client.send(new CompleteMultipartUploadCommand(completion))
    const link = await presign(first, {path: '/kept/done'}, {expiresIn: 600})
    await first.close()

    const second = await openSandbox({folder})
    expect(second.endpoint).to.equal(first.endpoint)
    expect([second.accessKeyId, second.secretAccessKey]).to.deep.equal([first.accessKeyId, first.secretAccessKey])
    expect((await sendRaw(second, {path: link})).text).to.equal('done')
    const again = openClient(second, {requestChecksumCalculation: 'WHEN_REQUIRED'})
    expect(await read(again, 'a/../ü')).to.equal('content')
    expect(await again.send(new HeadObjectCommand({Bucket: 'kept', Key: 'a/../ü'}))).to.deep.include({
      Metadata: {a: '1'},
      TagCount: 1,
    })
    expect((await again.send(new CompleteMultipartUploadCommand(completion))).ETag).to.equal(completed.ETag)
    const listed = await again.send(new ListPartsCommand({...upload, UploadId}))
    expect(listed.Parts?.map(part => [part.PartNumber, part.Size, part.ETag])).to.deep.equal([[1, 5 * MIB, ETag]])
    const last = await again.send(new UploadPartCommand({...upload, UploadId, PartNumber: 2, Body: 'end'}))
    const Parts = [
      {PartNumber: 1, ETag},
      {PartNumber: 2, ETag: last.ETag},
    ]
    await again.send(new CompleteMultipartUploadCommand({...upload, UploadId, MultipartUpload: {Parts}}))
    expect(await again.send(new HeadObjectCommand(upload))).to.include({ContentLength: 5 * MIB + 3, ContentType: 'x/y'})
    expect(
      (await sendRaw(second, {path: '/kept/done', headers: {origin: 'http://a'}})).headers[
        'access-control-allow-origin'
      ],
    ).to.equal('*')
  })

  it('keeps its files to itself', async () => {
    const {secretAccessKey} = await openSandbox({folder})
    expect((await stat(folder)).mode & 0o777).to.equal(0o700)
    for (const name of ['credentials.json', 'port.json', 'lock'])
      expect((await stat(join(folder, name))).mode & 0o777, name).to.equal(0o600)
    expect(await readFile(join(folder, 'credentials.json'), 'utf8')).to.include(secretAccessKey)
    const other = await openSandbox()
    expect(other.secretAccessKey).not.to.equal(secretAccessKey)
  })

  it('takes another port, and keeps it, when its own is taken', async () => {
    const first = await openSandbox({folder})
    await first.close()
    const thief = await openSandbox({port: first.port})
    expect(thief.port).to.equal(first.port)
    const second = await openSandbox({folder})
    expect(second.port).not.to.equal(first.port)
    await second.close()
    await thief.close()
    expect((await openSandbox({folder})).port).to.equal(second.port)
    const failure: unknown = await startSandbox({folder: `${folder}2`, port: second.port}).catch(
      (error: unknown) => error,
    )
    expect(isFailure(failure, 'busy')).to.equal(true)
    // What failed to start holds nothing.
    await openSandbox({folder: `${folder}2`})
  })

  it('never shares a folder, neither within a process nor between two', async () => {
    const first = await run()
    const here: unknown = await startSandbox({folder}).catch((error: unknown) => error)
    expect(isFailure(here, 'busy')).to.equal(true)
    expect((await run()).access.code).to.equal('busy')
    expect(await findSandbox(folder)).to.include({
      port: first.access.port,
      pid: first.child.pid,
      secretAccessKey: first.access.secretAccessKey,
    })
    await kill(first)
    expect(await findSandbox(folder)).to.equal(undefined)
    await openSandbox({folder})
    const again: unknown = await startSandbox({folder}).catch((error: unknown) => error)
    expect(isFailure(again, 'busy')).to.equal(true)
  })

  it('lets one of several win that take over from a dead one at once', async () => {
    await kill(await run())
    const attempts = await Promise.allSettled(Array.from({length: 8}, async () => startSandbox({folder})))
    const winners = attempts.filter(attempt => attempt.status === 'fulfilled')
    expect(winners).to.have.length(1)
    for (const attempt of attempts)
      if (attempt.status === 'rejected') expect(isFailure(attempt.reason, 'busy')).to.equal(true)
    for (const {value} of winners) await value.close()
    expect((await readdir(folder)).filter(name => name.startsWith('lock'))).to.deep.equal([])
  })

  it('takes over from a process whose number another one has now', async () => {
    await mkdir(folder, {mode: 0o700})
    const reused = {
      ...(await identifyThisProcess()),
      pid: process.ppid,
      started: 'another-boot/1',
      token: 'a'.repeat(16),
    }
    await writeFile(join(folder, 'lock'), JSON.stringify(reused), {mode: 0o600})
    await openSandbox({folder})
  })

  it('follows no links', async () => {
    const elsewhere = await makeTempFolder()
    await symlink(elsewhere, folder)
    const linked: unknown = await startSandbox({folder}).catch((error: unknown) => error)
    expect(isFailure(linked, 'config')).to.equal(true)
    await rm(folder)
    for (const name of ['credentials.json', 'port.json', 'segments', 'objects', 'uploads', 'buckets']) {
      await (await openSandbox({folder})).close()
      const isFolder = !name.endsWith('.json')
      const target = join(elsewhere, name)
      await rename(join(folder, name), target)
      await symlink(target, join(folder, name))
      const failure: unknown = await startSandbox({folder}).catch((error: unknown) => error)
      expect(isFailure(failure, 'config'), name).to.equal(true)
      await rm(join(folder, name))
      if (isFolder) await rename(target, join(folder, name))
    }
  })

  it('removes at the start what a crash left', async () => {
    const first = await openSandbox({folder})
    const client = openClient(first)
    await client.send(new CreateBucketCommand({Bucket: 'kept'}))
    await client.send(new PutObjectCommand({Bucket: 'kept', Key: 'x', Body: 'x'}))
    const {UploadId} = await client.send(new CreateMultipartUploadCommand({Bucket: 'kept', Key: 'u'}))
    await client.send(new UploadPartCommand({Bucket: 'kept', Key: 'u', UploadId, PartNumber: 1, Body: 'part'}))
    await first.close()
    const before = await listFiles(folder)
    const log = before.find(name => name.startsWith('uploads/')) ?? ''
    const whole = await readFile(join(folder, log), 'utf8')
    await writeFile(join(folder, log), `${whole}{"number":2,"si`)
    await writeFile(join(folder, 'segments', 'f'.repeat(32)), 'orphan')
    await writeFile(join(folder, 'buckets', 'half.json.abc.tmp'), '{"na')
    await mkdir(join(folder, 'objects', 'a'.repeat(64)))
    const second = await openSandbox({folder})
    expect(await listFiles(folder)).to.deep.equal(before)
    expect(await readFile(join(folder, log), 'utf8')).to.equal(whole)
    const again = openClient(second)
    expect(await read(again, 'x')).to.equal('x')
    await again.send(new UploadPartCommand({Bucket: 'kept', Key: 'u', UploadId, PartNumber: 2, Body: 'two'}))
    expect((await again.send(new ListPartsCommand({Bucket: 'kept', Key: 'u', UploadId}))).Parts).to.have.length(2)
  })

  it('puts a damaged record aside, and loses no bytes over it', async () => {
    const first = await openSandbox({folder})
    const client = openClient(first)
    await client.send(new CreateBucketCommand({Bucket: 'kept'}))
    await client.send(new PutObjectCommand({Bucket: 'kept', Key: 'x', Body: 'x'}))
    await first.close()
    const [record = ''] = (await listFiles(folder)).filter(name => name.startsWith('objects/'))
    const [segment = ''] = (await listFiles(folder)).filter(name => name.startsWith('segments/'))
    await writeFile(join(folder, record), '{"key":')
    const second = await openSandbox({folder})
    expect(await codeOf(read(openClient(second), 'x'))).to.equal('NoSuchKey')
    expect(await listFiles(folder)).to.include.members([`${record}.damaged`, segment])
  })

  it('has the old or the new object whole after kill -9 in the middle of it', async () => {
    const rounds = 6
    let process = await run()
    await openClient(process.access).send(new CreateBucketCommand({Bucket: 'kept'}))
    await openClient(process.access).send(
      new PutObjectCommand({Bucket: 'kept', Key: 'x', Body: Buffer.alloc(4 * MIB, 'A')}),
    )
    const acknowledged = new Map<string, string>()
    let value = 'A'
    for (let round = 0; round < rounds; round++) {
      const client = openClient(process.access)
      const letter = String.fromCharCode(66 + round)
      const small = (async () => {
        for (let i = 0; ; i++) {
          await client.send(new PutObjectCommand({Bucket: 'kept', Key: `small/${i % 5}`, Body: `${round}.${i}`}))
          acknowledged.set(`small/${i % 5}`, `${round}.${i}`)
        }
      })().catch(() => undefined)
      let answered = false
      const big = client
        .send(new PutObjectCommand({Bucket: 'kept', Key: 'x', Body: Buffer.alloc(4 * MIB, letter)}))
        .then(
          () => (answered = true),
          () => undefined,
        )
      // A different moment each round: from the first bytes to just after the answer.
      const kills = new Promise(resolve => setTimeout(resolve, round * 12))
      await (round === rounds - 1 ? big : kills)
      const wasAnswered = answered
      await kill(process)
      await Promise.all([small, big])
      process = await run()
      const after = openClient(process.access)
      const content = (await read(after, 'x')) ?? ''
      expect(content).to.have.length(4 * MIB)
      expect(content === content[0]?.repeat(4 * MIB)).to.equal(true)
      expect(content[0]).to.be.oneOf(wasAnswered ? [letter] : [value, letter])
      value = content[0] ?? ''
      for (const [key, text] of acknowledged) {
        const [foundRound, found] = ((await read(after, key)) ?? '').split('.').map(Number)
        const [writtenRound, written] = text.split('.').map(Number)
        // What was acknowledged is there, or something that was written after it.
        expect((foundRound ?? 0) * 1e6 + (found ?? 0)).to.be.at.least((writtenRound ?? 0) * 1e6 + (written ?? 0))
      }
      const names = await listFiles(folder)
      expect(names.filter(name => name.endsWith('.tmp'))).to.deep.equal([])
      expect(names.filter(name => name.startsWith('segments/'))).to.have.length(
        names.filter(name => name.startsWith('objects/')).length,
      )
    }
  }).timeout(60_000)

  it('leaves nothing of an upload whose client vanished', async () => {
    const sandbox = await openSandbox({folder})
    await openClient(sandbox).send(new CreateBucketCommand({Bucket: 'kept'}))
    const headers = await signHeaders(sandbox, {method: 'PUT', path: '/kept/x'})
    const socket = connect(sandbox.port, '127.0.0.1')
    const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
    socket.write(`PUT /kept/x HTTP/1.1\r\n${head.join('')}content-length: ${8 * MIB}\r\n\r\n`)
    socket.write(Buffer.alloc(5 * MIB))
    const segments = async () => readdir(join(folder, 'segments'))
    for (let wait = 0; (await segments()).length === 0 && wait < 1000; wait++)
      await new Promise(resolve => setTimeout(resolve, 10))
    expect(await segments()).to.have.length(1)
    reset(socket)
    for (let wait = 0; (await segments()).length > 0 && wait < 1000; wait++)
      await new Promise(resolve => setTimeout(resolve, 10))
    expect(await segments()).to.deep.equal([])
  })

  /** Fills the disk under a sandbox, and looks at what is left. */
  const fillDisk = async (access: Access) => {
    const client = openClient(access, {requestChecksumCalculation: 'WHEN_REQUIRED'})
    await client.send(new CreateBucketCommand({Bucket: 'kept'}))
    await client.send(new PutObjectCommand({Bucket: 'kept', Key: 'x', Body: 'old'}))
    const upload = {Bucket: 'kept', Key: 'u'}
    const {UploadId} = await client.send(new CreateMultipartUploadCommand(upload))
    const before = await listFiles(folder)
    const big = Buffer.alloc(12 * MIB)
    const put: unknown = await client
      .send(new PutObjectCommand({Bucket: 'kept', Key: 'x', Body: big}))
      .catch((error: unknown) => error)
    expect(put).to.include({name: 'InsufficientStorage'})
    expect((put as {$metadata: {httpStatusCode: number}}).$metadata.httpStatusCode).to.equal(507)
    expect(await codeOf(client.send(new UploadPartCommand({...upload, UploadId, PartNumber: 1, Body: big})))).to.equal(
      'InsufficientStorage',
    )
    expect(await listFiles(folder)).to.deep.equal(before)
    expect(await read(client, 'x')).to.equal('old')
    await client.send(new PutObjectCommand({Bucket: 'kept', Key: 'x', Body: 'there is room for this'}))
    await client.send(new UploadPartCommand({...upload, UploadId, PartNumber: 1, Body: 'and this'}))
    expect((await client.send(new ListPartsCommand({...upload, UploadId}))).Parts).to.have.length(1)
  }

  it('answers 507 on a full disk, and nothing is left behind', async function () {
    skipUnless(
      this,
      process.platform === 'linux' && process.getuid?.() === 0,
      'Filling a disk needs root on Linux, for a small tmpfs',
    )
    await mkdir(folder, {mode: 0o700})
    const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8m,mode=0700', 'tmpfs', folder])
    skipUnless(this, mount.status === 0, 'Filling a disk needs the right to mount a tmpfs')
    try {
      await fillDisk(await openSandbox({folder}))
    } finally {
      await closeAll()
      spawnSync('umount', [folder])
    }
  })

  it('answers 507 when a file may not grow (ulimit -f)', async () => {
    // 512-byte or 1,024-byte blocks, as the shell has it: 4 or 8 MiB.
    await fillDisk((await run({fileBlocks: 8192})).access)
  })

  it('closes by itself when nobody asks, and not while somebody does', async () => {
    const calls: string[] = []
    const sandbox = await openSandbox({folder, idleTimeout: 2000, onIdle: () => calls.push('idle')})
    const client = openClient(sandbox)
    await client.send(new CreateBucketCommand({Bucket: 'kept'}))
    const headers = await signHeaders(sandbox, {method: 'PUT', path: '/kept/slow'})
    const socket = connect(sandbox.port, '127.0.0.1')
    const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
    socket.write(`PUT /kept/slow HTTP/1.1\r\n${head.join('')}content-length: 4\r\n\r\nab`)
    await new Promise(resolve => setTimeout(resolve, 3000))
    expect(calls).to.deep.equal([])
    socket.write('cd')
    const [answer] = (await once(socket, 'data')) as [Buffer]
    expect(answer.toString()).to.match(/^HTTP\/1\.1 200/u)
    for (let wait = 0; calls.length === 0 && wait < 1000; wait++) await new Promise(resolve => setTimeout(resolve, 10))
    expect(calls).to.deep.equal(['idle'])
    expect(await findSandbox(folder)).to.equal(undefined)
    await (await openSandbox({folder})).close()
    socket.destroy()
  })

  it('ends its process when it closes by itself', async () => {
    const {child, lines} = await run({idle: 1})
    expect((await lines.next()).value).to.equal('{"idle":true}')
    // It may have ended before anybody could listen for that.
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    expect(child.exitCode).to.equal(0)
  })
})
