const waiting: (() => void)[] = []

/** Puts something off until this turn of the event loop has heard of all that had happened by then. Must not throw. */
export function atEndOfTurn(run: () => void): void {
  if (waiting.push(run) === 1) setImmediate(runAll)
}

function runAll(): void {
  for (const run of waiting.splice(0)) run()
}
