import type {FileHandle} from 'node:fs/promises'

/** A file to which lines are appended, many with one write where they come quickly. */
export interface LineFile {
  add(line: string): void
  /** Waits for all lines. Fails as the disk did at the first of them; what came later is not written. */
  close(): Promise<void>
}

/** `onFailure` is called once, as soon as the disk fails. */
export function createLineFile(handle: FileHandle, onFailure: (error: unknown) => void = () => {}): LineFile {
  let waiting = ''
  let writing: Promise<void> | undefined
  let failed: {readonly error: unknown} | undefined

  async function write(): Promise<void> {
    while (waiting !== '' && failed === undefined) {
      const lines = waiting
      waiting = ''
      try {
        await handle.appendFile(lines)
      } catch (error) {
        failed = {error}
        onFailure(error)
      }
    }
    writing = undefined
  }

  return {
    add(line) {
      if (failed !== undefined) return
      waiting += `${line}\n`
      writing ??= write()
    },
    async close() {
      await writing
      await handle.close()
      if (failed !== undefined) throw failed.error
    },
  }
}
