import {appendFileSync, fstatSync} from 'node:fs'
import type {FileHandle} from 'node:fs/promises'
import {openPipeWriter} from './pipe-writer.ts'
import {quickCall} from './quick-calls.ts'

/** A file to which lines are appended, many with one write. */
export interface LineFile {
  /** Whoever reads it may stand still for ever. */
  readonly isPipe: boolean
  add(line: string): void
  /** Waits for all lines. Fails as the disk did at the first of them; what came later is not written. */
  close(): Promise<void>
}

/** So long, in ms, lines gather; a write costs as much as a small upload. */
const GATHER = 10

interface Writer {
  readonly isPipe: boolean
  append(lines: string): void | Promise<void>
  close(): void
}

function findWriter(handle: FileHandle): Writer {
  const inPool = {isPipe: false, append: (lines: string) => handle.appendFile(lines), close() {}}
  const stats = fstatSync(handle.fd)
  if (stats.isFile()) {
    return {...inPool, append: quickCall((lines: string) => appendFileSync(handle.fd, lines), inPool.append)}
  }
  const pipe = stats.isFIFO() ? openPipeWriter(handle.fd) : undefined
  return pipe === undefined ? inPool : {isPipe: true, append: pipe.write, close: pipe.close}
}

/** `onFailure` is called once, as soon as the disk fails. */
export function createLineFile(handle: FileHandle, onFailure: (error: unknown) => void = () => {}): LineFile {
  let waiting = ''
  let timer: NodeJS.Timeout | undefined
  let writing = Promise.resolve()
  let failed: {readonly error: unknown} | undefined
  const {isPipe, append, close} = findWriter(handle)

  async function write(): Promise<void> {
    const lines = waiting
    waiting = ''
    if (lines === '' || failed !== undefined) return
    try {
      await append(lines)
    } catch (error) {
      failed = {error}
      onFailure(error)
    }
  }

  function flush(): void {
    clearTimeout(timer)
    timer = undefined
    writing = writing.then(write)
  }

  return {
    isPipe,
    add(line) {
      if (failed !== undefined) return
      waiting += `${line}\n`
      timer ??= setTimeout(flush, GATHER)
    },
    async close() {
      flush()
      await writing
      close()
      await handle.close()
      if (failed !== undefined) throw failed.error
    },
  }
}
