import {appendFile, chmod, open, rename, rm, stat, truncate, utimes, writeFile} from 'node:fs/promises'
import {expect} from 'chai'
import {createMemoryStore} from '../support/memory-store.ts'
import type {MemoryHook} from '../support/memory-store.ts'
import {pastTick} from '../support/tick.ts'
import {codesOf, createBench, KIB} from './transfer-bench.ts'

/** Writes other bytes at a place, without changing the size. */
async function overwrite(path: string, position: number): Promise<void> {
  const file = await open(path, 'r+')
  await file.write('other bytes', position)
  await file.close()
}

async function replace(path: string): Promise<void> {
  await writeFile(`${path}.new`, Buffer.alloc((await stat(path)).size, 7))
  await rename(`${path}.new`, path)
}

/** As `cp --preserve` or a careless tool does. */
async function overwriteAndHide(path: string, position: number): Promise<void> {
  const {atime, mtime} = await stat(path)
  await overwrite(path, position)
  await utimes(path, atime, mtime)
}

describe('a file that changes while it is uploaded', () => {
  const bench = createBench()
  const whole = 40 * KIB
  const parts = 10 * 64 * KIB

  /** Uploads one file that something happens to at a moment. */
  async function uploadWhile(
    size: number,
    verb: 'putWhole' | 'putPart',
    nth: number,
    change: (path: string) => Promise<unknown>,
  ) {
    const items = await bench.makeItems([size])
    const path = items[0]?.path ?? ''
    // An mtime of its own: a change within one tick of the clock would not show.
    await utimes(path, new Date('2026-01-01'), new Date('2026-01-01'))
    await pastTick(path)
    let storedParts = 0
    let moveOn = (): void => {}
    const before: MemoryHook = async call => {
      if (call.verb !== verb || call.nth !== nth) return
      // The last part waits for all others, so that none of them sees the change half-made.
      if (nth === 10) await new Promise<void>(resolve => (moveOn = resolve))
      await change(path)
    }
    const store = createMemoryStore({before})
    const {summary} = await bench.upload(items, store, {
      onEvent: ({event}) => event === 'stored' && ++storedParts === 9 && moveOn(),
    })
    return {store, path, codes: codesOf(summary?.failures), failures: summary?.failures ?? []}
  }

  const changes: readonly (readonly [how: string, change: (path: string) => Promise<unknown>, words: RegExp])[] = [
    ['grows', path => appendFile(path, 'more'), /it grew/u],
    ['shrinks', path => truncate(path, 10), /shorter/u],
    ['is written to', path => overwrite(path, 0), /it was written to/u],
    ['is replaced', replace, /another file has taken its place/u],
    ['is removed', path => rm(path), /it is gone/u],
  ]
  for (const [how, change, words] of changes) {
    it(`in parts, ${how}: source-changed, nothing completed and nothing left`, async () => {
      const {store, codes, failures} = await uploadWhile(parts, 'putPart', 3, change)
      expect(codes).to.deep.equal(['source-changed'])
      expect(failures[0]?.message).to.match(words)
      expect(store.objects.size).to.equal(0)
      expect(store.uploads.size).to.equal(0)
      expect(store.calls.some(({verb}) => verb === 'complete')).to.equal(false)
    })

    it(`in parts, ${how} when the last part is on its way: source-changed all the same`, async () => {
      const {store, codes} = await uploadWhile(parts, 'putPart', 10, change)
      expect(codes).to.deep.equal(['source-changed'])
      expect(store.objects.size).to.equal(0)
    })

    it(`whole, ${how}: source-changed`, async () => {
      const {codes} = await uploadWhile(whole, 'putWhole', 1, change)
      expect(codes).to.deep.equal(['source-changed'])
    })
  }

  it('in parts, touched by chmod: is read again, and accepted', async () => {
    const {store, path, codes} = await uploadWhile(parts, 'putPart', 3, each => chmod(each, 0o600))
    expect(codes).to.deep.equal([])
    await bench.expectStored(store, path, 'file-0')
  })

  it('whole, touched by chmod: is accepted', async () => {
    const {store, path, codes} = await uploadWhile(whole, 'putWhole', 1, each => chmod(each, 0o600))
    expect(codes).to.deep.equal([])
    await bench.expectStored(store, path, 'file-0')
  })

  it('in parts, with other bytes in a part that was sent, and its mtime put back: source-changed', async () => {
    // Part 1 has left long before the last one is on its way.
    const {store, codes, failures} = await uploadWhile(parts, 'putPart', 10, each => overwriteAndHide(each, 100))
    expect(codes).to.deep.equal(['source-changed'])
    expect(failures[0]?.message).to.match(/other bytes in part 1\./u)
    expect(store.objects.size).to.equal(0)
    expect(store.uploads.size).to.equal(0)
  })
})
