import {constants} from 'node:fs'
import {open, rm} from 'node:fs/promises'
import type {FileHandle} from 'node:fs/promises'
import {dirname} from 'node:path'
import {CREATE, syncFolder} from './durable.ts'
import {grouped} from './grouped.ts'
import type {PartRecord, UploadRecord} from './records.ts'

/** An upload on the disk: its record, then one line a part; of two lines with one number the later counts. */
export class UploadLog {
  readonly #file: string
  readonly #flush: () => Promise<void>
  #lines: string[] = []
  /** How much of the file is known to be whole lines. */
  #size: number

  constructor(file: string, size: number) {
    this.#file = file
    this.#size = size
    this.#flush = grouped(async () => this.#write())
  }

  static async create(file: string, record: UploadRecord): Promise<UploadLog> {
    const line = Buffer.from(`${JSON.stringify(record)}\n`)
    try {
      await withFile(file, CREATE, async handle => {
        await handle.writeFile(line)
        await handle.sync()
      })
      await syncFolder(dirname(file))
    } catch (error) {
      await rm(file, {force: true})
      throw error
    }
    return new UploadLog(file, line.length)
  }

  /** Ends when the line is durable; many callers share one fsync. */
  async append(part: PartRecord): Promise<void> {
    this.#lines.push(`${JSON.stringify(part)}\n`)
    await this.#flush()
  }

  async #write(): Promise<void> {
    const bytes = Buffer.from(this.#lines.join(''))
    this.#lines = []
    await withFile(this.#file, constants.O_RDWR | constants.O_NOFOLLOW, async handle => {
      try {
        for (let at = 0; at < bytes.length;) {
          at += (await handle.write(bytes, at, bytes.length - at, this.#size + at)).bytesWritten
        }
        await handle.datasync()
        this.#size += bytes.length
      } catch (error) {
        // Half a line would swallow the next one.
        await handle.truncate(this.#size).catch(() => undefined)
        throw error
      }
    })
  }
}

async function withFile(file: string, flags: number, task: (handle: FileHandle) => Promise<void>): Promise<void> {
  const handle = await open(file, flags, 0o600)
  try {
    await task(handle)
  } finally {
    await handle.close()
  }
}
