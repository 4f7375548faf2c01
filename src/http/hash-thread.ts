import type {Worker} from 'node:worker_threads'
import type {HashResult, HashTask} from './hash-worker.js'

/** A thread that sums ranges of files beside all else. It takes a while to start, and may never come. */
export interface HashThread {
  readonly state: 'none' | 'starting' | 'there'
  /** Starts it in the background unless it is there; where it cannot be had, nothing happens. */
  start(): void
  /** Only while it is there. Resolves to undefined where the thread could not do it. */
  sum(task: HashTask): Promise<HashResult | undefined>
}

/** Without work for so long it is ended: it holds a few MiB. */
const IDLE = 5000

/** A few messages are all that it ever holds on its heap. */
const HEAP = {maxYoungGenerationSizeMb: 1, maxOldGenerationSizeMb: 32}

/** `onChange` is called when the thread is there, and when it is lost or does not come. */
export function createHashThread(onChange: () => void): HashThread {
  const running = new Map<number, (result: HashResult | undefined) => void>()
  let worker: Worker | undefined
  let isStarting = false
  let isBroken = false
  let lastId = 0
  let timer: NodeJS.Timeout | undefined

  async function start(): Promise<Worker> {
    const {Worker} = await import('node:worker_threads')
    const {HASH_WORKER, HASH_ROLE} = await import('./hash-worker.js')
    const started = new Worker(new URL(HASH_WORKER), {workerData: HASH_ROLE, resourceLimits: HEAP, execArgv: []})
    await new Promise<void>((resolve, reject) => {
      started.once('message', () => resolve())
      started.once('error', reject)
      started.once('exit', () => reject(new Error('The thread ended.')))
    })
    started.on('message', ({id, ...result}: HashResult & {readonly id: number}) => finish(id, result))
    started.on('error', () => (isBroken = true))
    started.on('exit', () => worker === started && lose())
    return started
  }

  function finish(id: number, result: HashResult | undefined): void {
    const done = running.get(id)
    running.delete(id)
    rest()
    done?.(result)
  }

  /** The process may end while the thread has nothing to do. */
  function rest(): void {
    if (running.size > 0) return
    worker?.unref()
    clearTimeout(timer)
    timer = setTimeout(() => {
      if (running.size > 0) return
      void worker?.terminate()
      lose()
    }, IDLE)
    timer.unref()
  }

  function lose(): void {
    worker = undefined
    for (const id of running.keys()) finish(id, undefined)
    onChange()
  }

  return {
    get state() {
      if (worker !== undefined) return 'there'
      return isStarting ? 'starting' : 'none'
    },
    start() {
      if (isBroken || isStarting || worker !== undefined) return
      isStarting = true
      start()
        .then(
          started => (worker = started),
          () => (isBroken = true),
        )
        .finally(() => {
          isStarting = false
          rest()
          onChange()
        })
    },
    sum(task) {
      const id = ++lastId
      return new Promise(resolve => {
        running.set(id, resolve)
        worker?.ref()
        worker?.postMessage({...task, id})
      })
    },
  }
}
