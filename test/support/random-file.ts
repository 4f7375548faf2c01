import {createCipheriv, createHash, randomBytes} from 'node:crypto'
import {open} from 'node:fs/promises'

const chunk = 4 * 1024 * 1024

/** Writes `size` bytes that no compressor shortens; the same seed makes the same file, and a prefix of a longer one. */
export async function makeRandomFile(path: string, size: number, seed?: number | string): Promise<void> {
  const key = seed === undefined ? randomBytes(16) : createHash('md5').update(String(seed)).digest()
  const cipher = createCipheriv('aes-128-ctr', key, Buffer.alloc(16))
  const zeros = Buffer.alloc(Math.min(chunk, size))
  const file = await open(path, 'w')
  try {
    for (let at = 0; at < size; at += chunk) {
      await file.writeFile(cipher.update(zeros.subarray(0, Math.min(chunk, size - at))))
    }
  } finally {
    await file.close()
  }
}

/** SHA-256 in hex of a file of any size. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const piece of readPieces(path)) hash.update(piece)
  return hash.digest('hex')
}

/** The offset of the first byte in which two files differ; the shorter size where one begins the other; -1: the same. */
export async function compareFiles(left: string, right: string): Promise<number> {
  const others = readPieces(right)
  let offset = 0
  for await (const piece of readPieces(left)) {
    const next = await others.next()
    const other = next.done ? Buffer.alloc(0) : next.value
    if (!piece.equals(other)) {
      const at = piece.findIndex((byte, index) => byte !== other[index])
      await others.return(undefined)
      return offset + (at < 0 ? piece.length : at)
    }
    offset += piece.length
  }
  const more = await others.next()
  await others.return(undefined)
  return more.done ? -1 : offset
}

async function* readPieces(path: string): AsyncGenerator<Buffer, void> {
  const file = await open(path)
  try {
    for (let at = 0; ;) {
      const buffer = Buffer.allocUnsafe(chunk)
      let filled = 0
      while (filled < chunk) {
        const {bytesRead} = await file.read(buffer, filled, chunk - filled, at + filled)
        if (bytesRead === 0) break
        filled += bytesRead
      }
      if (filled > 0) yield buffer.subarray(0, filled)
      if (filled < chunk) return
      at += filled
    }
  } finally {
    await file.close()
  }
}
