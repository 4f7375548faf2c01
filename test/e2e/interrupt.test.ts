import {execFileSync} from 'node:child_process'
import {constants} from 'node:fs'
import {mkdir, open, rm, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {CreateBucketCommand, ListMultipartUploadsCommand, ListObjectsV2Command} from '@aws-sdk/client-s3'
import type {S3Client} from '@aws-sdk/client-s3'
import {expect} from 'chai'
import type {Sandbox} from '../../src/sandbox/server.ts'
import {closeAll, openClient, openSandbox} from '../sandbox/support.ts'
import {startFaultProxy} from '../support/fault-proxy.ts'
import type {FaultProxy} from '../support/fault-proxy.ts'
import {slow, stall} from '../support/faults.ts'
import {makeRandomFile} from '../support/random-file.ts'
import {accessEnv, makeHome, readJson, runSkylift, startSkylift} from '../support/run-skylift.ts'
import type {Ending, Home, Running} from '../support/run-skylift.ts'
import {skipUnless} from '../support/skip.ts'
import {SOON} from '../support/soon.ts'
import {makeTempFolder} from '../support/temp-folder.ts'

const MIB = 1024 * 1024
/** Parts are kept for the next run, or nothing is left: what the flags, or the place, say. */
const KEEP: readonly string[] = []
const LEAVE_NOTHING = ['--resume', 'never']

describe('an upload that is interrupted', function () {
  this.timeout(60_000)
  let sandbox: Sandbox
  let proxy: FaultProxy
  let client: S3Client
  let home: Home
  let file: string

  before(async () => {
    sandbox = await openSandbox()
    client = openClient(sandbox)
    await client.send(new CreateBucketCommand({Bucket: 'box'}))
    proxy = await startFaultProxy({upstream: sandbox.endpoint})
    file = join((await makeHome()).folder, 'big.bin')
    await makeRandomFile(file, 100 * MIB)
  })
  beforeEach(async () => {
    home = await makeHome(accessEnv({...sandbox, endpoint: proxy.endpoint}))
  })
  afterEach(() => proxy.clear())
  after(async () => {
    await proxy.close()
    await closeAll()
  })

  async function pending(): Promise<number> {
    const {Uploads = []} = await client.send(new ListMultipartUploadsCommand({Bucket: 'box'}))
    return Uploads.length
  }

  /** Starts an upload that is slow from its second part on, and waits until it is under way. */
  async function startSlowly(key: string, ...flags: string[]): Promise<Running> {
    proxy.inject({operation: 'part', fault: slow(2 * MIB), skip: 2, times: Infinity})
    const argv = ['upload', file, `s3://box/${key}`, '-p', '5M', '--progress', 'lines', ...flags]
    const running = startSkylift(argv, home)
    const stored = (): number => proxy.log.filter(each => each.operation === 'part' && each.status === 200).length
    await proxy.until(() => proxy.inFlight >= 4 && stored() >= 2 && proxy.bytesReceived('part') > 11 * MIB)
    return running
  }

  async function interrupt(running: Running, signal: NodeJS.Signals): Promise<Ending & {took: number}> {
    const started = performance.now()
    running.child.kill(signal)
    const ending = await running.ended
    return {...ending, took: performance.now() - started}
  }

  for (const [signal, status] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 143],
  ] as const) {
    it(`ends within a second of ${signal} with ${status}, and leaves nothing with --resume never`, async () => {
      const {took, ...ending} = await interrupt(await startSlowly(`nothing-${signal}`, ...LEAVE_NOTHING), signal)
      expect(ending.status).to.equal(status)
      expect(ending.signal).to.equal(undefined)
      expect(took).to.be.below(SOON)
      expect(await pending()).to.equal(0)
    })
  }

  it('keeps its parts otherwise, says how to go on, and the same command goes on', async () => {
    const {took, stderr, status} = await interrupt(await startSlowly('kept', ...KEEP), 'SIGINT')
    expect(status).to.equal(130)
    expect(took).to.be.below(SOON)
    expect(stderr).to.match(/parts? (?:is|are) kept/u)
    expect(stderr).to.match(/Run the same command again/u)
    expect(await pending()).to.equal(1)
    proxy.clear()
    const again = await runSkylift(['upload', file, 's3://box/kept', '-p', '5M', '-q', '--json'], home)
    expect({status: again.status, stderr: again.stderr}).to.deep.equal({status: 0, stderr: ''})
    expect(proxy.count('part')).to.be.within(1, 18)
    expect(await pending()).to.equal(0)
  })

  it('leaves nothing where the state folder will not survive: CI, and no SKYLIFT_STATE_DIR', async () => {
    const {SKYLIFT_STATE_DIR: _, ...env} = home.env
    home = {...home, env: {...env, CI: 'true'}}
    const {status} = await interrupt(await startSlowly('ci'), 'SIGTERM')
    expect(status).to.equal(143)
    expect(await pending()).to.equal(0)
  })

  it('tells one JSON document with --json', async () => {
    const {stdout, status} = await interrupt(await startSlowly('json', '--json', ...LEAVE_NOTHING), 'SIGINT')
    expect(status).to.equal(130)
    const document = readJson<{ok: boolean; failures: {code: string}[]}>({stdout})
    expect(document.ok).to.equal(false)
    expect(document.failures.map(({code}) => code)).to.deep.equal(['interrupted'])
  })

  it('ends at once at the second Ctrl-C, even when the store does not answer the abort', async () => {
    const running = await startSlowly('twice', ...LEAVE_NOTHING)
    proxy.inject({operation: 'abort', fault: stall(), times: Infinity})
    running.child.kill('SIGINT')
    await proxy.until(() => proxy.count('abort') > 0)
    const {status, took, stderr} = await interrupt(running, 'SIGINT')
    expect(status).to.equal(130)
    // It would say so at the end of its wait; how long it waited says less on a busy machine.
    expect(stderr).not.to.include('still at the store')
    expect(took).to.be.below(SOON)
  })

  it('ends within a second and a half when the store does not answer the abort, and says what is left', async () => {
    const running = await startSlowly('deaf', ...LEAVE_NOTHING)
    proxy.inject({operation: 'abort', fault: stall(), times: Infinity})
    const {status, took, stderr} = await interrupt(running, 'SIGINT')
    expect(status).to.equal(130)
    expect(took).to.be.below(SOON)
    expect(stderr).to.match(/unfinished upload .* is still at the store/u)
  })

  it('with --engine sdk ends too, and leaves nothing', async () => {
    const {status, took} = await interrupt(await startSlowly('sdk', '--engine', 'sdk'), 'SIGINT')
    expect(status).to.equal(130)
    expect(took).to.be.below(SOON)
    const {Uploads = []} = await client.send(new ListMultipartUploadsCommand({Bucket: 'box', Prefix: 'sdk'}))
    expect(Uploads).to.deep.equal([])
  })

  it('ends at once before anything was sent', async () => {
    proxy.inject({operation: 'create', fault: stall(), times: Infinity})
    const running = startSkylift(['upload', file, 's3://box/early', '-q'], home)
    await proxy.until(() => proxy.count('create') > 0)
    const {status, took} = await interrupt(running, 'SIGINT')
    expect(status).to.equal(130)
    expect(took).to.be.below(SOON)
  })

  it('ends within a second though nobody reads the pipe that its results go to', async function () {
    skipUnless(this, process.platform !== 'win32', 'A FIFO is a file of POSIX')
    await client.send(new CreateBucketCommand({Bucket: 'piped'}))
    const pipe = join(await makeTempFolder(), 'pipe')
    execFileSync('mkfifo', [pipe])
    const reader = await open(pipe, constants.O_RDONLY | constants.O_NONBLOCK)
    await mkdir(join(home.folder, 'many'))
    // Their lines are more than the 64 KiB that a pipe holds.
    for (let count = 0; count < 500; count++) await writeFile(join(home.folder, 'many', String(count)), '')
    proxy.inject({operation: 'part', fault: slow(2 * MIB), skip: 2, times: Infinity})
    const running = startSkylift(['upload', '-r', 'many', file, 's3://piped/', '-p', '5M', '--results', pipe], {
      ...home,
      cwd: home.folder,
    })
    await running.said(/piped\/99 /u)
    await proxy.until(() => proxy.log.filter(each => each.operation === 'part' && each.status === 200).length >= 2)
    // Whatever a run has left is read, in search of secrets.
    await rm(pipe)
    const {status, took, stderr} = await interrupt(running, 'SIGINT')
    await reader.close()
    expect(status).to.equal(130)
    expect(stderr.match(/^Interrupted/gmu)).to.have.length(1)
    expect(stderr).to.match(/^Interrupted\. \d+ parts are kept/mu)
    expect(took).to.be.below(SOON)
  })

  it('never leaves an object', async () => {
    const {Contents = []} = await client.send(new ListObjectsV2Command({Bucket: 'box'}))
    expect(Contents.map(({Key}) => Key)).to.deep.equal(['kept'])
  })
})
