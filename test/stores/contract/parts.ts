import {randomBytes} from 'node:crypto'
import {expect} from 'chai'
import {isFailure} from '../../../src/core/failure.ts'
import type {PartReceipt} from '../../../src/stores/store.ts'
import type {Bench} from './bench.ts'
import {crcOf, failureOf, inTurns, newCall, partOf, sizesOf, threeParts} from './bench.ts'
import {fickleBody} from './bodies.ts'

/** An object in parts. */
export function describeParts(bench: Bench): void {
  bench.it(['parts'], 'takes parts in any order and at once, lists them, and joins them', async () => {
    const target = bench.target()
    const pieces = threeParts(await bench.store.limits(newCall()))
    const session = await bench.begin(target, sizesOf(pieces), {contentType: 'text/x-contract', metadata: {a: 'b'}})
    const third = await bench.putPart(session, 3, pieces[2])
    const [first, second] = await Promise.all([
      bench.putPart(session, 1, pieces[0]),
      bench.putPart(session, 2, pieces[1]),
    ])
    const receipts = [first, second, third]
    expect(receipts.map(({number, size, crc32}) => ({number, size, crc32}))).to.deep.equal(
      pieces.map((piece, index) => ({number: index + 1, size: piece.length, crc32: crcOf(piece)})),
    )
    const listed = await bench.store.listParts(session, newCall())
    expect(listed.map(withoutCrc)).to.deep.equal(receipts.map(withoutCrc))

    const whole = Buffer.concat(pieces)
    const stored = await bench.store.complete(session, receipts, newCall())
    expect(stored).to.include({size: whole.length, crc32: crcOf(whole)})
    expect((await bench.readBack(target))?.equals(whole)).to.equal(true)
    if (bench.lacks('head')) return
    const info = await bench.store.head(target, newCall())
    expect(info).to.include({size: whole.length, etag: stored.etag})
    if (!bench.lacks('metadata')) expect(info).to.deep.include({contentType: 'text/x-contract', metadata: {a: 'b'}})
  })

  bench.it(['parts'], 'holds the last of what was sent as one part', async () => {
    const target = bench.target()
    const session = await bench.begin(target, [5])
    await bench.putPart(session, 1, Buffer.from('first'))
    const again = await bench.putPart(session, 1, Buffer.from('again'))
    expect(await bench.store.listParts(session, newCall())).to.have.length(1)
    await bench.store.complete(session, [again], newCall())
    expect(String(await bench.readBack(target))).to.equal('again')
  })

  bench.it(['parts', 'hidden'], 'shows nothing before the end, and keeps the old object until then', async () => {
    const target = bench.target()
    if (!bench.lacks('keys')) await bench.put(target, Buffer.from('old'))
    const session = await bench.begin(target, [3])
    const receipt = await bench.putPart(session, 1, Buffer.from('new'))
    expect(String((await bench.readBack(target)) ?? 'old')).to.equal('old')
    await bench.store.complete(session, [receipt], newCall())
    expect(String(await bench.readBack(target))).to.equal('new')
  })

  bench.it(['parts'], 'takes a complete that is sent twice', async () => {
    const target = bench.target()
    const session = await bench.begin(target, [4])
    const receipts = [await bench.putPart(session, 1, Buffer.from('once'))]
    const first = await bench.store.complete(session, receipts, newCall())
    const second = await bench.store.complete(session, receipts, newCall())
    expect(second).to.include({size: 4, etag: first.etag})
    expect(String(await bench.readBack(target))).to.equal('once')
  })

  bench.it(['parts'], 'refuses to complete with a part that was never sent', async () => {
    const target = bench.target()
    const pieces = threeParts(await bench.store.limits(newCall()))
    const session = await bench.begin(target, sizesOf(pieces))
    const receipts = [await bench.putPart(session, 1, pieces[0]), await bench.putPart(session, 3, pieces[2])]
    const invented = {...receipts[0], number: 2, crc32: crcOf(pieces[1])} as PartReceipt
    const failure = await failureOf(
      bench.store.complete(session, [receipts[0], invented, receipts[1]] as PartReceipt[], newCall()),
      'integrity',
    )
    expect(failure.retryable).to.equal(false)
    expect(failure.message).to.contain(target.key)
    if (!bench.lacks('hidden')) expect(await bench.readBack(target)).to.equal(undefined)
    await bench.store.abort(session, newCall())
  })

  bench.it(['parts'], 'refuses to complete with receipts that are not the whole object', async () => {
    const target = bench.target()
    const pieces = threeParts(await bench.store.limits(newCall()))
    const session = await bench.begin(target, sizesOf(pieces))
    const receipts = [await bench.putPart(session, 1, pieces[0])]
    await failureOf(bench.store.complete(session, receipts, newCall()), 'integrity', 'unexpected')
    if (!bench.lacks('hidden')) expect(await bench.readBack(target)).to.equal(undefined)
    await bench.store.abort(session, newCall())
  })

  bench.it(['parts'], 'forgets an upload that is aborted, once and again', async () => {
    const target = bench.target()
    const session = await bench.begin(target, [4])
    const receipt = await bench.putPart(session, 1, Buffer.from('gone'))
    await bench.store.abort(session, newCall())
    await failureOf(bench.store.listParts(session, newCall()), 'not-found')
    await failureOf(bench.store.complete(session, [receipt], newCall()), 'not-found')
    await bench.store.abort(session, newCall())
    expect(await bench.readBack(target)).to.equal(undefined)
  })

  bench.it(
    ['parts', 'keys', 'noClobber'],
    'replaces nothing at the end where it must not, and fails exists',
    async () => {
      const target = bench.target()
      const session = await bench.begin(target, [3], {noClobber: true})
      const receipt = await bench.putPart(session, 1, Buffer.from('new'))
      await bench.put(target, Buffer.from('meanwhile'))
      await failureOf(bench.store.complete(session, [receipt], newCall()), 'exists')
      expect(String(await bench.readBack(target))).to.equal('meanwhile')
      await bench.store.abort(session, newCall())
    },
  )

  bench.it(['parts', 'keys', 'noClobber'], 'begins nothing where something stands that must stay', async () => {
    const target = bench.target()
    await bench.put(target, Buffer.from('theirs'))
    await failureOf(bench.begin(target, [3], {noClobber: true}), 'exists')
    expect(String(await bench.readBack(target))).to.equal('theirs')
  })

  // Where a part is summed while it leaves there is nothing to compare: then the receipt must tell what was stored.
  bench.it(['parts'], 'never gives a receipt for other bytes than it holds', async () => {
    const target = bench.target()
    const bytes = randomBytes(100_000)
    const session = await bench.begin(target, [bytes.length])
    const body = fickleBody(bytes)
    let receipt: PartReceipt
    try {
      receipt = await bench.store.putPart(session, partOf(session, 1, body), body, newCall())
    } catch (error) {
      expect(isFailure(error, 'integrity'), String(error)).to.equal(true)
      await bench.store.abort(session, newCall())
      return
    }
    await bench.store.complete(session, [receipt], newCall())
    expect(crcOf((await bench.readBack(target)) ?? Buffer.alloc(0))).to.equal(receipt.crc32)
  })

  bench.it(['parts', 'pages'], 'lists more parts than one answer holds', async function () {
    this.timeout(60_000)
    const session = await bench.begin(bench.target(), Array<number>(1005).fill(1024))
    const bytes = randomBytes(1024)
    await inTurns(1005, async number => void (await bench.putPart(session, number, bytes)))
    const numbers = (await bench.store.listParts(session, newCall())).map(({number}) => number)
    expect(numbers).to.deep.equal(Array.from({length: 1005}, (_, index) => index + 1))
    await bench.store.abort(session, newCall())
  })
}

function withoutCrc({number, size, etag}: PartReceipt): Omit<PartReceipt, 'crc32'> {
  return {number, size, etag}
}
