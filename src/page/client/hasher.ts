import {Failure} from '../../core/failure.ts'
import {md5Blob} from './hash-worker.ts'
import type {HashAnswer} from './hash-worker.ts'

/** Returns the MD5 of a blob in hex. Fails `source-changed` when it cannot be read any more. */
export type Hasher = (blob: Blob) => Promise<string>

const WORKERS = 2

/** Sums beside the page, so that it never stands still; in the page itself where the browser gives no worker. */
export function createHasher(source: string): Hasher {
  const waiting = new Map<number, (answer: HashAnswer) => void>()
  const workers: Worker[] = []
  let count = 0
  let isBroken = false

  function start(): void {
    const url = URL.createObjectURL(new Blob([source], {type: 'text/javascript'}))
    for (let number = 0; number < WORKERS; number++) {
      const worker = new Worker(url)
      worker.addEventListener('message', ({data}: MessageEvent<HashAnswer>) => {
        waiting.get(data.id)?.(data)
        waiting.delete(data.id)
      })
      worker.addEventListener('error', () => {
        isBroken = true
        for (const [id, resolve] of waiting) resolve({id, problem: BROKEN})
        waiting.clear()
      })
      workers.push(worker)
    }
  }

  function ask(blob: Blob): Promise<HashAnswer> {
    const id = ++count
    return new Promise(resolve => {
      waiting.set(id, resolve)
      workers[id % workers.length]?.postMessage({id, blob})
    })
  }

  return async blob => {
    try {
      if (workers.length === 0 && !isBroken) start()
    } catch {
      isBroken = true
    }
    if (!isBroken) {
      const answer = await ask(blob)
      if ('md5' in answer) return answer.md5
      if (answer.problem !== BROKEN) throw unreadable(answer.problem)
    }
    return md5Blob(blob).catch((error: unknown) => {
      throw unreadable(error)
    })
  }
}

const BROKEN = 'no worker'

function unreadable(cause: unknown): Failure {
  return new Failure('source-changed', 'The file cannot be read any more: it was changed or moved.', {cause})
}
