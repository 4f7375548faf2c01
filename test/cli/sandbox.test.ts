import {execFile, execFileSync, spawnSync} from 'node:child_process'
import {existsSync} from 'node:fs'
import {copyFile, mkdir, readdir, readFile, stat, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {setTimeout} from 'node:timers/promises'
import {promisify} from 'node:util'
import {ListMultipartUploadsCommand, ListObjectsV2Command} from '@aws-sdk/client-s3'
import {expect} from 'chai'
import {Failure} from '../../src/core/failure.ts'
import {findSandbox} from '../../src/sandbox/find-sandbox.ts'
import type {RunningSandbox} from '../../src/sandbox/find-sandbox.ts'
import {startSandbox} from '../../src/sandbox/server.ts'
import {takeLock} from '../../src/state/lock.ts'
import {closeAll, openClient} from '../sandbox/support.ts'
import {compareFiles, makeRandomFile} from '../support/random-file.ts'
import {endSandboxes, makeHome, readJson, runSkylift, startSkylift} from '../support/run-skylift.ts'
import type {Home} from '../support/run-skylift.ts'
import {skipUnless} from '../support/skip.ts'

const MIB = 1024 * 1024
const run = promisify(execFile)

describe('the sandbox, as a person meets it', () => {
  let home: Home
  let file: string
  beforeEach(async () => {
    home = await makeHome()
    file = join(home.folder, 'file.bin')
    await makeRandomFile(file, 6 * MIB)
  })
  afterEach(async () => {
    await closeAll()
    await endSandboxes()
  })

  async function findRunning(): Promise<RunningSandbox> {
    const running = await findSandbox(home.sandboxFolder)
    if (running === undefined) throw new Error('no sandbox runs')
    return running
  }

  async function processesOf(folder: string): Promise<number[]> {
    const pids = (await readdir('/proc')).filter(name => /^\d+$/u.test(name))
    const own = await Promise.all(
      pids.map(async pid => {
        const environ = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')
        const cmdline = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
        const isSandbox = cmdline.split('\0').includes('sandbox')
        return isSandbox && environ.includes(`SKYLIFT_SANDBOX_DIR=${folder}\0`) ? [Number(pid)] : []
      }),
    )
    return own.flat()
  }

  it('starts by itself for the first upload, makes the container, and stays for the next command', async () => {
    const first = await runSkylift(['upload', file, 'sandbox://box/', '-q'], home)
    expect({status: first.status, stderr: first.stderr}).to.deep.equal({status: 0, stderr: ''})
    const {pid} = await findRunning()
    const second = await runSkylift(['upload', file, 'sandbox://box/again', 'sandbox://other/', '-q'], home)
    expect(second.status).to.equal(2)
    expect((await runSkylift(['upload', file, 'sandbox://other/again', '-q'], home)).status).to.equal(0)
    expect((await findRunning()).pid).to.equal(pid)
  })

  it('is started once by two uploads at the same time', async function () {
    skipUnless(this, process.platform === 'linux', 'Processes are counted in /proc')
    const ends = await Promise.all([1, 2, 3].map(n => runSkylift(['upload', file, `sandbox://box/${n}`, '-q'], home)))
    for (const {status, stderr} of ends) expect({status, stderr}).to.deep.equal({status: 0, stderr: ''})
    const {pid} = await findRunning()
    // One that came too late may not have ended yet.
    while ((await processesOf(home.sandboxFolder)).length > 1) await setTimeout(50)
    expect(await processesOf(home.sandboxFolder)).to.deep.equal([pid])
    const {Contents = []} = await openClient(await findRunning()).send(new ListObjectsV2Command({Bucket: 'box'}))
    expect(Contents.map(({Key}) => Key)).to.deep.equal(['1', '2', '3'])
  })

  it('is waited for when another process is still starting it', async () => {
    await mkdir(home.sandboxFolder, {recursive: true})
    const lock = await takeLock(join(home.sandboxFolder, 'lock'), () => new Failure('busy', 'taken'))
    const upload = startSkylift(['upload', file, 'sandbox://box/', '-q'], home)
    // Its own has found the folder taken and has ended, and longer than the upload would look for one without a holder.
    await setTimeout(3000)
    const other = await startSandbox({folder: join(home.folder, 'other')})
    for (const name of ['credentials.json', 'port.json']) {
      await copyFile(join(home.folder, 'other', name), join(home.sandboxFolder, name))
    }
    const {status, stderr} = await upload.ended
    expect({status, stderr}).to.deep.equal({status: 0, stderr: ''})
    await other.close()
    await lock.release()
  })

  it('has no secret in its command line, and its keys in a file for its owner alone', async function () {
    skipUnless(this, process.platform === 'linux', 'Command lines are read from /proc')
    await runSkylift(['upload', file, 'sandbox://box/', '-q'], home)
    const {pid, secretAccessKey, accessKeyId} = await findRunning()
    const cmdline = await readFile(`/proc/${pid}/cmdline`, 'utf8')
    const environ = await readFile(`/proc/${pid}/environ`, 'utf8')
    for (const text of [cmdline, environ]) {
      expect(text).not.to.contain(secretAccessKey)
      expect(text).not.to.contain(accessKeyId)
    }
    expect((await stat(join(home.sandboxFolder, 'credentials.json'))).mode & 0o777).to.equal(0o600)
  })

  it('--stop ends the one that runs and leaves its objects; without one there is nothing to do', async () => {
    await runSkylift(['upload', file, 'sandbox://box/kept', '-q'], home)
    const {accessKeyId} = await findRunning()
    const stopped = await runSkylift(['sandbox', '--stop'], home)
    expect(stopped).to.include({status: 0, stdout: 'The sandbox has ended; its objects stay.\n', stderr: ''})
    expect(await findSandbox(home.sandboxFolder)).to.equal(undefined)
    expect(await runSkylift(['sandbox', '--stop'], home)).to.include({status: 0, stdout: 'No sandbox runs.\n'})
    expect(readJson(await runSkylift(['sandbox', '--stop', '--json'], home))).to.deep.equal({ok: true, stopped: false})
    await runSkylift(['upload', file, 'sandbox://box/later', '-q'], home)
    expect((await findRunning()).accessKeyId).to.equal(accessKeyId)
    const {Contents = []} = await openClient(await findRunning()).send(new ListObjectsV2Command({Bucket: 'box'}))
    expect(Contents.map(({Key}) => Key)).to.deep.equal(['kept', 'later'])
  })

  it('in front tells endpoint and keys, and its lines work as they stand', async function () {
    this.timeout(60_000)
    skipUnless(
      this,
      existsSync('/usr/bin/aws') && existsSync('/usr/bin/rclone'),
      'aws or rclone is missing: apt-get install awscli rclone',
    )
    const front = startSkylift(['sandbox'], home)
    try {
      const told = await front.said(/rclone ls .*\n/u)
      const {endpoint, accessKeyId, secretAccessKey} = await findRunning()
      for (const each of [endpoint, accessKeyId, secretAccessKey]) expect(told).to.contain(each)
      await runSkylift(['upload', file, 'sandbox://demo/file.bin', '-q'], home)
      const lines = told.split('\n').flatMap(line => /^ {2}((?:export|aws|rclone) .*)$/u.exec(line)?.[1] ?? [])
      expect(lines).to.have.length(7)
      const env = {...home.env, PATH: `/usr/bin:${home.env['PATH']}`}
      const {stdout} = await run('sh', ['-ec', lines.join('\n')], {env})
      expect(stdout).to.match(/ demo\n/u)
      expect(stdout).to.match(/6291456 demo\/file\.bin/u)
    } finally {
      front.child.kill('SIGINT')
    }
    const {status, stderr} = await front.ended
    expect({status, stderr}).to.deep.equal({status: 0, stderr: ''})
    expect(await findSandbox(home.sandboxFolder)).to.equal(undefined)
  })

  it('in front tells one JSON document with --json, and says when one runs already', async () => {
    await runSkylift(['upload', file, 'sandbox://box/', '-q'], home)
    const {endpoint, pid, accessKeyId, secretAccessKey, region, port} = await findRunning()
    const told = readJson(await runSkylift(['sandbox', '--json'], home))
    expect(told).to.deep.equal({ok: true, endpoint, port, pid, accessKeyId, secretAccessKey, region})
    const words = await runSkylift(['sandbox'], home)
    expect(words.status).to.equal(0)
    expect(words.stdout).to.contain(`runs already (process ${pid})`)
  })

  it('ends by itself after --idle', async () => {
    const {status, stdout, stderr} = await runSkylift(['sandbox', '--idle', '300ms'], home)
    expect({status, stderr}).to.deep.equal({status: 0, stderr: ''})
    expect(stdout).to.match(/^The sandbox is up/u)
    expect(await findSandbox(home.sandboxFolder)).to.equal(undefined)
  })

  it('says in one sentence why it cannot start', async function () {
    await writeFile(home.sandboxFolder, 'a file, not a folder')
    const {status, stdout, stderr} = await runSkylift(['sandbox'], home)
    expect(status).to.be.oneOf([2, 4])
    expect(stdout).to.equal('')
    expect(stderr).to.match(/^[^\n]+\.\n {2}[^\n]+\n$/u)
    expect(stderr).not.to.match(/unexpected|bug in Skylift/u)
  })

  it('says that its disk is full; the upload fails, and nothing of it stays', async function () {
    this.timeout(60_000)
    skipUnless(
      this,
      process.platform === 'linux' && process.getuid?.() === 0,
      'Filling a disk needs root on Linux, for a small tmpfs',
    )
    await mkdir(home.sandboxFolder, {mode: 0o700})
    const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=16m,mode=0700', 'tmpfs', home.sandboxFolder])
    skipUnless(this, mount.status === 0, 'Filling a disk needs the right to mount a tmpfs')
    try {
      expect((await runSkylift(['upload', file, 'sandbox://box/fits', '-q'], home)).status).to.equal(0)
      const big = join(home.folder, 'big.bin')
      await makeRandomFile(big, 40 * MIB)
      for (const flags of [[], ['-p', '64M']]) {
        const argv = ['upload', big, 'sandbox://box/too-big', '-q', '--resume', 'never', ...flags]
        const {status, stdout, stderr} = await runSkylift(argv, home)
        expect({status, stdout}).to.deep.equal({status: 8, stdout: ''})
        expect(stderr).to.equal('The store has no room left.\n  Free some space there, then run it again.\n')
      }
      const sandbox = await findRunning()
      const client = openClient(sandbox)
      const {Contents = []} = await client.send(new ListObjectsV2Command({Bucket: 'box'}))
      expect(Contents.map(({Key}) => Key)).to.deep.equal(['fits'])
      expect((await client.send(new ListMultipartUploadsCommand({Bucket: 'box'}))).Uploads ?? []).to.deep.equal([])
      expect((await runSkylift(['upload', file, 'sandbox://box/fits-too', '-q'], home)).status).to.equal(0)
    } finally {
      await runSkylift(['sandbox', '--stop'], home)
      execFileSync('umount', [home.sandboxFolder])
    }
  })

  it('gives back what was uploaded, by its own keys', async function () {
    skipUnless(this, existsSync('/usr/bin/rclone'), 'rclone is missing: apt-get install rclone')
    await runSkylift(['upload', file, 'sandbox://box/', '-q', '-p', '5M'], home)
    const {endpoint, accessKeyId, secretAccessKey} = await findRunning()
    const remote = `:s3,provider=Other,endpoint="${endpoint}",access_key_id=${accessKeyId},secret_access_key=${secretAccessKey}:`
    await run('/usr/bin/rclone', ['copyto', `${remote}box/file.bin`, join(home.folder, 'back')], {env: home.env})
    expect(await compareFiles(file, join(home.folder, 'back'))).to.equal(-1)
  })
})
