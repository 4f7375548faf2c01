import {Failure} from '../core/failure.ts'
import {printable} from '../core/printable.ts'

export interface Outputs {
  /** Waits until all has been written or is lost; returns why results on stdout are, if it is worth a word. */
  findLoss(): Promise<Failure | undefined>
}

/**
 * Lets a command go on when nobody reads what it says, or its disk is full: words are not the work. Once, and first of
 * all: what nobody listens for ends the process in the midst of an upload.
 */
export function watchOutputs({stdout, stderr}: Pick<NodeJS.Process, 'stdout' | 'stderr'> = process): Outputs {
  let problem: NodeJS.ErrnoException | undefined
  // oclif's own throws whatever is not EPIPE.
  stdout.removeAllListeners('error')
  stdout.on('error', error => (problem ??= error))
  stderr.on('error', () => {})
  return {
    async findLoss() {
      // Not oclif's `flush`: after an error it waits for a drain that never comes.
      await new Promise<void>(resolve => stdout.write('', () => resolve()))
      // An error is told a moment after the write.
      await new Promise(resolve => setImmediate(resolve))
      // A reader that went away has read enough, as `head` does.
      if (problem === undefined || problem.code === 'EPIPE') return undefined
      return new Failure('config', `Standard output cannot be written: ${printable(problem.message)}.`, {
        cause: problem,
        suggestion: 'Send it to another place. What was done stays done: only words about it are lost.',
      })
    },
  }
}
