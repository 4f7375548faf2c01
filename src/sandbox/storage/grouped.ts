/**
 * Wraps a task so that callers who arrive while it runs share the next run: each one's call ends after a run that
 * began after it. Many commits share one fsync in this way.
 */
export function grouped(task: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined
  let next: Promise<void> | undefined
  const start = (): Promise<void> => {
    next = undefined
    const mine = task().finally(() => {
      // With a next run waiting this one still stands for it: nobody may start in between.
      if (next === undefined) running = undefined
    })
    running = mine
    return mine
  }
  return async () => {
    if (running === undefined) return start()
    next ??= running.then(start, start)
    return next
  }
}
