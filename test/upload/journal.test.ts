import {appendFile, chown, mkdir, readdir, readFile, rm, stat, symlink, truncate, writeFile} from 'node:fs/promises'
import {hostname} from 'node:os'
import {join, relative} from 'node:path'
import {expect} from 'chai'
import * as fc from 'fast-check'
import {isFailure} from '../../src/core/failure.ts'
import {MIB} from '../../src/core/sizes.ts'
import type {PartReceipt} from '../../src/stores/store.ts'
import {parseJournal} from '../../src/upload/journal-format.ts'
import {identifyUpload, openJournals} from '../../src/upload/journal.ts'
import type {JournalHead, Journals, UploadIdentity} from '../../src/upload/journal.ts'
import {skipUnless} from '../support/skip.ts'
import {makeTempFolder} from '../support/temp-folder.ts'

const TARGET = {remote: 's3', container: 'c', key: 'a/b ü\n.bin'}
const STORE = 'http://127.0.0.1:9000'

function receiptOf(number: number): PartReceipt {
  const hex = number.toString(16)
  return {number, size: 5 * MIB, etag: hex.padStart(32, '0'), crc32: hex.padStart(8, '0')}
}

describe('journals', () => {
  let folder: string
  let uploads: string
  let source: string
  let journals: Journals
  let identity: UploadIdentity

  beforeEach(async () => {
    folder = join(await makeTempFolder(), 'state', 'skylift')
    uploads = join(folder, 'uploads')
    source = join(await makeTempFolder(), 'file')
    await writeFile(source, 'x')
    journals = openJournals(folder)
    identity = await identifyUpload(STORE, TARGET, source)
  })

  function headOf(): JournalHead {
    return {
      version: 1,
      identity,
      session: {
        target: TARGET,
        uploadId: 'u/1',
        options: {metadata: {a: 'b'}},
        size: 50 * MIB,
        partSize: 5 * MIB,
        checksum: 'crc32',
      },
      file: {size: 50 * MIB, mtimeNs: '1', ctimeNs: '2', inode: '3:4'},
      started: '2026-01-01T00:00:00.000Z',
    }
  }

  /** Leaves a journal with so many receipts, as a run that was killed does; returns its path. */
  async function leaveJournal(count: number): Promise<string> {
    const journal = await journals.take(identity)
    await journal.begin(headOf())
    for (let number = 1; number <= count; number++) await journal.add(receiptOf(number))
    await journal.release()
    const [name = ''] = (await readdir(uploads)).filter(each => each.endsWith('.ndjson'))
    return join(uploads, name)
  }

  async function readPrevious() {
    const journal = await journals.take(identity)
    await journal.release()
    return journal.previous
  }

  it('give the next run what the last one wrote', async () => {
    await leaveJournal(3)
    const previous = await readPrevious()
    expect(previous?.head).to.deep.equal(headOf())
    expect([...(previous?.receipts.values() ?? [])]).to.deep.equal([1, 2, 3].map(receiptOf))
    expect(await journals.has(identity)).to.equal(true)
  })

  it('are gone with their lock once the upload has ended', async () => {
    await leaveJournal(3)
    const journal = await journals.take(identity)
    await journal.resume()
    await journal.add(receiptOf(4))
    await journal.remove()
    expect(await readdir(uploads)).to.deep.equal([])
    expect(await openJournals(folder).has(identity)).to.equal(false)
    expect(await readPrevious()).to.equal(undefined)
  })

  it('begin anew over what was there', async () => {
    await leaveJournal(3)
    const journal = await journals.take(identity)
    await journal.begin({...headOf(), started: 'later'})
    await journal.release()
    const previous = await readPrevious()
    expect(previous?.head.started).to.equal('later')
    expect(previous?.receipts.size).to.equal(0)
  })

  it('lose no more than the line that was torn, wherever it was torn, and go on after it', async () => {
    const path = await leaveJournal(3)
    const whole = await readFile(path)
    const last = whole.lastIndexOf('\n', -2) + 1
    for (let size = last; size < whole.length - 1; size++) {
      await writeFile(path, whole)
      await truncate(path, size)
      const journal = await journals.take(identity)
      expect([...(journal.previous?.receipts.keys() ?? [])], `cut at ${size}`).to.deep.equal([1, 2])
      await journal.resume()
      await journal.add(receiptOf(4))
      await journal.release()
      expect([...((await readPrevious())?.receipts.keys() ?? [])], `gone on at ${size}`).to.deep.equal([1, 2, 4])
    }
  })

  it('are nothing while their head is torn', async () => {
    const path = await leaveJournal(0)
    const whole = await readFile(path, 'utf8')
    for (let size = 0; size < whole.length - 1; size += 7) {
      await writeFile(path, whole.slice(0, size))
      expect(await readPrevious(), `cut at ${size}`).to.equal(undefined)
    }
  })

  it('pass over lines that are no receipts', async () => {
    const path = await leaveJournal(1)
    const bad = [{number: 0}, {number: -1}, {number: 1.5}, {size: -1}, {etag: 7}, {crc32: ''}, {crc32: 'xyz'}]
    const lines = [
      '',
      '\0\0\0',
      'null',
      '[]',
      '7',
      '"a"',
      '{}',
      ...bad.map(each => JSON.stringify({...receiptOf(2), ...each})),
    ]
    await appendFile(path, `${lines.join('\n')}\n${JSON.stringify(receiptOf(3))}\n`)
    expect([...((await readPrevious())?.receipts.keys() ?? [])]).to.deep.equal([1, 3])
  })

  it('believe the later of two receipts of one part', async () => {
    await leaveJournal(2)
    const journal = await journals.take(identity)
    await journal.resume()
    await journal.add({...receiptOf(1), etag: 'sent again'})
    await journal.release()
    expect((await readPrevious())?.receipts.get(1)?.etag).to.equal('sent again')
  })

  it('of another version, or of no version, are nothing', async () => {
    const path = await leaveJournal(1)
    const [first = '', ...rest] = (await readFile(path, 'utf8')).split('\n')
    for (const version of [0, 2, '1', null]) {
      await writeFile(path, [JSON.stringify({...JSON.parse(first), version}), ...rest].join('\n'))
      expect(await readPrevious(), String(version)).to.equal(undefined)
    }
  })

  it('are read without failing, whatever stands in them', () => {
    const head = JSON.stringify(headOf())
    const line = fc.oneof(fc.string(), fc.json(), fc.constant(head), fc.constant(JSON.stringify(receiptOf(1))))
    fc.assert(
      fc.property(fc.array(line, {maxLength: 8}), lines => {
        const entry = parseJournal(lines.join('\n'))
        expect(entry === undefined || entry.head.version === 1).to.equal(true)
      }),
      {numRuns: 500},
    )
    // A head with one thing changed is a head or nothing, never half of one.
    fc.assert(
      fc.property(fc.constantFrom('identity', 'session', 'file'), fc.jsonValue(), (name, value) => {
        expect(parseJournal(JSON.stringify({...headOf(), [name]: value}))).to.equal(undefined)
      }),
    )
  })

  it('are for their owner alone', async () => {
    const path = await leaveJournal(1)
    for (const each of [folder, uploads]) expect((await stat(each)).mode & 0o777, each).to.equal(0o700)
    expect((await stat(path)).mode & 0o777).to.equal(0o600)
  })

  it('follow no link', async () => {
    const path = await leaveJournal(1)
    const precious = join(await makeTempFolder(), 'precious')
    await writeFile(precious, await readFile(path))
    await rm(path)
    await symlink(precious, path)
    const failure = await journals.take(identity).catch((error: unknown) => error)
    expect(isFailure(failure, 'config'), String(failure)).to.equal(true)
    expect(await readdir(uploads), 'the lock is free again').to.have.length(1)
    expect(await journals.list()).to.deep.equal([])
    expect(await readFile(precious, 'utf8')).to.include('u/1')
  })

  it('of somebody else are not believed', async function () {
    skipUnless(this, process.getuid?.() === 0, 'Only root gives files away')
    const path = await leaveJournal(1)
    await chown(path, 65_534, 65_534)
    const failure = await journals.take(identity).catch((error: unknown) => error)
    expect(isFailure(failure, 'config'), String(failure)).to.equal(true)
  })

  it('belong to one run at a time, and say who has them', async () => {
    const journal = await journals.take(identity)
    const failure = await openJournals(folder)
      .take(identity)
      .catch((error: unknown) => error)
    expect(isFailure(failure, 'busy'), String(failure)).to.equal(true)
    expect((failure as Error).message).to.include(`Process ${process.pid} on ${hostname()}`)
    expect((failure as Error).message).not.to.include('\n')
    await journal.release()
    await (await journals.take(identity)).release()
  })

  it('are told apart by store, target and real path, not by how the path is written', async () => {
    const other = join(await makeTempFolder(), 'link')
    await symlink(source, other)
    for (const path of [relative(process.cwd(), source), other, join(source, '..', 'file')]) {
      expect(await identifyUpload(STORE, TARGET, path)).to.deep.equal(identity)
    }
    const copy = join(await makeTempFolder(), 'copy')
    await writeFile(copy, 'x')
    const all = [
      identity,
      await identifyUpload('http://127.0.0.1:9001', TARGET, source),
      await identifyUpload(STORE, {...TARGET, key: 'other'}, source),
      await identifyUpload(STORE, {...TARGET, remote: 'other'}, source),
      await identifyUpload(STORE, TARGET, copy),
    ]
    const taken = await Promise.all(all.map(each => journals.take(each)))
    expect(taken).to.have.length(5)
    for (const each of taken) await each.release()
  })

  it('are listed with who holds them', async () => {
    await leaveJournal(2)
    expect((await journals.list())[0]).to.deep.include({head: headOf(), holder: undefined})
    const journal = await journals.take(identity)
    const [pending] = await journals.list()
    expect(pending?.holder).to.include({pid: process.pid})
    expect(pending?.receipts.size).to.equal(2)
    await journal.release()
  })

  it('of a folder that cannot be made fail, and are listed as none', async () => {
    await mkdir(join(folder, '..'), {recursive: true})
    await writeFile(folder, 'a file')
    const failure = await journals.take(identity).catch((error: unknown) => error)
    expect(failure).to.be.instanceOf(Error)
    expect(await journals.list()).to.deep.equal([])
  })

  it('keep the order of receipts that are written at once', async () => {
    const journal = await journals.take(identity)
    await journal.begin(headOf())
    await Promise.all(Array.from({length: 200}, (_, index) => journal.add(receiptOf(index + 1))))
    await journal.release()
    expect([...((await readPrevious())?.receipts.keys() ?? [])]).to.deep.equal(
      Array.from({length: 200}, (_, index) => index + 1),
    )
  })
})
