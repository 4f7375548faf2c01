/** MD5 for the page: browsers have none of their own. */
export interface Md5 {
  update(bytes: Uint8Array): void
  /** Sixteen bytes; the sum is used up then. */
  digest(): Uint8Array
}

const BLOCK = 64

// https://www.rfc-editor.org/rfc/rfc1321#section-3.4
const SINES = Int32Array.from({length: 64}, (_, step) => Math.floor(Math.abs(Math.sin(step + 1)) * 2 ** 32) | 0)

export function createMd5(): Md5 {
  const state = Int32Array.of(0x67_45_23_01, 0xef_cd_ab_89 | 0, 0x98_ba_dc_fe | 0, 0x10_32_54_76)
  const words = new Int32Array(16)
  const rest = new Uint8Array(BLOCK)
  let restSize = 0
  let size = 0

  function eat(bytes: Uint8Array, position: number): void {
    for (let word = 0; word < 16; word++) {
      const at = position + word * 4
      words[word] =
        (bytes[at] as number) |
        ((bytes[at + 1] as number) << 8) |
        ((bytes[at + 2] as number) << 16) |
        ((bytes[at + 3] as number) << 24)
    }
    mix(state, words)
  }

  function update(bytes: Uint8Array): void {
    size += bytes.length
    let position = 0
    if (restSize > 0) {
      position = Math.min(BLOCK - restSize, bytes.length)
      rest.set(bytes.subarray(0, position), restSize)
      restSize += position
      if (restSize < BLOCK) return
      eat(rest, 0)
      restSize = 0
    }
    for (; position + BLOCK <= bytes.length; position += BLOCK) eat(bytes, position)
    rest.set(bytes.subarray(position), 0)
    restSize = bytes.length - position
  }

  return {
    update,
    digest() {
      const bits = size * 8
      const tail = new Uint8Array((restSize < 56 ? 64 : 128) - restSize)
      tail[0] = 0x80
      const view = new DataView(tail.buffer)
      view.setUint32(tail.length - 8, bits % 2 ** 32, true)
      view.setUint32(tail.length - 4, Math.floor(bits / 2 ** 32), true)
      update(tail)
      const digest = new DataView(new ArrayBuffer(16))
      for (const [index, word] of state.entries()) digest.setInt32(index * 4, word, true)
      return new Uint8Array(digest.buffer)
    },
  }
}

function turn(sum: number, by: number, onto: number): number {
  return (((sum << by) | (sum >>> (32 - by))) + onto) | 0
}

function word(words: Int32Array, index: number, step: number): number {
  return ((words[index & 15] as number) + (SINES[step] as number)) | 0
}

/** One block. Four steps a loop: the four words change places, so that none has to be moved. */
function mix(state: Int32Array, words: Int32Array): void {
  let a = state[0] as number
  let b = state[1] as number
  let c = state[2] as number
  let d = state[3] as number
  for (let step = 0; step < 16; step += 4) {
    a = turn(a + ((b & c) | (~b & d)) + word(words, step, step), 7, b)
    d = turn(d + ((a & b) | (~a & c)) + word(words, step + 1, step + 1), 12, a)
    c = turn(c + ((d & a) | (~d & b)) + word(words, step + 2, step + 2), 17, d)
    b = turn(b + ((c & d) | (~c & a)) + word(words, step + 3, step + 3), 22, c)
  }
  for (let step = 16; step < 32; step += 4) {
    a = turn(a + ((b & d) | (c & ~d)) + word(words, step * 5 + 1, step), 5, b)
    d = turn(d + ((a & c) | (b & ~c)) + word(words, step * 5 + 6, step + 1), 9, a)
    c = turn(c + ((d & b) | (a & ~b)) + word(words, step * 5 + 11, step + 2), 14, d)
    b = turn(b + ((c & a) | (d & ~a)) + word(words, step * 5 + 16, step + 3), 20, c)
  }
  for (let step = 32; step < 48; step += 4) {
    a = turn(a + (b ^ c ^ d) + word(words, step * 3 + 5, step), 4, b)
    d = turn(d + (a ^ b ^ c) + word(words, step * 3 + 8, step + 1), 11, a)
    c = turn(c + (d ^ a ^ b) + word(words, step * 3 + 11, step + 2), 16, d)
    b = turn(b + (c ^ d ^ a) + word(words, step * 3 + 14, step + 3), 23, c)
  }
  for (let step = 48; step < 64; step += 4) {
    a = turn(a + (c ^ (b | ~d)) + word(words, step * 7, step), 6, b)
    d = turn(d + (b ^ (a | ~c)) + word(words, step * 7 + 7, step + 1), 10, a)
    c = turn(c + (a ^ (d | ~b)) + word(words, step * 7 + 14, step + 2), 15, d)
    b = turn(b + (d ^ (c | ~a)) + word(words, step * 7 + 21, step + 3), 21, c)
  }
  state[0] = ((state[0] as number) + a) | 0
  state[1] = ((state[1] as number) + b) | 0
  state[2] = ((state[2] as number) + c) | 0
  state[3] = ((state[3] as number) + d) | 0
}
