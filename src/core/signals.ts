const waiting = new WeakMap<AbortSignal, Set<() => void>>()

/**
 * Calls back once when a signal aborts, until it is let go.
 *
 * All who wait for one signal share a listener: a signal looks through all it has for each that comes or goes. And what is
 * removed from a signal still holds its listener and the one that was added after it. A signal of a long run makes a chain
 * of them, and the collector of young objects takes it all for alive once its first has grown old: 10 KB a part. So a
 * listener whose callbacks were let go holds nothing.
 */
export function onAbort(signal: AbortSignal, run: () => void): () => void {
  const all = waiting.get(signal) ?? listen(signal)
  let wanted: (() => void) | undefined = run
  const own = (): void => wanted?.()
  all.add(own)
  return () => {
    wanted = undefined
    // What nobody waits for may be collected.
    if (all.delete(own) && all.size === 0) forget(signal)
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

function listen(signal: AbortSignal): Set<() => void> {
  const all = new Set<() => void>()
  waiting.set(signal, all)
  signal.addEventListener('abort', onEvent, {once: true})
  return all
}

function onEvent(this: AbortSignal): void {
  const all = waiting.get(this) ?? []
  waiting.delete(this)
  for (const run of all) run()
}

function forget(signal: AbortSignal): void {
  waiting.delete(signal)
  signal.removeEventListener('abort', onEvent)
}
