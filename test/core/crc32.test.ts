import {crc32} from 'node:zlib'
import {expect} from 'chai'
import * as fc from 'fast-check'
import {combineCrc32, crc32ToBase64, formatCrc32, parseCrc32} from '../../src/core/crc32.ts'

describe('combineCrc32', () => {
  it('joins the sums of any split to the sum of the whole', () => {
    fc.assert(
      fc.property(fc.uint8Array({maxLength: 5000}), fc.array(fc.nat({max: 5000}), {maxLength: 6}), (bytes, cuts) => {
        const edges = [0, ...cuts.map(cut => Math.min(cut, bytes.length)), bytes.length].toSorted((a, b) => a - b)
        const pieces = edges.slice(1).map((edge, index) => bytes.subarray(edges[index], edge))
        const joined = pieces.reduce((sum, piece) => combineCrc32(sum, crc32(piece), piece.length), 0)
        expect(joined).to.equal(crc32(bytes))
      }),
      {numRuns: 300},
    )
  })

  it('knows sizes above 4 GiB: zeros appended one after the other or all at once', () => {
    // The CRC of 2^33 zeros, by doubling: each step joins two equal halves.
    const mebibyte = crc32(Buffer.alloc(1024 * 1024))
    let [doubled, size] = [mebibyte, 1024 * 1024]
    while (size < 2 ** 33) [doubled, size] = [combineCrc32(doubled, doubled, size), size * 2]
    let added = 0
    for (let index = 0; index < 8192; index++) added = combineCrc32(added, mebibyte, 1024 * 1024)
    expect(doubled).to.equal(added)
    const tail = crc32(Buffer.from('x'))
    expect(combineCrc32(combineCrc32(tail, doubled, size), tail, 1)).to.equal(
      combineCrc32(tail, combineCrc32(doubled, tail, 1), size + 1),
    )
  })

  it('leaves the first sum alone when nothing follows', () => {
    expect(combineCrc32(0xcb_f4_39_26, 0, 0)).to.equal(0xcb_f4_39_26)
  })
})

describe('the forms of a CRC-32', () => {
  it('are the check value of the catalogue', () => {
    const sum = crc32('123456789')
    expect(formatCrc32(sum)).to.equal('cbf43926')
    expect(crc32ToBase64(sum)).to.equal('y/Q5Jg==')
  })

  it('read back, leading zeros and the sign bit too', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.nat({max: 0xff_ff_ff_ff}), fc.constantFrom(0, 1, 0x7f_ff_ff_ff, 0x80_00_00_00, 0xff_ff_ff_ff)),
        sum => {
          expect(formatCrc32(sum)).to.match(/^[\da-f]{8}$/u)
          expect(parseCrc32(formatCrc32(sum))).to.equal(sum)
          expect(Buffer.from(crc32ToBase64(sum), 'base64').readUInt32BE()).to.equal(sum)
        },
      ),
    )
  })
})
