import {randomBytes} from 'node:crypto'
import {expect} from 'chai'
import {MIB} from '../../../src/core/sizes.ts'
import {bufferBody} from '../../../src/core/buffer-body.ts'
import type {Bench} from './bench.ts'
import {crcOf, failureOf, newCall} from './bench.ts'
import {fickleBody} from './bodies.ts'

const OPTIONS = {
  contentType: 'text/x-contract; charset=utf-8',
  cacheControl: 'max-age=321',
  contentDisposition: 'attachment; filename="a b.txt"',
  metadata: {colour: 'dark green', 'with-dash': '1'},
}

/** An object in one request. */
export function describeWhole(bench: Bench): void {
  for (const [title, size] of [
    ['nothing', 0],
    ['1 byte', 1],
    ['1 MiB', MIB],
  ] as const) {
    bench.it([], `takes ${title} in one request`, async () => {
      const target = bench.target()
      const bytes = randomBytes(size)
      const stored = await bench.put(target, bytes)
      expect(stored).to.include({size, crc32: crcOf(bytes)})
      expect(stored.target).to.deep.equal(target)
      expect(stored.etag).to.match(/^[^"]+$/u)
      expect(stored.verified.by).to.be.oneOf(['crc32', 'md5'])
      expect((await bench.readBack(target))?.equals(bytes)).to.equal(true)
    })
  }

  bench.it(['keys', 'replace'], 'replaces what stood there', async () => {
    const target = bench.target()
    await bench.put(target, Buffer.from('the old one, which is longer'))
    await bench.put(target, Buffer.from('new'))
    expect(String(await bench.readBack(target))).to.equal('new')
  })

  bench.it(['keys', 'noClobber'], 'replaces nothing where it must not, and fails exists', async () => {
    const target = bench.target()
    await bench.put(target, Buffer.from('old'), {noClobber: true})
    await failureOf(bench.put(target, Buffer.from('new'), {noClobber: true}), 'exists')
    expect(String(await bench.readBack(target))).to.equal('old')
  })

  bench.it(['keys', 'metadata', 'head'], 'keeps type, disposition and metadata', async () => {
    const target = bench.target()
    await bench.put(target, Buffer.from('x'), OPTIONS)
    const {contentType, contentDisposition, metadata} = await bench.store.head(target, newCall())
    expect({contentType, contentDisposition, metadata}).to.deep.equal({
      contentType: OPTIONS.contentType,
      contentDisposition: OPTIONS.contentDisposition,
      metadata: OPTIONS.metadata,
    })
  })

  bench.it(
    ['keys', 'metadata', 'foreign'],
    'keeps type, cache control, disposition and metadata for others',
    async () => {
      const target = bench.target()
      await bench.put(target, Buffer.from('x'), OPTIONS)
      expect(await bench.opened.foreign?.read(target.key)).to.deep.include(OPTIONS)
    },
  )

  bench.it(['keys', 'metadata', 'head'], 'keeps metadata that is not ASCII', async () => {
    const target = bench.target()
    const metadata = {author: 'Jürgen Ω 漢字', plain: 'a=?b;c, "d"'}
    await bench.put(target, Buffer.from('x'), {metadata})
    expect((await bench.store.head(target, newCall())).metadata).to.deep.equal(metadata)
  })

  bench.it(['keys', 'replace'], 'refuses bytes that were damaged on the way, and the old object stays', async () => {
    const target = bench.target()
    await bench.put(target, Buffer.from('old'))
    const body = fickleBody(randomBytes(100_000))
    await failureOf(bench.store.putWhole(target, body, {}, newCall()), 'integrity')
    expect(String(await bench.readBack(target))).to.equal('old')
  })

  bench.it([], 'tells what has left', async () => {
    const sent: number[] = []
    const size = 3 * MIB
    const call = {...newCall(), onSent: (bytes: number) => void sent.push(bytes)}
    await bench.store.putWhole(bench.target(), bufferBody(randomBytes(size)), {}, call)
    expect(sent.at(-1)).to.equal(size)
    expect(sent).to.deep.equal(sent.toSorted((a, b) => a - b))
  })
}
