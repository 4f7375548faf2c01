import {spawnSync} from 'node:child_process'
import {readdir, utimes, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {expect} from 'chai'
import {Failure} from '../../src/core/failure.ts'
import {takeLock} from '../../src/state/lock.ts'
import {identifyThisProcess} from '../../src/state/process-identity.ts'
import {sweepLocks} from '../../src/state/sweep-locks.ts'
import {makeTempFolder} from '../support/temp-folder.ts'

const refuse = () => new Failure('busy', 'Held.')

describe('sweepLocks', () => {
  let folder: string

  beforeEach(async () => {
    folder = await makeTempFolder()
  })

  /** Writes a file as a process of this machine would that has ended since, or as one of another machine. */
  async function leave(name: string, traits: {host?: string} = {}): Promise<void> {
    const {pid} = spawnSync('true')
    const holder = {...(await identifyThisProcess()), pid, token: '0123456789abcdef', ...traits}
    await writeFile(join(folder, name), JSON.stringify(holder))
  }
  const sweep = async (isOver = () => true): Promise<string[]> => {
    await sweepLocks(folder, isOver)
    return (await readdir(folder)).toSorted()
  }

  it('clears away what dead processes left: a lock, one that was about to become one, and the right to remove one', async () => {
    await leave('a.lock')
    await leave('a.lock.0123456789abcdef.new')
    await leave('a.lock.0123456789abcdef')
    expect(await sweep()).to.deep.equal([])
  })

  it('leaves what lives, what another machine has, and what is still wanted', async () => {
    const lock = await takeLock(join(folder, 'live.lock'), refuse)
    await leave('far.lock', {host: 'elsewhere'})
    await leave('far.lock.0123456789abcdef.new', {host: 'elsewhere'})
    expect(await sweep()).to.deep.equal(['far.lock', 'far.lock.0123456789abcdef.new', 'live.lock'])
    await lock.release()
    await leave('kept.lock')
    expect(await sweep(() => false)).to.include('kept.lock')
  })

  it('leaves an empty candidate until it is old: somebody may be about to fill it', async () => {
    const path = join(folder, 'a.lock.0123456789abcdef.new')
    await writeFile(path, '')
    expect(await sweep()).to.have.length(1)
    await utimes(path, new Date(), new Date(Date.now() - 120_000))
    expect(await sweep()).to.deep.equal([])
  })

  it('touches nothing that is no lock, and needs no folder', async () => {
    await leave('a.ndjson')
    expect(await sweep()).to.deep.equal(['a.ndjson'])
    await sweepLocks(join(folder, 'none'), () => true)
  })
})
