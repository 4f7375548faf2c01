import {Failure} from '../core/failure.ts'
import type {Body} from '../core/body.ts'

/** Large enough that the system calls vanish beside the copying, small enough that 16 of them stay cheap to hold. */
export const WINDOW = 256 * 1024

/** Slow links get small windows, so that progress moves and a stall is seen soon. */
const SMALLEST = 64 * 1024

export interface Windows {
  readonly pair: readonly [Buffer, Buffer]
}

const free: Windows[] = []

/** Takes two reused buffers. Give them back only when neither the file nor the socket can touch them any more. */
export function takeWindows(): Windows {
  return free.pop() ?? {pair: [Buffer.allocUnsafeSlow(WINDOW), Buffer.allocUnsafeSlow(WINDOW)]}
}

export function giveWindows(windows: Windows): void {
  free.push(windows)
}

/** Returns the window size for a connection that moves so many bytes a second: what it sends in half a second. */
export function windowSize(bytesPerSecond: number): number {
  return Math.min(WINDOW, Math.max(SMALLEST, Math.floor(bytesPerSecond / 2)))
}

/** Under a bandwidth limit nobody knows the share of a connection yet; a large window would leave in one gush. */
export const FIRST_PACED = 4 * 1024

const SMALLEST_PACED = 1024
const LARGEST_PACED = 256 * 1024

/** The same under a bandwidth limit: what a connection sends in a tenth of a second, so that all of them flow evenly. */
export function pacedWindowSize(bytesPerSecond: number): number {
  return Math.min(LARGEST_PACED, Math.max(SMALLEST_PACED, Math.floor(bytesPerSecond / 10)))
}

/** Returns the beginning of a window; one that is wanted whole as it is. */
export function cutWindow(window: Buffer, size: number): Buffer {
  return size < window.length ? window.subarray(0, size) : window
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
