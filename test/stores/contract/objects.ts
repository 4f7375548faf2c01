import {randomBytes} from 'node:crypto'
import {expect} from 'chai'
import type {ByteRange, Target} from '../../../src/stores/store.ts'
import type {Bench} from './bench.ts'
import {collect, crcOf, failureOf, inTurns, keysOf, newCall} from './bench.ts'

/** Looking at what is stored. */
export function describeObjects(bench: Bench): void {
  bench.it(['head'], 'tells an object by head, and fails not-found where there is none', async () => {
    const target = bench.target()
    await failureOf(bench.store.head(target, newCall()), 'not-found')
    const before = Date.now()
    const bytes = Buffer.from('some bytes')
    const {etag} = await bench.put(target, bytes)
    const info = await bench.store.head(target, newCall())
    expect(info).to.deep.include({target, size: 10, etag})
    expect(info.modified?.getTime()).to.be.within(before - 60_000, Date.now() + 60_000)
    expect(info.crc32 ?? crcOf(bytes)).to.equal(crcOf(bytes))
  })

  bench.it(['read'], 'reads the whole and any range of it', async () => {
    const target = bench.target()
    const bytes = randomBytes(300_000)
    const {etag} = await bench.put(target, bytes)
    const ranges: ByteRange[] = [
      {offset: 0, size: 1},
      {offset: 0, size: 300_000},
      {offset: 1, size: 299_998},
      {offset: 299_999, size: 1},
      {offset: 299_990, size: 1000},
    ]
    for (const range of [undefined, ...ranges]) {
      const pieces: Buffer[] = []
      const info = await bench.store.read(target, range, piece => void pieces.push(Buffer.from(piece)), newCall())
      const end = range === undefined ? bytes.length : range.offset + range.size
      expect(Buffer.concat(pieces).equals(bytes.subarray(range?.offset ?? 0, end)), JSON.stringify(range)).to.equal(
        true,
      )
      expect(info).to.include({size: bytes.length, etag})
    }
  })

  bench.it(['read'], 'waits for whoever takes the bytes', async () => {
    const target = bench.target()
    await bench.put(target, randomBytes(500_000))
    let [open, most] = [0, 0]
    const take = async (): Promise<void> => {
      most = Math.max(most, ++open)
      await new Promise(resolve => setImmediate(resolve))
      open--
    }
    await bench.store.read(target, undefined, take, newCall())
    expect([open, most]).to.deep.equal([0, 1])
  })

  bench.it(['read'], 'fails not-found where there is nothing to read', async () => {
    const seen: Buffer[] = []
    const take = (bytes: Buffer): void => void seen.push(bytes)
    await failureOf(bench.store.read(bench.target(), undefined, take, newCall()), 'not-found')
    expect(seen).to.deep.equal([])
  })

  bench.it(['keys', 'list'], 'lists a prefix in order, and what comes after a key', async () => {
    const {store} = bench
    const folder = bench.target('list/')
    const names = ['a', 'a/1', 'a/2', 'b', 'b+', 'ö', '\uFF5E', '🚀']
    const keys = names.map(name => folder.key + name)
    for (const key of keys.toReversed()) await bench.put(bench.at(key), Buffer.from(key))
    await bench.put(bench.target('list'), Buffer.from('beside'))
    const list = async (prefix: Target, after?: string): Promise<string[]> =>
      keysOf(await collect(store.list(prefix, newCall(), after)))
    expect(await list(folder)).to.deep.equal(keys)
    expect(await list(bench.at(`${folder.key}a`))).to.deep.equal(keys.slice(0, 3))
    expect(await list(folder, keys[2])).to.deep.equal(keys.slice(3))
    expect(await list(folder, `${folder.key}a/1+`)).to.deep.equal(keys.slice(2))
    expect(await list(folder, keys.at(-1))).to.deep.equal([])
    const [first] = await collect(store.list(folder, newCall()))
    expect(first?.size).to.equal(Buffer.byteLength(keys[0] ?? ''))
    expect(first?.target).to.deep.equal(bench.at(keys[0] ?? ''))
  })

  bench.it(['keys', 'list', 'pages'], 'lists more objects than one answer holds', async function () {
    this.timeout(60_000)
    const folder = bench.target('many +/')
    const keyOf = (number: number): string => `${folder.key}${String(number).padStart(4, '0')}`
    await inTurns(1005, async number => void (await bench.put(bench.at(keyOf(number)), Buffer.alloc(1))))
    const keys = Array.from({length: 1005}, (_, index) => keyOf(index + 1))
    expect(keysOf(await collect(bench.store.list(folder, newCall())))).to.deep.equal(keys)
    expect(keysOf(await collect(bench.store.list(folder, newCall(), keys[1])))).to.deep.equal(keys.slice(2))
  })

  bench.it(['deleteObject'], 'deletes an object, and what is gone already', async () => {
    const target = bench.target()
    await bench.put(target, Buffer.from('x'))
    await bench.store.deleteObject(target, newCall())
    expect(await bench.readBack(target)).to.equal(undefined)
    await bench.store.deleteObject(target, newCall())
  })

  bench.it(['parts', 'keys', 'listUploads'], 'lists the uploads that have begun, until they end', async () => {
    const folder = bench.target('odd +%20 ü/')
    const list = async (): Promise<string[]> =>
      (await collect(bench.store.listUploads(folder, newCall()))).map(
        ({target, uploadId}) => `${target.key} ${uploadId}`,
      )
    const before = Date.now()
    const first = await bench.begin(bench.at(`${folder.key}a`), [3])
    const second = await bench.begin(bench.at(`${folder.key}b`), [3])
    await bench.begin(bench.target(), [3])
    const nameOf = ({target, uploadId}: typeof first): string => `${target.key} ${uploadId}`
    expect(await list()).to.deep.equal([first, second].map(nameOf))
    const [pending] = await collect(bench.store.listUploads(folder, newCall()))
    expect(pending?.started?.getTime()).to.be.within(before - 60_000, Date.now() + 60_000)
    await bench.store.abort(first, newCall())
    const receipt = await bench.putPart(second, 1, Buffer.from('end'))
    expect(await list()).to.deep.equal([nameOf(second)])
    await bench.store.complete(second, [receipt], newCall())
    expect(await list()).to.deep.equal([])
  })

  bench.it(['parts', 'keys', 'listUploads', 'pages'], 'lists more uploads than one answer holds', async function () {
    this.timeout(60_000)
    const folder = bench.target('pending +/')
    await inTurns(1005, async number => void (await bench.begin(bench.at(`${folder.key}${number % 7}`), [3])))
    const ids = (await collect(bench.store.listUploads(folder, newCall()))).map(({uploadId}) => uploadId)
    expect(new Set(ids).size).to.equal(1005)
    expect(ids).to.have.length(1005)
  })
}
