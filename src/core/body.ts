import {Failure} from './failure.ts'

/** Bytes that can be read at any position, any number of times. No streams in the hot path. */
export interface Body {
  readonly size: number
  /** The bytes themselves, where they are in memory anyway. */
  readonly bytes?: Buffer
  /** So many bytes right before `bytes` are free: what goes ahead of them may be written there. */
  readonly headroom?: number
  /** Where the bytes lie, if they lie in a file: another thread can read them there by itself. */
  readonly file?: FilePlace
  /**
   * Fills `into` from `position` and returns how many bytes it got: fewer only at the end. Without a promise where it
   * need not wait: each costs the hot path more than all else about a window. Fails `source-changed`.
   */
  read(into: Buffer, position: number): number | Promise<number>
}

/** A position of a file that stays open as long as the body is used. */
export interface FilePlace {
  readonly fd: number
  readonly offset: number
}

/**
 * Fills a window from a position of a body, without a promise where the body needs none. Fails `source-changed` where the
 * body ends before it is full.
 */
export function fillWindow(body: Body, window: Buffer, position: number): Buffer | Promise<Buffer> {
  const got = body.read(window, position)
  return typeof got === 'number' ? filled(window, got) : got.then(count => filled(window, count))
}

function filled(window: Buffer, count: number): Buffer {
  if (count === window.length) return window
  throw new Failure('source-changed', 'The file became shorter while it was read.')
}
