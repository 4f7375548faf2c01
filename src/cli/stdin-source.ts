import {Failure} from '../core/failure.ts'
import type {StreamSource} from '../upload/stream-source.ts'

/** Takes stdin as a source. Fails `usage` where a person would have to type it. */
export function openStdin(): StreamSource {
  const {stdin} = process
  if (stdin.isTTY) {
    throw new Failure('usage', 'stdin is a terminal: there is nothing to upload.', {
      suggestion: 'Pipe something into it, for example: pg_dump shop | skylift upload - s3://backups/shop.sql',
    })
  }
  // Whoever reads it hears of an error; one that comes after the end is nobody's.
  stdin.on('error', () => {})
  return {
    name: '-',
    chunks: readChunks(),
    stop() {
      stdin.destroy()
      return Promise.resolve()
    },
  }
}

async function* readChunks(): AsyncGenerator<Uint8Array> {
  try {
    yield* process.stdin as AsyncIterable<Buffer>
  } catch (error) {
    throw new Failure('source-changed', `stdin cannot be read: ${(error as Error).message}.`, {
      cause: error,
      suggestion: 'Check what it is connected to.',
    })
  }
}
