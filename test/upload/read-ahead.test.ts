import {readdir, rm, writeFile} from 'node:fs/promises'
import {setTimeout as sleep} from 'node:timers/promises'
import {expect} from 'chai'
import {Failure} from '../../src/core/failure.ts'
import {readAhead} from '../../src/upload/read-ahead.ts'
import type {NearItem} from '../../src/upload/read-ahead.ts'
import type {SourceItem} from '../../src/upload/source-items.ts'
import {createMemoryStore} from '../support/memory-store.ts'
import {skipUnless} from '../support/skip.ts'
import {createBench, KIB, targetOf} from './transfer-bench.ts'

describe('files whose turn is near', () => {
  const bench = createBench()
  const countOpen = async (): Promise<number> => (await readdir('/proc/self/fd')).length

  async function firstGroup(items: readonly SourceItem[]): Promise<readonly NearItem[]> {
    for await (const group of readAhead(items, false)) return group
    return []
  }

  it('are read where they are small, and only then', async () => {
    const items = await bench.makeItems([0, 10, 64 * KIB, 64 * KIB + 1])
    const groups = readAhead(items, false)
    const {value: group = []} = (await groups.next()) as IteratorResult<readonly NearItem[], undefined>
    const taken = group.map(near => near.take())
    expect(group.map(({item}) => item)).to.deep.equal(items)
    expect(taken.map(small => small?.body.bytes?.length)).to.deep.equal([0, 10, 64 * KIB, undefined])
    // Once.
    expect(group.map(near => near.take())).to.deep.equal(items.map(() => undefined))
    for (const small of taken) await small?.source.close()
    await groups.return(undefined)
  })

  it('are left for their turn to tell where they cannot be read, or are not to be sent', async () => {
    const [{path} = {path: ''}] = await bench.makeItems([1])
    const failure = new Failure('usage', 'no')
    const items: SourceItem[] = [
      {path: `${path}-none`, ...targetOf('none')},
      {path: '/dev', ...targetOf('folder')},
      {path, failure},
      {path, ...targetOf('skipped'), skipped: {reason: 'unchanged', size: 1, etag: ''}},
    ]
    const group = await firstGroup(items)
    expect(group.map(({item}) => item)).to.deep.equal(items)
    expect(group.map(near => near.take())).to.deep.equal(items.map(() => undefined))
  })

  it('are closed where nobody took them', async function () {
    skipUnless(this, process.platform === 'linux', 'Open files are counted in /proc')
    const items = await bench.makeItems(Array.from({length: 16}, () => 1))
    const before = await countOpen()
    let during = 0
    for await (const group of readAhead(items, false)) {
      expect(group).to.have.length(16)
      during = await countOpen()
      break
    }
    expect(during - before).to.equal(16)
    expect(await countOpen()).to.equal(before)
  })

  it('are all closed after a run that stopped early', async function () {
    skipUnless(this, process.platform === 'linux', 'Open files are counted in /proc')
    const items = await bench.makeItems(Array.from({length: 40}, () => 1))
    const before = await countOpen()
    const store = createMemoryStore({
      before({verb}) {
        if (verb === 'putWhole') throw new Failure('forbidden', 'No.')
      },
    })
    const {summary} = await bench.upload(items, store, {maxFailures: 1})
    expect(summary?.stopped).to.match(/^Stopped after/u)
    expect(await countOpen()).to.equal(before)
  })

  it('are looked at again where their turn comes late: what happened meanwhile is no change under way', async () => {
    const items = await bench.makeItems([1, 1, 1, 1])
    let changed: Promise<void> | undefined
    const change = async (): Promise<void> => {
      await sleep(50)
      await writeFile(items[2]?.path ?? '', 'new and longer')
      await rm(items[3]?.path ?? '', {force: true})
      await sleep(150)
    }
    const store = createMemoryStore({
      // Both workers wait here.
      async before({verb, target}) {
        if (verb === 'putWhole' && ['file-0', 'file-1'].includes(target?.key ?? '')) await (changed ??= change())
      },
    })
    const {summary} = await bench.uploadThrough(items, store, {concurrency: 1})
    expect(summary?.done).to.equal(3)
    expect(summary?.failures.map(({code}) => code)).to.deep.equal(['not-found'])
    expect(store.objects.get('c/file-2')?.bytes.toString()).to.equal('new and longer')
  })
})
