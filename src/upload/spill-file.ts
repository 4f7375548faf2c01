import {randomBytes} from 'node:crypto'
import {close, constants, open, openSync, unlinkSync, write} from 'node:fs'
import {statfs} from 'node:fs/promises'
import {join} from 'node:path'
import {promisify} from 'node:util'
import {Failure} from '../core/failure.ts'
import {printable} from '../core/printable.ts'
import {formatSize, MIB} from '../core/sizes.ts'
import {createReader} from './read-file.ts'

/** A file without a name: nobody else can open it, and it is gone with the process, however that ends. */
export interface SpillFile {
  /**
   * Asks whether the disk has room for what is to come. Where it has not, fails `config`, or says no if it may still
   * come to have it.
   */
  hasRoom(left: number, mayCome: boolean): Promise<boolean>
  /** Appends. Fails `config` when the disk is full. */
  write(bytes: Uint8Array): Promise<void>
  /** Fills `into`, which lies within what was written. */
  read(into: Buffer, position: number): number | Promise<number>
  close(): Promise<void>
}

/** The disk is asked again after so many bytes: a part may be larger than a disk, and the stream shorter than the part. */
const STEP = 256 * MIB
/** Left to everybody else. */
const RESERVE = 16 * MIB

const openFd = promisify(open)
const writeFd = promisify(write)
const closeFd = promisify(close)

/** Makes a file in a folder. Fails `config`. */
export async function createSpillFile(folder: string): Promise<SpillFile> {
  const fd = await openUnnamed(folder).catch((error: unknown) => {
    throw unwritable(folder, error)
  })
  const read = createReader(fd)
  let size = 0
  let granted = 0
  return {
    async hasRoom(left, mayCome) {
      if (size < granted) return true
      const wanted = Math.min(left, STEP)
      const {bavail, bsize} = await statfs(folder).catch((error: unknown) => {
        throw unwritable(folder, error)
      })
      const room = bavail * bsize - RESERVE
      if (room < wanted && mayCome) return false
      if (room < wanted) throw full(folder, wanted, Math.max(0, room))
      granted = size + wanted
      return true
    },
    async write(bytes) {
      try {
        for (let position = 0; position < bytes.length;) {
          const {bytesWritten} = await writeFd(fd, bytes, position, bytes.length - position, size)
          position += bytesWritten
          size += bytesWritten
        }
      } catch (error) {
        throw unwritable(folder, error)
      }
    },
    read: (into, position) => read(into, into.length, position),
    close: () => closeFd(fd),
  }
}

// https://man7.org/linux/man-pages/man2/open.2.html (O_TMPFILE; Node has no name for it)
const O_TMPFILE = 0o20000000 | constants.O_DIRECTORY

/** Not every file system can make a file that never had a name; then it has one for as short a time as can be. */
async function openUnnamed(folder: string): Promise<number> {
  const {O_CREAT, O_EXCL, O_RDWR} = constants
  try {
    if (process.platform === 'linux') return await openFd(folder, O_TMPFILE | O_RDWR, 0o600)
  } catch {
    // What is really amiss with the folder is said below.
  }
  const path = join(folder, `skylift-${randomBytes(12).toString('hex')}`)
  const fd = openSync(path, O_CREAT | O_EXCL | O_RDWR, 0o600)
  unlinkSync(path)
  return fd
}

const SUGGESTION = 'Free some space, name a folder on a larger disk in TMPDIR, or raise --memory.'

function full(folder: string, wanted: number, room: number): Failure {
  const message = `"${printable(folder)}" has room for ${formatSize(room)} of the stream, and ${formatSize(wanted)} must be held.`
  return new Failure('config', message, {suggestion: SUGGESTION})
}

function unwritable(folder: string, error: unknown): Failure {
  const {message} = error as Error
  return new Failure('config', `The stream cannot be held in "${printable(folder)}": ${message}.`, {
    cause: error,
    suggestion: SUGGESTION,
  })
}
