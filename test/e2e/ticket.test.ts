import {appendFile, readdir, readFile, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {ListPartsCommand} from '@aws-sdk/client-s3'
import {expect} from 'chai'
import {MIB} from '../../src/core/sizes.ts'
import {parseTicket} from '../../src/stores/ticket/ticket.ts'
import {BUCKET, hashPath, listJournals, openArena} from '../support/arena.ts'
import type {Arena} from '../support/arena.ts'
import {slow} from '../support/faults.ts'
import {makeHome, runSkylift, startSkylift} from '../support/run-skylift.ts'
import type {Ending, Home} from '../support/run-skylift.ts'
import {makeTempFolder} from '../support/temp-folder.ts'

const PART = 5 * MIB
const SIZE = 8 * PART
const RATE = 20_000_000

describe('an upload with a ticket, on a machine without credentials', function () {
  this.timeout(120_000)
  let arena: Arena
  let owner: Home
  let stranger: Home
  let folder: string
  let file: string
  let sum: string

  before(async () => {
    arena = await openArena()
    owner = await arena.makeHome()
    stranger = await makeHome()
    folder = await makeTempFolder()
    file = await arena.makeFile(SIZE)
    sum = await hashPath(file)
  })
  beforeEach(() => {
    arena.proxy.clear()
    arena.proxy.inject({operation: 'part', fault: slow(RATE), times: Infinity})
  })
  after(() => arena.close())

  const own = (...argv: string[]): Promise<Ending> => runSkylift(['ticket', ...argv], {env: owner.env})
  const uploadArgv = (ticket: string): string[] => ['upload', file, `ticket:${ticket}`, '-p', '5M', '-c', '2']

  async function create(key: string, ...flags: string[]): Promise<string> {
    const path = join(folder, `${key}.json`)
    const {status, stderr} = await own('create', `s3://${BUCKET}/${key}`, '-o', path, ...flags)
    expect(status, stderr).to.equal(0)
    return path
  }

  /** Starts an upload and kills it once some parts are stored. */
  async function killHalfWay(ticket: string, parts: number): Promise<void> {
    const {child, ended} = startSkylift(uploadArgv(ticket), {env: stranger.env})
    const stored = (): number =>
      arena.proxy.log.filter(({operation, status}) => operation === 'part' && status === 200).length
    await arena.proxy.until(() => stored() >= parts)
    child.kill('SIGKILL')
    expect((await ended).signal).to.equal('SIGKILL')
    await arena.proxy.until(() => arena.proxy.inFlight === 0)
    expect(await listJournals(stranger.stateFolder)).to.have.length(1)
  }

  async function countHeld(ticket: string): Promise<number> {
    const {uploadId, target} = parseTicket(await readFile(ticket, 'utf8'))
    const {Parts = []} = await arena.client.send(
      new ListPartsCommand({Bucket: BUCKET, Key: target.key, UploadId: uploadId}),
    )
    return Parts.length
  }

  it('is not begun when the ticket cannot be written down', async () => {
    const path = join(folder, 'full.json')
    const through = ['bash', '-c', 'ulimit -f 16; exec "$@"', 'bash']
    const argv = ['ticket', 'create', `s3://${BUCKET}/full`, '-o', path]
    const {status, stderr} = await runSkylift(argv, {env: owner.env, through})
    expect(status, stderr).to.equal(2)
    expect(stderr).to.contain('could not be written')
    expect(await arena.listUploads()).to.deep.equal([])
    expect((await readdir(folder)).filter(name => name.startsWith('full'))).to.deep.equal([])
  })

  it('goes on after kill -9, and sends again what was in flight only', async () => {
    const ticket = await create('killed')
    await killHalfWay(ticket, 3)
    const held = await countHeld(ticket)
    expect(held).to.be.within(3, 7)
    const before = arena.proxy.bytesReceived('part')
    const {status, stderr} = await runSkylift(uploadArgv(ticket), {env: stranger.env})
    expect(status, stderr).to.equal(0)
    // A part that was on its way at the kill may have arrived since.
    expect(arena.proxy.bytesReceived('part') - before).to.be.at.most(SIZE - held * PART)
    expect(await arena.hashStored('killed')).to.equal(sum)
    expect(await listJournals(stranger.stateFolder)).to.deep.equal([])
  })

  it('goes on with a ticket that was renewed, under another name', async () => {
    const ticket = await create('renewed', '--expires', '1h')
    await killHalfWay(ticket, 3)
    const held = await countHeld(ticket)
    const renewed = join(folder, 'renewed-2.json')
    const {status, stderr} = await own('renew', ticket, '-o', renewed, '--expires', '2h')
    expect(status, stderr).to.equal(0)
    const before = arena.proxy.bytesReceived('part')
    const again = await runSkylift(uploadArgv(renewed), {env: stranger.env})
    expect(again.status, again.stderr).to.equal(0)
    // A part that was on its way at the kill may have arrived since.
    expect(arena.proxy.bytesReceived('part') - before).to.be.at.most(SIZE - held * PART)
    expect(await arena.hashStored('renewed')).to.equal(sum)
  })

  it('is listed as what it is, and dropped without a store', async () => {
    const ticket = await create('listed')
    await killHalfWay(ticket, 2)
    const pending = (...argv: string[]): Promise<Ending> => runSkylift(['pending', ...argv], {env: stranger.env})
    expect((await pending('list')).stdout).to.contain(`go on: skylift upload ${file} ticket:FILE`)
    const held = await countHeld(ticket)
    const {status, stdout, stderr} = await pending('prune', '--older-than', '1ms', '-y')
    expect([status, stdout], stderr).to.deep.equal([0, 'Dropped 1.\n'])
    expect(await listJournals(stranger.stateFolder)).to.deep.equal([])
    // They are the owner's.
    expect(await countHeld(ticket)).to.equal(held)
  })

  it('starts over with the same ticket when the file has changed', async () => {
    const ticket = await create('changed')
    await killHalfWay(ticket, 3)
    await appendFile(file, 'more')
    const {status, stderr} = await runSkylift(uploadArgv(ticket), {env: stranger.env})
    expect(status, stderr).to.equal(0)
    expect(stderr).to.contain('The file has changed since the last run. Starting over.')
    sum = await hashPath(file)
    expect(await arena.hashStored('changed')).to.equal(sum)
  })

  it('ends when the owner revokes the ticket meanwhile', async () => {
    const ticket = await create('revoked')
    await killHalfWay(ticket, 2)
    expect((await own('revoke', ticket)).status).to.equal(0)
    const {status, stderr} = await runSkylift(uploadArgv(ticket), {env: stranger.env})
    expect(status).to.equal(5)
    expect(stderr).to.contain('The upload of this ticket is gone: it was finished or revoked.')
    expect(await arena.hashStored('revoked')).to.equal(undefined)
  })

  it('keeps its parts when it is interrupted, and says how to go on', async () => {
    const ticket = await create('interrupted')
    const {child, ended, said} = startSkylift([...uploadArgv(ticket), '--progress', 'json'], {env: stranger.env})
    await said(/"event":"stored"/u)
    child.kill('SIGINT')
    const {status, stderr} = await ended
    expect(status, stderr).to.equal(130)
    expect(await countHeld(ticket)).to.be.greaterThan(0)
    expect((await runSkylift(uploadArgv(ticket), {env: stranger.env})).status).to.equal(0)
    expect(await arena.hashStored('interrupted')).to.equal(sum)
  })

  it('is told that the ticket has ended by the clock of the store, and keeps what was sent', async () => {
    const ticket = await create('ended', '--expires', '12s')
    const own = JSON.parse(await readFile(ticket, 'utf8')) as {expires: string}
    // As on a machine whose clock is late.
    const late = join(folder, 'late.json')
    await writeFile(late, JSON.stringify({...own, expires: new Date(Date.now() + 3_600_000).toISOString()}))
    arena.proxy.clear()
    // Two parts get through however late it starts, and the others do not.
    arena.proxy.inject({operation: 'part', fault: slow(350_000), skip: 2, times: Infinity})
    const {status, stderr} = await runSkylift([...uploadArgv(late), '--retry-for', '1s'], {env: stranger.env})
    expect(status, stderr).to.equal(4)
    expect(stderr).to.contain('The ticket has ended.')
    expect(stderr).to.contain('skylift ticket renew')
    arena.proxy.clear()
    const held = await countHeld(late)
    expect(held).to.be.greaterThan(0)
    expect((await runSkylift(['ticket', 'renew', ticket], {env: owner.env})).status).to.equal(0)
    const before = arena.proxy.bytesReceived('part')
    const again = await runSkylift(uploadArgv(ticket), {env: stranger.env})
    expect(again.status, again.stderr).to.equal(0)
    expect(arena.proxy.bytesReceived('part') - before).to.be.at.most(SIZE + 4 - held * PART)
    expect(await arena.hashStored('ended')).to.equal(sum)
  })

  it('says nothing secret, with --debug either, and has no signature in its journal', async () => {
    const ticket = await create('debug')
    const text = await readFile(ticket, 'utf8')
    const {child, ended, said} = startSkylift([...uploadArgv(ticket), '-v'], {env: stranger.env})
    await said(/PUT \S+\/debug 200/u)
    const journals = await listJournals(stranger.stateFolder)
    const journal = await readFile(join(stranger.stateFolder, 'uploads', journals[0] ?? ''), 'utf8')
    const {stdout, stderr} = await ended
    child.kill()
    const {uploadId} = parseTicket(text)
    for (const [signature = ''] of text.matchAll(/[\da-f]{64}/gu)) {
      if (signature === uploadId) continue
      expect(stdout + stderr + journal).not.to.contain(signature)
    }
  })
})
