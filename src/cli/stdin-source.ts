import {createReadStream, fstatSync} from 'node:fs'
import type {Readable} from 'node:stream'
import {Failure} from '../core/failure.ts'
import type {StreamSource} from '../upload/stream-source.ts'

/** Takes stdin as a source. Fails `usage` where a person would have to type it. */
export function openStdin(): StreamSource {
  if (process.stdin.isTTY) {
    throw new Failure('usage', 'stdin is a terminal: there is nothing to upload.', {
      suggestion: 'Pipe something into it, for example: pg_dump shop | skylift upload - s3://backups/shop.sql',
    })
  }
  const stdin = readStdin()
  // Whoever reads it hears of an error; one that comes after the end is nobody's.
  stdin.on('error', () => {})
  return {
    name: '-',
    chunks: readChunks(stdin),
    stop() {
      stdin.destroy()
      return Promise.resolve()
    },
  }
}

/** Reads stdin whatever it is: to Node a disk (`< /dev/sdb`) and a folder are streams of nothing. */
export function readStdin(): Readable {
  const stats = fstatSync(0)
  const isKnown = !stats.isBlockDevice() && !stats.isDirectory()
  return isKnown ? process.stdin : createReadStream('', {fd: 0, autoClose: false})
}

async function* readChunks(stdin: Readable): AsyncGenerator<Uint8Array> {
  try {
    yield* stdin as AsyncIterable<Buffer>
  } catch (error) {
    throw new Failure('source-changed', `stdin cannot be read: ${(error as Error).message}.`, {
      cause: error,
      suggestion: 'Check what it is connected to.',
    })
  }
}
