import {execFile, spawn} from 'node:child_process'
import {once} from 'node:events'
import {readdir, readFile, stat, symlink, utimes, writeFile} from 'node:fs/promises'
import {hostname} from 'node:os'
import {dirname, join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {promisify} from 'node:util'
import {expect} from 'chai'
import {Failure, isFailure} from '../../src/core/failure.ts'
import {findHolder, takeLock} from '../../src/state/lock.ts'
import type {Holder} from '../../src/state/lock.ts'
import {identifyThisProcess} from '../../src/state/process-identity.ts'
import {skipUnless} from '../support/skip.ts'
import {makeTempFolder} from '../support/temp-folder.ts'
import {buildLinklessLibrary, canRun, LOCK_SCRIPT, startLockProcess} from './lock-process.ts'
import type {LockProcess} from './lock-process.ts'

const refuse = ({pid, host}: Holder): Failure => new Failure('busy', `Held by ${pid} on ${host}.`)

describe('takeLock', () => {
  let path: string
  const started: LockProcess[] = []

  beforeEach(async () => {
    path = join(await makeTempFolder(), 'a.lock')
  })

  afterEach(async () => {
    for (const each of started.splice(0)) await each.kill()
  })

  const start: typeof startLockProcess = async (...args) => {
    const lockProcess = await startLockProcess(...args)
    started.push(lockProcess)
    return lockProcess
  }

  /** Returns `taken`, or why not. */
  async function tryTake(): Promise<string> {
    try {
      await (await takeLock(path, refuse)).release()
      return 'taken'
    } catch (error) {
      if (isFailure(error, 'busy')) return error.message
      throw error
    }
  }

  /** Writes a lock as a process would that has these traits and is otherwise this one. */
  async function leaveLock(traits: Partial<Holder>, ageInSeconds = 0): Promise<void> {
    await writeFile(path, JSON.stringify({...(await identifyThisProcess()), token: '0123456789abcdef', ...traits}))
    const time = new Date(Date.now() - ageInSeconds * 1000)
    await utimes(path, time, time)
  }

  it('keeps a second process out, and tells it who is in', async () => {
    const {pid} = await start(path)
    expect(await tryTake()).to.equal(`Held by ${pid} on ${hostname()}.`)
    expect(await findHolder(path)).to.include({pid, host: hostname()})
  })

  it('takes over from a process that was killed and that its parent does not ask after', async function () {
    skipUnless(this, process.platform === 'linux', 'only Linux tells of a process that it has ended')
    // The shell becomes a program that never looks after the child it was left with, which ends only then.
    const child = 'until grep -q sleep /proc/$PPID/comm; do sleep 0.01; done'
    const script = `sh -c '${child}' & echo $!; exec sleep 30`
    const parent = spawn('sh', ['-c', script], {stdio: ['ignore', 'pipe', 'ignore']})
    try {
      const [words] = (await once(parent.stdout, 'data')) as [Buffer]
      const pid = Number(words.toString())
      const stateOf = async (): Promise<string> => await readFile(`/proc/${pid}/stat`, 'utf8')
      while (!(await stateOf()).includes(') Z ')) await sleep(10)
      await leaveLock({pid, started: ''})
      expect(await tryTake()).to.equal('taken')
    } finally {
      parent.kill()
    }
  })

  it('keeps a second holding of the same process out', async () => {
    const lock = await takeLock(path, refuse)
    expect(await tryTake()).to.equal(`Held by ${process.pid} on ${hostname()}.`)
    await lock.release()
    expect(await tryTake()).to.equal('taken')
  })

  it('is free after its release, which may be called twice and never removes the lock of another', async () => {
    const first = await takeLock(path, refuse)
    await first.release()
    const second = await takeLock(path, refuse)
    await first.release()
    expect(await tryTake()).to.match(/^Held by/u)
    await second.release()
    expect(await readdir(dirname(path))).to.deep.equal([])
  })

  it('takes over at once from a process that was killed, and leaves nothing beside', async () => {
    await (await start(path)).kill()
    expect(await findHolder(path)).to.equal(undefined)
    expect(await tryTake()).to.equal('taken')
    expect(await readdir(dirname(path))).to.deep.equal([])
  })

  it('takes over from a dead process whose number another one has now', async function () {
    skipUnless(this, process.platform === 'linux', 'Start times of processes are read from /proc')
    const {started: mine} = await identifyThisProcess()
    await leaveLock({started: mine.replace(/\d+$/u, '1')})
    expect(await tryTake()).to.equal('taken')
  })

  it('takes over from a process of an earlier boot', async function () {
    skipUnless(this, process.platform === 'linux', 'The boot is named in /proc')
    const {started: mine} = await identifyThisProcess()
    await leaveLock({started: mine.replace(/^[^/]+/u, '00000000-0000-0000-0000-000000000000')})
    expect(await tryTake()).to.equal('taken')
  })

  for (const [what, traits] of [
    ['another host', {host: 'elsewhere'}],
    ['another pid namespace', {pidNamespace: 'pid:[1]'}],
  ] as const) {
    it(`judges a process of ${what} by its beat`, async () => {
      await leaveLock(traits)
      expect(await tryTake()).to.match(/^Held by/u)
      await leaveLock(traits, 95)
      expect(await tryTake()).to.match(/^Held by/u)
      await leaveLock(traits, 105)
      expect(await tryTake()).to.equal('taken')
    })
  }

  it('asks nobody of its own numbers about a process of a real other pid namespace', async function () {
    const through = ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child']
    skipUnless(this, canRun(through[0]!, ...through.slice(1), 'true'), 'unshare needs root (util-linux)')
    const held = await start(path, {through})
    // Our own number 1 is another process, and lives on.
    expect(held.pid).to.be.below(10)
    expect(await tryTake()).to.match(/^Held by/u)
    await held.kill()
    expect(await tryTake()).to.match(/^Held by/u)
    const time = new Date(Date.now() - 105_000)
    await utimes(path, time, time)
    expect(await tryTake()).to.equal('taken')
  })

  it('goes by the clock of the file system, whatever the clocks of the two machines say', async function () {
    skipUnless(this, canRun('faketime', '--version'), 'faketime is not installed (Debian: apt-get install faketime)')
    for (const wrong of ['+1d', '-1d']) {
      const through = ['faketime', '-f', wrong]
      await leaveLock({host: 'elsewhere'})
      expect((await start(path, {through})).refused, wrong).to.match(/^Held by/u)
      await leaveLock({host: 'elsewhere'}, 105)
      expect((await start(path, {through})).pid, wrong).to.be.a('number')
      expect(await tryTake(), wrong).to.match(/^Held by/u)
      await started.at(-1)?.end()
    }
  })

  it('lets exactly one in where many find the same dead holder', async () => {
    for (let round = 0; round < 10; round++) {
      await leaveLock({pid: 2 ** 22 - 1, token: `dead-${round}`})
      const all = await Promise.allSettled(Array.from({length: 12}, () => takeLock(path, refuse)))
      const taken = all.filter(each => each.status === 'fulfilled')
      expect(taken).to.have.length(1)
      for (const {value} of taken) await value.release()
      expect(await readdir(dirname(path))).to.deep.equal([])
    }
  })

  it('lets exactly one process in where several find the same dead holder', async () => {
    await leaveLock({pid: 2 ** 22 - 1})
    const all = await Promise.all(Array.from({length: 4}, () => start(path)))
    expect(all.filter(({pid}) => pid !== undefined)).to.have.length(1)
  })

  it('waits for a process that is writing its lock, and takes over when it died over it', async () => {
    for (const half of ['', '{"pid":']) {
      await writeFile(path, half)
      expect(await tryTake()).to.match(/^Held by/u)
      const time = new Date(Date.now() - 105_000)
      await utimes(path, time, time)
      expect(await tryTake()).to.equal('taken')
    }
  })

  it('works on a file system without hard links', async function () {
    skipUnless(this, process.platform === 'linux' && canRun('gcc', '--version'), 'gcc is not installed')
    const env = {LD_PRELOAD: await buildLinklessLibrary(await makeTempFolder())}
    const first = await start(path, {env})
    expect(first.pid).to.be.a('number')
    expect((await start(path, {env})).refused).to.equal(`Held by ${first.pid}.`)
    expect(await tryTake()).to.match(/^Held by/u)
    await first.kill()
    const third = await start(path, {env})
    expect(third.pid).to.be.a('number')
    await third.end()
    expect(await readdir(dirname(path))).to.deep.equal([])
  })

  it('is readable for its owner alone, and follows no link', async () => {
    const lock = await takeLock(path, refuse)
    expect((await stat(path)).mode & 0o777).to.equal(0o600)
    await lock.release()
    const elsewhere = join(await makeTempFolder(), 'precious')
    await writeFile(elsewhere, 'precious')
    await symlink(elsewhere, path)
    const failure = await takeLock(path, refuse).catch((error: unknown) => error)
    expect(failure).to.be.instanceOf(Failure).and.to.include({code: 'config'})
    expect(await readFile(elsewhere, 'utf8')).to.equal('precious')
  })

  for (const env of ['', 'LD_PRELOAD="$1/linkless.so" ']) {
    it(`leaves nothing where the disk is full${env === '' ? '' : ', without hard links either'}`, async function () {
      skipUnless(this, canRun('unshare', '-rm', 'true'), 'unshare -rm is not allowed here')
      skipUnless(this, env === '' || canRun('gcc', '--version'), 'gcc is not installed')
      const folder = dirname(path)
      if (env !== '') await buildLinklessLibrary(folder)
      const mount = 'mkdir "$1/m" && mount -t tmpfs -o size=16k tmpfs "$1/m" && head -c 16384 /dev/zero >"$1/m/full"'
      const {stdout} = await promisify(execFile)('unshare', [
        ...['-rm', 'sh', '-c', `${mount}; ${env}"$2" --import tsx "$3" "$1/m/a.lock" </dev/null; ls "$1/m"`],
        ...['sh', folder, process.execPath, LOCK_SCRIPT],
      ])
      expect(stdout).to.match(/^\{"refused":"ENOSPC.*\}\nfull\n$/u)
    })
  }
})
