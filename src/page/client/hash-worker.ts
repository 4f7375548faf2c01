import {createMd5} from './md5.ts'

/** What the page asks of its workers, and what they answer. */
export interface HashTask {
  readonly id: number
  readonly blob: Blob
}
export type HashAnswer = {readonly id: number} & ({readonly md5: string} | {readonly problem: string})

const WINDOW = 1024 * 1024

/** Returns the MD5 of a blob in hex; memory does not grow with it. */
export async function md5Blob(blob: Blob): Promise<string> {
  const sum = createMd5()
  for (let at = 0; at < blob.size; at += WINDOW) {
    sum.update(new Uint8Array(await blob.slice(at, at + WINDOW).arrayBuffer()))
  }
  return [...sum.digest()].map(byte => byte.toString(16).padStart(2, '0')).join('')
}

/** Runs in a worker. */
export function answerTasks(): void {
  addEventListener('message', ({data}: MessageEvent<HashTask>) => {
    void md5Blob(data.blob).then(
      md5 => postMessage({id: data.id, md5} satisfies HashAnswer),
      // A file that was changed or moved since it was chosen cannot be read any more.
      (error: unknown) => postMessage({id: data.id, problem: String(error)} satisfies HashAnswer),
    )
  })
}
