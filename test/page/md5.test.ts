import {createHash, randomBytes} from 'node:crypto'
import {expect} from 'chai'
import {createMd5} from '../../src/page/client/md5.ts'

function md5(...pieces: readonly Uint8Array[]): string {
  const sum = createMd5()
  for (const piece of pieces) sum.update(piece)
  return Buffer.from(sum.digest()).toString('hex')
}

describe('md5 of the page', () => {
  it('agrees with OpenSSL for every size around a block', () => {
    for (let size = 0; size <= 260; size++) {
      const bytes = randomBytes(size)
      expect(md5(bytes), String(size)).to.equal(createHash('md5').update(bytes).digest('hex'))
    }
  })

  it('does not depend on how the bytes are cut', () => {
    for (let round = 0; round < 200; round++) {
      const bytes = randomBytes(1000)
      const pieces = []
      for (let at = 0; at < bytes.length;) {
        const size = 1 + Math.floor(Math.random() * 150)
        pieces.push(bytes.subarray(at, at + size))
        at += size
      }
      expect(md5(...pieces)).to.equal(createHash('md5').update(bytes).digest('hex'))
    }
  })

  it('counts beyond 512 MiB, where the number of bits passes 32 bits', function () {
    this.timeout(60_000)
    const piece = randomBytes(8 << 20)
    const ours = createMd5()
    const theirs = createHash('md5')
    for (let round = 0; round < 65; round++) {
      ours.update(piece)
      theirs.update(piece)
    }
    expect(Buffer.from(ours.digest()).toString('hex')).to.equal(theirs.digest('hex'))
  })
})
