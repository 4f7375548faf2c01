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
