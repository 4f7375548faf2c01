import {createBag} from './bag.ts'
import type {Bag} from './bag.ts'

const waiting = new WeakMap<AbortSignal, Bag<() => void>>()

/**
 * Calls back once when a signal aborts, until it is let go.
 *
 * All who wait for one signal share a listener: a signal looks through all it has for each that comes or goes. And what is
 * removed from a signal still holds its listener and the one that was added after it. A signal of a long run makes a chain
 * of them, and the collector of young objects takes it all for alive once its first has grown old: 10 KB a part.
 */
export function onAbort(signal: AbortSignal, run: () => void): () => void {
  const all = waiting.get(signal) ?? listen(signal)
  const letGo = all.add(run)
  return () => {
    letGo()
    // What nobody waits for may be collected.
    if (all.size === 0) forget(signal, all)
  }
}

/** Waits for work as long as a signal lets it; the work goes on. Fails what the work fails, or `signal.reason`. */
export async function orAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted()
  let letGo = (): void => {}
  const aborted = new Promise<never>((_, reject) => {
    // The reason is the caller's own, whatever it is.
    // oxlint-disable-next-line prefer-promise-reject-errors
    letGo = onAbort(signal, () => reject(signal.reason))
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    letGo()
  }
}

/** A signal that follows another one after so many ms, with its reason. */
export function followLater(signal: AbortSignal, ms: number): AbortSignal {
  const later = new AbortController()
  const follow = (): void => void setTimeout(() => later.abort(signal.reason), ms).unref()
  if (signal.aborted) follow()
  else onAbort(signal, follow)
  return later.signal
}

function listen(signal: AbortSignal): Bag<() => void> {
  const all = createBag<() => void>()
  waiting.set(signal, all)
  signal.addEventListener('abort', onEvent, {once: true})
  return all
}

function onEvent(this: AbortSignal): void {
  const all = waiting.get(this) ?? []
  waiting.delete(this)
  for (const run of all) run()
}

function forget(signal: AbortSignal, all: Bag<() => void>): void {
  // Others may wait by now, where one lets go twice.
  if (waiting.get(signal) !== all) return
  waiting.delete(signal)
  signal.removeEventListener('abort', onEvent)
}
