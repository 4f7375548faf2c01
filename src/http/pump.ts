import type {ClientRequest} from 'node:http'
import {fillWindow} from '../core/body.ts'
import type {Body} from '../core/body.ts'
import type {SendOptions} from './send.ts'
import type {Watch} from './watch.ts'
import {cutWindow, FIRST_PACED, giveWindows, pacedWindowSize, takeWindows, windowSize, WINDOW} from './windows.ts'

/** How long an answered request may take to tell that its last bytes have left, before its connection is given up. */
const LINGER = 100

/** A timer that keeps the process: where the connection is gone, nothing else does, and it would end in the middle. */
function linger(onWake: (run: () => void) => void): Promise<void> {
  return new Promise(resolve => {
    const timer = setTimeout(resolve, LINGER)
    onWake(() => {
      clearTimeout(timer)
      resolve()
    })
  })
}

/**
 * Sends a body through two reused windows: one fills from the file while the other drains into the socket. Ends early
 * when the request is answered or over. Returns the rate in bytes a second.
 *
 * Measured against streams, whole buffers and undici: a third to a seventh of their CPU, and memory that no part size
 * changes (docs/performance.md).
 */
export async function pumpBody(
  outgoing: ClientRequest,
  body: Body,
  options: SendOptions & {readonly watch: Watch},
): Promise<number> {
  const {watch, signal, pace, onSent, onWindow} = options
  const windows = takeWindows()
  const started = performance.now()
  const rate = (sent: number): number => (sent * 1000) / Math.max(1, performance.now() - started)
  let size = pace === undefined ? WINDOW : FIRST_PACED

  function fill(index: 0 | 1, position: number): Buffer | Promise<Buffer> {
    return fillWindow(body, cutWindow(windows.pair[index], Math.min(size, body.size - position)), position)
  }

  /** True once the kernel has taken the window that was written last. */
  let hasLeft = true
  let wake = (): void => {}
  // Not a promise to race with: each race would leave something behind at it for as long as the request lasts.
  watch.onOver(() => wake())
  // Made once: what each window leaves behind is what the heap grows by.
  const rest = (resolve: () => void): void => void (wake = resolve)
  const leave = (error?: Error | null): void => {
    hasLeft = !error
    wake()
  }

  let filling: Buffer | Promise<Buffer> | undefined
  try {
    // Header and body corked into one write are copied once more.
    outgoing.flushHeaders()
    let index: 0 | 1 = 0
    for (let position = 0; position < body.size;) {
      watch.hold()
      filling ??= fill(index, position)
      const window = filling instanceof Promise ? await filling : filling
      if (pace && !watch.isOver()) await Promise.race([pace(window.length, signal), new Promise<void>(rest)])
      watch.release()
      if (watch.isOver()) break
      onWindow?.(window, position)
      hasLeft = false
      outgoing.write(window, leave)
      index = index === 0 ? 1 : 0
      const next = position + window.length
      filling = next < body.size ? fill(index, next) : undefined
      // Awaited at the head of the loop; an end of the request in between must not leave it unhandled.
      if (filling instanceof Promise) filling.catch(() => {})
      // Until the window has left, or nothing more needs to be sent.
      if (!watch.isOver()) await new Promise<void>(rest)
      // The answer to the whole body can be heard before the last write is told to have ended, over TLS above all.
      if (!hasLeft && next === body.size) await linger(run => (wake = run))
      if (watch.isOver() && (!hasLeft || next < body.size)) break
      position = next
      onSent?.(position)
      if (position === body.size) outgoing.end()
      size = pace === undefined ? windowSize(rate(position)) : pacedWindowSize(rate(position))
    }
    return rate(body.size)
  } finally {
    // A read that is still under way would write into a window that somebody else has by then.
    if (filling instanceof Promise) await filling.catch(() => {})
    // Likewise a write: after an early answer the rest of a window still waits in the socket, and would leave as other bytes.
    if (hasLeft) giveWindows(windows)
  }
}
