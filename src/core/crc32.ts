// https://github.com/madler/zlib/blob/v1.3.1/crc32.c (crc32_combine): the CRC of a+b is the CRC of a, advanced by the
// length of b in GF(2), xor the CRC of b.
const POLYNOMIAL = 0xed_b8_83_20

function multiply(a: number, b: number): number {
  let product = 0
  let factor = b
  for (let mask = 0x80_00_00_00; mask !== 0; mask >>>= 1) {
    if (a & mask) product ^= factor
    factor = factor & 1 ? (factor >>> 1) ^ POLYNOMIAL : factor >>> 1
  }
  return product >>> 0
}

/** Returns the CRC-32 of two runs of bytes joined, from the CRC of each and the size of the second. */
export function combineCrc32(first: number, second: number, secondSize: number): number {
  let shift = 0x80_00_00_00 // x^0
  let power = 0x00_80_00_00 // x^8, one byte
  for (let size = secondSize; size > 0; size = Math.floor(size / 2)) {
    if (size % 2 === 1) shift = multiply(power, shift)
    power = multiply(power, power)
  }
  return (multiply(shift, first) ^ second) >>> 0
}

/** Writes a CRC-32 as eight lower-case hex digits: the form of receipts and journals. */
export function formatCrc32(crc: number): string {
  return (crc >>> 0).toString(16).padStart(8, '0')
}

export function parseCrc32(hex: string): number {
  return Number.parseInt(hex, 16) >>> 0
}

/** The big-endian base64 form of `x-amz-checksum-crc32`. */
export function crc32ToBase64(crc: number): string {
  return btoa(String.fromCharCode(crc >>> 24, (crc >>> 16) & 255, (crc >>> 8) & 255, crc & 255))
}
