/** The three waits of a request, in milliseconds; no single timer could serve slow links and dead servers alike. */
export interface Waits {
  /** Until the connection (and TLS) stands. */
  readonly connect: number
  /** While sending or receiving, without one byte moving. */
  readonly stall: number
  /** From the last byte handed to the kernel to the first of the answer; see `answerWait`. */
  readonly answer: number
  /** Instead of `answer` for Complete; COMPLETE_WAIT unless given. */
  readonly complete?: number
}

export const DEFAULT_WAITS: Waits = {connect: 10_000, stall: 30_000, answer: 60_000}

/** Complete may take minutes while the store puts the parts together; any byte of the answer starts it anew. */
export const COMPLETE_WAIT = 15 * 60_000

/** This much can still sit in kernel buffers, on both sides, when the last write returns. */
const BUFFERED = 8 * 1024 * 1024

/** Returns how long an answer may take after a body sent at a measured rate (bytes a second). */
export function answerWait(waits: Waits, size: number, bytesPerSecond: number): number {
  const buffered = Math.min(size, BUFFERED)
  return waits.answer + (bytesPerSecond > 0 ? (buffered / bytesPerSecond) * 1000 : 0)
}
