import {spawn} from 'node:child_process'
import type {ChildProcess} from 'node:child_process'
import {once} from 'node:events'
import {basename} from 'node:path'
import type {Readable} from 'node:stream'
import {setTimeout as sleep} from 'node:timers/promises'
import {Failure} from '../core/failure.ts'
import {printable} from '../core/printable.ts'
import type {StreamSource} from '../upload/stream-source.ts'

/** How long a program may take to end when it is told to, and its last words to be heard. */
const GRACE = 400
const LAST_WORDS = 200
const LONGEST_WORDS = 200

/** Ended as programs do when somebody presses Ctrl-C or stops the job: then we hear of it as well. */
const STOPPED = {signals: ['SIGINT', 'SIGTERM', 'SIGHUP'], statuses: [130, 143]}

type Child = ChildProcess & {readonly stdout: Readable; readonly stderr: Readable}

/**
 * Starts a program, without a shell, whose stdout is the source. The source ends well only when the program does: with
 * status 0. What it says on stderr goes to `onWords`. Its arguments are repeated nowhere, since they may hold a secret.
 */
export function startProducer(
  [program = '', ...args]: readonly string[],
  onWords: (words: Buffer) => void,
): StreamSource {
  const child = spawn(program, args, {stdio: ['inherit', 'pipe', 'pipe']}) as Child
  // When it ends, Node throws away what nobody listens for, and the target may not be open by then.
  child.stdout.on('readable', () => {})
  const name = basename(program)
  let isStopped = false
  let lastWords = ''
  const closed = once(child, 'close').catch(() => {})
  const ended = new Promise<Failure | undefined>(resolve => {
    child.once('error', error => resolve(notStarted(program, error)))
    child.once('exit', (status, signal) => {
      void untilToldOf(status, signal, closed).then(() => resolve(judge(name, status, signal, lastWords)))
    })
  })
  child.stderr.on('data', (words: Buffer) => {
    lastWords = (lastWords + words.toString()).slice(-10 * LONGEST_WORDS)
    onWords(words)
  })
  // A program that has failed may have left another behind that keeps its stdout open.
  void ended.then(failure => failure && child.stdout.destroy())
  const kill = (): boolean => child.kill('SIGKILL')
  process.once('exit', kill)
  void ended.then(() => process.off('exit', kill))

  async function* readChunks(): AsyncGenerator<Uint8Array> {
    try {
      yield* child.stdout as AsyncIterable<Buffer>
    } catch (error) {
      throw (await ended) ?? error
    }
    const failure = await ended
    if (failure !== undefined) throw failure
  }

  return {
    name,
    chunks: readChunks(),
    async stop() {
      if (!isStopped) {
        isStopped = true
        child.stdout.destroy()
        child.kill('SIGTERM')
      }
      const isOver = await Promise.race([ended.then(() => true), sleep(GRACE, false, {ref: false})])
      if (!isOver) kill()
    },
  }
}

/** Waits for what the program said last, and for the signal that we get with it where a terminal sends it to both. */
async function untilToldOf(
  status: number | null,
  signal: NodeJS.Signals | null,
  closed: Promise<unknown>,
): Promise<void> {
  await Promise.race([closed, sleep(LAST_WORDS, undefined, {ref: false})])
  const mayBeOurs = STOPPED.signals.includes(signal ?? '') || STOPPED.statuses.includes(status ?? 0)
  if (mayBeOurs) await sleep(LAST_WORDS)
}

function judge(name: string, status: number | null, signal: NodeJS.Signals | null, words: string): Failure | undefined {
  if (status === 0) return undefined
  const how = signal === null ? `with status ${status}` : `by ${signal}`
  const said = words.trim().split('\n').at(-1)?.trim().slice(0, LONGEST_WORDS) ?? ''
  const quoted = said === '' ? '' : ` ("${printable(said)}")`
  return new Failure('source-changed', `"${printable(name)}" ended ${how}${quoted}, so nothing was stored.`, {
    suggestion: 'Find out why it failed, then run the same command again.',
  })
}

function notStarted(program: string, error: Error): Failure {
  const {code} = error as NodeJS.ErrnoException
  const name = printable(program)
  if (code === 'ENOENT') {
    return new Failure('not-found', `There is no program "${name}".`, {
      cause: error,
      suggestion: 'Check its name, and PATH. For a pipeline write: -- sh -c "..."',
    })
  }
  if (code === 'EACCES') {
    return new Failure('forbidden', `"${name}" may not be run by you.`, {cause: error, suggestion: 'Check its mode.'})
  }
  return new Failure('usage', `"${name}" cannot be run: ${error.message}.`, {cause: error})
}
