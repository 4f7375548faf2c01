import {HEADROOM, loadSmall, SMALL_BODY} from '../core/buffer-body.ts'
import {createBufferPool} from '../core/buffer-pool.ts'
import type {Body} from '../stores/store.ts'
import {openFile} from './source.ts'
import type {Source} from './source.ts'

/** A small file that is open, and its bytes as they were at one moment. */
export interface SmallFile {
  readonly source: Source
  readonly body: Body
  /** When it was read, in ms of `performance.now`. */
  readonly at: number
  /** Leaves its memory to others: once the bytes are nowhere on their way any more. */
  release(): void
}

/** Closes a file that nobody needs, whatever the system says to that. */
function closeQuietly(source: Source): void {
  try {
    const closing = source.close()
    if (closing instanceof Promise) closing.catch(() => {})
  } catch {
    // What was read is of no use to anybody.
  }
}

/** Lets go of a file that was never sent. */
export function dropSmall({source, release}: SmallFile): void {
  release()
  closeQuietly(source)
}

const rooms = createBufferPool()

/** Reads a file that is small; undefined for any other. Fails `source-changed`. */
export function readSmall(source: Source): SmallFile | undefined | Promise<SmallFile> {
  if (source.size > SMALL_BODY) return undefined
  const at = performance.now()
  const room = rooms.take(HEADROOM + source.size)
  const release = (): void => rooms.give(room)
  const loaded = loadSmall(source.body({offset: 0, size: source.size}), room)
  return loaded instanceof Promise
    ? loaded.then(body => ({source, body, at, release}))
    : {source, body: loaded, at, release}
}

/**
 * Opens and reads a file that is small, ahead of its turn. Undefined for a larger one, and for what cannot be opened or read:
 * its own turn will tell. Never fails.
 */
export function openSmall(path: string, isPrefix: boolean): SmallFile | undefined | Promise<SmallFile | undefined> {
  try {
    const source = openFile(path, isPrefix)
    return source instanceof Promise ? source.then(readOrClose, () => undefined) : readOrClose(source)
  } catch {
    return undefined
  }
}

function readOrClose(source: Source): SmallFile | undefined | Promise<SmallFile | undefined> {
  function close(): undefined {
    closeQuietly(source)
  }
  try {
    const small = readSmall(source)
    return small instanceof Promise ? small.catch(close) : (small ?? close())
  } catch {
    return close()
  }
}
