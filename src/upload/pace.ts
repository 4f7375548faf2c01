import {onAbort} from '../core/signals.ts'
import type {Call} from '../stores/store.ts'

export type Pace = NonNullable<Call['pace']>

interface Waiter {
  left: number
  readonly go: () => void
}

/** What an idle limit saves up: so much time's worth, no more. */
const SAVED = 100
/** What is shared out at a time; small beside what a request wants, so that all of them move together. */
const SHARES_PER_SECOND = 250
const SMALLEST_SHARE = 1024
const LARGEST_SHARE = 64 * 1024

/**
 * Makes a bandwidth limit over everything that asks it, in bytes a second. Whoever waits gets an equal share in turn, so a
 * small file does not wait behind a big one; nothing is lost while somebody waits, so the rate is exact.
 */
export function createPace(bytesPerSecond: number): Pace {
  const share = Math.min(LARGEST_SHARE, Math.max(SMALLEST_SHARE, Math.floor(bytesPerSecond / SHARES_PER_SECOND)))
  const most = Math.max(share, (bytesPerSecond * SAVED) / 1000)
  const waiting = new Set<Waiter>()
  let saved = 0
  let at = performance.now()
  let timer: NodeJS.Timeout | undefined

  function save(): void {
    const now = performance.now()
    const gained = ((now - at) * bytesPerSecond) / 1000
    at = now
    // A loop that was late while somebody waited has all of that to send; a machine that slept for an hour has not.
    const limit = waiting.size > 0 ? most + bytesPerSecond : most
    saved = Math.max(saved, Math.min(saved + gained, limit))
  }

  function shareOut(): void {
    timer = undefined
    save()
    for (;;) {
      const [next] = waiting
      if (next === undefined) return
      const wanted = Math.min(next.left, share)
      if (wanted > saved) {
        timer = setTimeout(shareOut, Math.max(1, ((wanted - saved) * 1000) / bytesPerSecond))
        return
      }
      saved -= wanted
      next.left -= wanted
      // To the end of the queue, or out of it.
      waiting.delete(next)
      if (next.left > 0) waiting.add(next)
      else next.go()
    }
  }

  return async (bytes, signal) => {
    signal.throwIfAborted()
    if (bytes <= 0) return
    await new Promise<void>((resolve, reject) => {
      const waiter: Waiter = {left: bytes, go: () => end(resolve)}
      const end = (settle: () => void): void => {
        waiting.delete(waiter)
        letGo()
        settle()
      }
      const letGo = onAbort(signal, () => end(() => reject(signal.reason as Error)))
      // What was saved up while nobody waited is counted before somebody does.
      save()
      waiting.add(waiter)
      if (timer === undefined) shareOut()
    })
  }
}
