import {mkdir, readdir, rename, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {DeleteObjectCommand, ListObjectsV2Command} from '@aws-sdk/client-s3'
import {expect} from 'chai'
import {MIB} from '../../src/core/sizes.ts'
import {BUCKET, hashPath, listJournals, openArena} from '../support/arena.ts'
import type {Arena} from '../support/arena.ts'
import {accessDenied} from '../support/fault-answers.ts'
import {makeRandomFile} from '../support/random-file.ts'
import {runSkylift, startSkylift} from '../support/run-skylift.ts'
import type {Ending, Home} from '../support/run-skylift.ts'

const KILLS = Math.ceil(Number(process.env['KILLS'] ?? 30) / 6)
const SMALL = 300
const CONCURRENCY = 4
/** Puts that are under way at a kill, or whose line in the journal was not written yet. */
const LOST = 64

describe(`a folder, killed ${KILLS} times on its way`, function () {
  this.timeout(60_000 + KILLS * 10_000)
  let arena: Arena
  let home: Home
  let folder: string

  before(async () => {
    arena = await openArena()
    home = await arena.makeHome()
    folder = join(home.folder, 'tree')
    for (let index = 0; index < SMALL; index++) {
      const path = join(folder, `d${index % 7}`, `ä ${index}.bin`)
      await mkdir(join(path, '..'), {recursive: true})
      await makeRandomFile(path, (index * 37) % 3000, index)
    }
    await makeRandomFile(join(folder, 'd3', 'big'), 12 * MIB, 1)
  })
  beforeEach(() => arena.proxy.clear())
  after(() => arena.close())

  const argvFor = (prefix: string, ...more: string[]): string[] => [
    ...['upload', folder, '-r', `s3://${BUCKET}/${prefix}/`, '-c', String(CONCURRENCY), '-p', '5M', ...more],
  ]
  const listRuns = async (): Promise<string[]> => readdir(join(home.stateFolder, 'runs')).catch(() => [])

  /** Runs it until the store has seen so many more puts, and kills it then. */
  async function runUntilPuts(prefix: string, count: number): Promise<Ending> {
    const before = arena.proxy.count('put')
    const {child, ended} = startSkylift(argvFor(prefix), {env: home.env})
    await Promise.race([arena.proxy.until(() => arena.proxy.count('put') - before >= count), ended])
    child.kill('SIGKILL')
    const ending = await ended
    await arena.proxy.until(() => arena.proxy.inFlight === 0)
    return ending
  }

  async function checkStored(prefix: string): Promise<void> {
    const {Contents = []} = await arena.client.send(new ListObjectsV2Command({Bucket: BUCKET, Prefix: `${prefix}/`}))
    const names = (await readdir(folder, {recursive: true, withFileTypes: true}))
      .filter(entry => entry.isFile())
      .map(entry => join(entry.parentPath, entry.name).slice(folder.length + 1))
    expect(Contents.map(({Key = ''}) => Key.slice(prefix.length + 1)).toSorted()).to.deep.equal(names.toSorted())
    for (const name of names.filter((_, index) => index % 10 === 0 || names[index] === 'd3/big')) {
      expect(await arena.hashStored(`${prefix}/${name}`), name).to.equal(await hashPath(join(folder, name)))
    }
  }

  it('goes on each time, sends only the rest, and leaves nothing behind', async () => {
    let kills = 0
    // Fewer than all of them in the end, or the last run would begin anew.
    for (; kills < KILLS; kills++) {
      const {signal} = await runUntilPuts('x', Math.floor((SMALL / KILLS) * (0.2 + 0.6 * Math.random())))
      if (signal === undefined) break
    }
    expect(kills, 'kills').to.be.at.least(1)
    const last = await runSkylift(argvFor('x', '--json'), {env: home.env})
    expect(last.status, last.stderr).to.equal(0)
    expect(arena.proxy.count('put')).to.be.within(SMALL, SMALL + kills * LOST)
    await checkStored('x')
    expect(await listRuns()).to.deep.equal([])
    expect(await listJournals(home.stateFolder)).to.deep.equal([])
  })

  it('tells what it goes on with; sends what was changed or deleted meanwhile', async () => {
    await runUntilPuts('y', 200)
    const before = arena.proxy.count('put')
    const {Contents = []} = await arena.client.send(new ListObjectsV2Command({Bucket: BUCKET, Prefix: 'y/d0/'}))
    const [deleted = '', changed = ''] = Contents.map(({Key = ''}) => Key)
    await arena.client.send(new DeleteObjectCommand({Bucket: BUCKET, Key: deleted}))
    await writeFile(join(folder, changed.slice(2)), 'changed')
    const {status, stderr, stdout} = await runSkylift(argvFor('y'), {env: home.env})
    expect(status, stderr).to.equal(0)
    expect(stderr).to.match(/Going on with the run of \d{4}-\d\d-\d\d \d\d:\d\d UTC/u)
    expect(stderr).to.match(/ done, \d+ there already: /u)
    for (const key of [deleted, changed]) expect(stdout).to.include(`s3://${BUCKET}/${key}  `)
    expect(arena.proxy.count('put') - before).to.be.within(100, 103 + LOST)
    await checkStored('y')
  })

  it('asks for no right to list: then its own word counts', async () => {
    await runUntilPuts('z', 200)
    const before = arena.proxy.count('put')
    arena.proxy.inject({operation: 'list', fault: accessDenied(), times: Infinity})
    const {status, stderr} = await runSkylift(argvFor('z'), {env: home.env})
    expect(status, stderr).to.equal(0)
    expect(stderr).to.match(/does not let us list, so what the last run wrote down is believed/u)
    expect(arena.proxy.count('put') - before).to.be.at.most(100 + LOST)
    await checkStored('z')
    const refused = await runSkylift(argvFor('z', '--skip-unchanged', 'size'), {env: home.env})
    expect(refused.status).to.equal(4)
    expect(refused.stderr).to.match(/--skip-unchanged has to list the container/u)
  })

  it('sends all again under other options, with --resume never, or to another place', async () => {
    for (const more of [
      ['--cache-control', 'no-store'],
      ['--resume', 'never'],
    ]) {
      await runUntilPuts('w', 150)
      const {status, stderr} = await runSkylift(argvFor('w', ...more), {env: home.env})
      expect(status).to.equal(0)
      expect(stderr).to.match(new RegExp(`^${SMALL + 1} done: `, 'mu'))
    }
  })

  it('lets one process at a time upload the same files to the same place', async () => {
    arena.proxy.inject({operation: 'put', fault: {kind: 'slow', up: 2000}, times: Infinity})
    const {child, ended} = startSkylift(argvFor('v'), {env: home.env})
    await arena.proxy.until(() => arena.proxy.count('put') >= 2)
    const second = await runSkylift(argvFor('v'), {env: home.env})
    expect(second.status).to.equal(8)
    expect(second.stderr).to.match(/^Process \d+ on .* is uploading these files/u)
    child.kill('SIGINT')
    const {status, stderr} = await ended
    expect(status).to.equal(130)
    expect(stderr).to.match(/Interrupted/u)
    arena.proxy.clear()
    expect((await runSkylift(argvFor('v'), {env: home.env})).status).to.equal(0)
    await checkStored('v')
  })

  it('finds its journal wherever the folder is named from, and not when it was renamed', async () => {
    const argv = ['upload', './tree/../tree/', '-r', `s3://${BUCKET}/u/`]
    await runUntilPuts('u', 100)
    expect((await runSkylift(argv, {env: home.env, cwd: home.folder})).stderr).to.match(/Going on/u)
    await runUntilPuts('u', 100)
    await rename(folder, `${folder}-2`)
    folder = `${folder}-2`
    expect((await runSkylift(argvFor('u'), {env: home.env})).stderr).not.to.match(/Going on/u)
  })
})
