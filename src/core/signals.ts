/**
 * Calls back once when a signal aborts, until it is let go.
 *
 * What is removed from a signal still holds its listener and the one that was added after it. A signal of a long run makes
 * a chain of them, and the collector of young objects takes it all for alive once its first has grown old: 10 KB a part.
 * So a listener that was let go holds nothing.
 */
export function onAbort(signal: AbortSignal, run: () => void): () => void {
  let wanted: (() => void) | undefined = run
  const listener = (): void => wanted?.()
  signal.addEventListener('abort', listener, {once: true})
  return () => {
    wanted = undefined
    signal.removeEventListener('abort', listener)
  }
}
