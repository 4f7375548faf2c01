import {Worker} from 'node:worker_threads'

/** Longer than any bound that the process itself could keep. */
const LONGEST = 60_000

const SCRIPT = `
const {writeSync} = require('node:fs')
const {parentPort, workerData} = require('node:worker_threads')
let timer
parentPort.on('message', input => {
  clearTimeout(timer)
  if (input === undefined) return
  timer = setTimeout(() => {
    writeSync(2, '\\nBusy for ' + workerData / 1000 + ' s with ' + input + '\\n')
    process.kill(process.pid, 'SIGKILL')
  }, workerData)
})
`

export interface Watchdog {
  /** From now on the process is busy with this; undefined: with nothing. */
  watch(input: string | undefined): void
  close(): Promise<void>
}

/** Ends a process that is stuck in a loop, where no timer of its own runs any more, and names what it was given. */
export function startWatchdog(longest = LONGEST): Watchdog {
  const worker = new Worker(SCRIPT, {eval: true, execArgv: [], workerData: longest})
  worker.unref()
  return {
    watch: input => worker.postMessage(input),
    async close() {
      await worker.terminate()
    },
  }
}
