import {existsSync} from 'node:fs'
import {mkdir, writeFile} from 'node:fs/promises'
import {hostname} from 'node:os'
import {join} from 'node:path'
import {expect} from 'chai'
import {MIB} from '../../src/core/sizes.ts'
import {BUCKET, hashPath, listJournals, openArena} from '../support/arena.ts'
import type {Arena} from '../support/arena.ts'
import {slow} from '../support/faults.ts'
import {runSkylift, startSkylift} from '../support/run-skylift.ts'
import type {Ending, Home} from '../support/run-skylift.ts'
import {skipUnless} from '../support/skip.ts'
import {canRun} from '../state/lock-process.ts'

describe('a state folder', () => {
  let arena: Arena
  let home: Home
  let file: string
  let key: string
  let keys = 0

  before(async () => {
    arena = await openArena()
    file = await arena.makeFile(62 * MIB)
  })
  after(() => arena.close())
  beforeEach(async () => {
    arena.proxy.clear()
    home = await arena.makeHome()
    await mkdir(home.stateFolder)
    key = `object-${++keys}`
  })

  const argv = (...more: string[]): string[] => ['upload', file, `s3://${BUCKET}/${key}`, '-p', '5M', ...more]

  async function expectStored({status, stderr}: Ending): Promise<void> {
    expect(status, stderr).to.equal(0)
    expect(await arena.hashStored(key)).to.equal(await hashPath(file))
    expect((await arena.listUploads()).filter(each => each === key)).to.deep.equal([])
  }

  /** Runs it with a file system of its own over the state folder. */
  function uploadOver(context: Mocha.Context, mount: string, ...more: string[]): Promise<Ending> {
    skipUnless(context, canRun('unshare', '-rm', 'true'), 'unshare -rm is not allowed here')
    const through = ['unshare', '-rm', 'sh', '-c', `${mount} && exec "$@"`, home.stateFolder]
    return runSkylift(argv(...more), {env: home.env, through})
  }

  it('that is read-only: uploads, and says that it cannot be resumed', async function () {
    const ending = await uploadOver(this, 'mount -t tmpfs -o ro tmpfs "$0"')
    expect(ending.stderr).to.match(/This upload cannot be resumed after a kill: .*read-only/u)
    await expectStored(ending)
  })

  it('that is not ours: uploads, and says that it cannot be resumed', async function () {
    skipUnless(
      this,
      process.getuid?.() === 0 && canRun('setpriv', '--version'),
      'Only root becomes somebody else (setpriv)',
    )
    const mine = join(home.folder, 'file')
    await writeFile(mine, Buffer.alloc(11 * MIB, 'mine'))
    const through = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']
    const ending = await runSkylift(['upload', mine, `s3://${BUCKET}/${key}`, '-p', '5M'], {env: home.env, through})
    expect(ending.status, ending.stderr).to.equal(0)
    expect(ending.stderr).to.match(/This upload cannot be resumed after a kill: .*permission denied/u)
    expect(await arena.hashStored(key)).to.equal(await hashPath(mine))
  })

  it('that is a file: uploads, and says that it cannot be resumed', async () => {
    const folder = join(home.folder, 'not-a-folder')
    await writeFile(folder, 'x')
    const ending = await runSkylift(argv('--state-dir', folder), {env: home.env})
    expect(ending.stderr).to.include('This upload cannot be resumed after a kill')
    await expectStored(ending)
  })

  it('where none can be made: uploads, and says that it cannot be resumed; the doctor fails config', async function () {
    skipUnless(this, existsSync('/proc/self'), 'There is no /proc here')
    const ending = await runSkylift(argv('--state-dir', '/proc/nope'), {env: home.env})
    expect(ending.stderr).to.match(/This upload cannot be resumed after a kill: .*no such file or directory/u)
    await expectStored(ending)
    const doctor = await runSkylift(['doctor'], {env: {...home.env, SKYLIFT_STATE_DIR: '/proc/nope'}})
    expect(doctor.status).to.equal(2)
    expect(doctor.stdout).to.include('/proc/nope cannot be written (ENOENT)')
  })

  it('on a full disk: uploads, and says that it cannot be resumed', async function () {
    const ending = await uploadOver(this, 'mount -t tmpfs -o size=16k tmpfs "$0" && head -c 16384 /dev/zero >"$0/full"')
    expect(ending.stderr).to.match(/This upload cannot be resumed after a kill: .*no space left/u)
    await expectStored(ending)
  })

  it('on a disk that becomes full: goes on uploading, and says so once', async function () {
    // The lock takes one page, the head of the journal nearly fills the other one.
    const long = ['-m', `a=${'x'.repeat(1900)}`, '--content-disposition', `attachment; filename="${'y'.repeat(1000)}"`]
    const ending = await uploadOver(this, 'mount -t tmpfs -o size=8k tmpfs "$0"', ...long)
    expect(ending.stderr.match(/The journal cannot be written any more/gu)).to.have.length(1)
    await expectStored(ending)
  })

  it('that is shared: the second process of one upload is told who has it, and the first one goes on', async () => {
    // So slow that it cannot end before the second one has started.
    arena.proxy.inject({operation: 'part', fault: slow(600_000), times: 4})
    const first = startSkylift(argv(), {env: home.env})
    await arena.proxy.until(() => arena.proxy.count('part') > 0)
    const second = await runSkylift(argv(), {env: home.env})
    expect(second.status).to.equal(8)
    expect(second.stderr).to.include(
      `Process ${first.child.pid} on ${hostname()} is uploading to s3://${BUCKET}/${key}`,
    )
    await expectStored(await first.ended)
    expect(await listJournals(home.stateFolder)).to.deep.equal([])
  })
})
