import {Failure} from '../../src/core/failure.ts'
import type {Body, Call} from '../../src/stores/store.ts'

const WINDOW = 64 * 1024

/** Waits as long as the signal is quiet; fails its reason. */
export async function untilAborted(waiting: Promise<unknown> | void, signal: AbortSignal): Promise<void> {
  if (waiting === undefined) return
  let end = (): void => {}
  const aborted = new Promise<void>(resolve => (end = resolve))
  signal.addEventListener('abort', end, {once: true})
  // After an abort nobody waits for it any more.
  waiting.catch(() => {})
  try {
    if (!signal.aborted) await Promise.race([waiting, aborted])
  } finally {
    signal.removeEventListener('abort', end)
  }
  signal.throwIfAborted()
}

/** Reads a body as a sender does: in windows, at the caller's pace, telling what has left. */
export async function sendBody(body: Body, {signal, pace, onSent}: Call): Promise<Buffer> {
  const bytes = Buffer.alloc(body.size)
  for (let position = 0; position < body.size;) {
    const window = bytes.subarray(position, position + WINDOW)
    const count = await body.read(window, position)
    if (count < window.length) throw new Failure('source-changed', 'The file became shorter while it was read.')
    await untilAborted(pace?.(count, signal), signal)
    signal.throwIfAborted()
    position += count
    onSent?.(position)
  }
  return bytes
}

/** Reads a body to sum it and again to send it; fails `integrity` where the two differ. */
export async function sendChecked(body: Body, call: Call): Promise<Buffer> {
  const first = await sendBody(body, {signal: call.signal})
  const second = await sendBody(body, call)
  if (first.equals(second)) return second
  throw new Failure('integrity', 'The bytes were damaged on the way.', {retryable: true})
}
