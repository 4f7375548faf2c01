import {constants, openSync} from 'node:fs'
import {Socket} from 'node:net'

/** Writes texts into a pipe, one after the other. */
export interface PipeWriter {
  /** Waits until the pipe has taken it. Fails as the system does. */
  write(text: string): Promise<void>
  close(): void
}

/**
 * Not from the pool: where nobody reads, a thread would stand in the write, and keep the process from ending. Undefined where
 * the system opens no pipe for a second time.
 */
export function openPipeWriter(fd: number): PipeWriter | undefined {
  const again = openAgain(fd)
  if (again === undefined) return undefined
  const socket = new Socket({fd: again, readable: false, writable: true})
  // Each write tells its own.
  socket.on('error', () => {})
  return {
    write: text =>
      new Promise((resolve, reject) => {
        socket.write(text, error => (error ? reject(error) : resolve()))
      }),
    close: () => void socket.destroy(),
  }
}

/** A socket closes what it has, and makes it one that never waits. */
function openAgain(fd: number): number | undefined {
  try {
    return openSync(`/dev/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK)
  } catch {
    return undefined
  }
}
