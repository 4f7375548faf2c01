import {appendFile, mkdir, readdir, readFile, rm, symlink, utimes, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {expect} from 'chai'
import {orderOf} from '../../src/upload/listing.ts'
import {takeRunJournal} from '../../src/upload/run-journal.ts'
import type {FinishedKey, RunIdentity, RunJournal} from '../../src/upload/run-journal.ts'
import {makeTempFolder} from '../support/temp-folder.ts'

const IDENTITY: RunIdentity = {store: 'https://s3.example', target: 's3://box/x/', sources: ['/home/me/dist']}

function finishedKey(key: string, size = 1): FinishedKey {
  return {key, size, mtimeNs: '1700000000000000001', etag: `etag of ${key}`}
}

describe('the journal of a run', () => {
  let folder: string
  beforeEach(async () => {
    folder = await makeTempFolder()
  })

  const take = (options = 'none', identity = IDENTITY): Promise<RunJournal> =>
    takeRunJournal(folder, identity, options, error => {
      throw error
    })
  const listRuns = async (): Promise<string[]> => readdir(join(folder, 'runs'))
  const onlyRun = async (): Promise<string> => {
    const names = await listRuns()
    expect(names).to.have.length(1)
    return join(folder, 'runs', names[0] ?? '')
  }
  async function findAll(journal: RunJournal, keys: readonly string[]): Promise<(FinishedKey | undefined)[]> {
    const lookup = journal.openFinished()
    const found: (FinishedKey | undefined)[] = []
    for (const key of keys) found.push((await lookup.find(orderOf(key)))?.finished)
    await lookup.close()
    return found
  }

  it('knows what an earlier run had stored, in whatever order that was', async () => {
    const first = await take()
    expect(first.previous).to.equal(undefined)
    const keys = ['x/a', 'x/b\n"', 'x/ä', 'x/\u{1F600}']
    for (const key of keys.toReversed()) first.add(finishedKey(key))
    await first.end('keep')
    const second = await take()
    expect(second.previous).to.be.instanceOf(Date)
    expect(await findAll(second, ['x/a', 'x/aa', ...keys.slice(1)])).to.deep.equal([
      finishedKey('x/a'),
      undefined,
      ...keys.slice(1).map(key => finishedKey(key)),
    ])
    await second.end('remove')
    expect(await listRuns()).to.deep.equal([])
  })

  it('is gone when nothing is in it', async () => {
    await (await take()).end('keep')
    expect(await listRuns()).to.deep.equal([])
  })

  it('believes the last line of a key, and goes on behind a torn one', async () => {
    const first = await take()
    first.add(finishedKey('x/a', 1))
    first.add(finishedKey('x/b', 1))
    first.add(finishedKey('x/a', 2))
    await first.end('keep')
    await appendFile(await onlyRun(), '{"key":"x/c","size":1,"mti')
    const second = await take()
    second.add(finishedKey('x/d'))
    await second.end('keep')
    const third = await take()
    expect((await findAll(third, ['x/a', 'x/b', 'x/c', 'x/d'])).map(each => each?.size)).to.deep.equal([
      2,
      1,
      undefined,
      1,
    ])
    await third.end('remove')
  })

  it('passes over lines that are none of ours, and a journal whose head is damaged', async () => {
    const first = await take()
    first.add(finishedKey('x/b'))
    await first.end('keep')
    const file = await onlyRun()
    await appendFile(file, 'null\n[]\n{"key":1}\n{"key":"x/a","size":"1","mtimeNs":"1","etag":""}\n\u0000\u0000\n')
    const second = await take()
    expect(await findAll(second, ['x/a', 'x/b'])).to.deep.equal([undefined, finishedKey('x/b')])
    await second.end('keep')
    await writeFile(file, `torn${await readFile(file, 'utf8')}`)
    const third = await take()
    expect(third.previous).to.equal(undefined)
    await third.end('keep')
    expect(await listRuns()).to.deep.equal([])
  })

  it('begins anew under other options, for another target, store or source', async () => {
    const first = await take()
    first.add(finishedKey('x/a'))
    await first.end('keep')
    for (const other of [{store: 'https://other'}, {target: 's3://box/y/'}, {sources: ['/home/me/dist2']}]) {
      const journal = await take('none', {...IDENTITY, ...other})
      expect(journal.previous).to.equal(undefined)
      await journal.end('keep')
    }
    const journal = await take('cache-control')
    expect(journal.previous).to.equal(undefined)
    expect(await findAll(journal, ['x/a'])).to.deep.equal([undefined])
    await journal.end('keep')
  })

  it('belongs to one process at a time', async () => {
    const first = await take()
    const refused = await take().catch((error: unknown) => error)
    expect(refused).to.include({code: 'busy'})
    expect((refused as Error).message).to.match(
      /^Process \d+ on .* is uploading these files to s3:\/\/box\/x\/ already\.$/u,
    )
    await first.end('remove')
    await (await take()).end('remove')
  })

  it('follows no link, and forgets what nobody came back for', async () => {
    const runs = join(folder, 'runs')
    await mkdir(runs)
    const old = join(runs, `${'0'.repeat(40)}.ndjson`)
    await writeFile(old, '{}')
    const longAgo = new Date(Date.now() - 40 * 86_400_000)
    await utimes(old, longAgo, longAgo)
    const first = await take()
    first.add(finishedKey('x/a'))
    await first.end('keep')
    const file = await onlyRun()
    const elsewhere = join(folder, 'elsewhere')
    await writeFile(elsewhere, await readFile(file))
    await rm(file)
    await symlink(elsewhere, file)
    expect(await take().catch((error: unknown) => error)).to.include({code: 'config'})
    expect(await readdir(runs)).to.deep.equal([file.slice(runs.length + 1)])
  })
})
