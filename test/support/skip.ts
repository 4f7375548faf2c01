declare module 'mocha' {
  interface Runnable {
    skipReason?: string
  }
  interface Suite {
    skipReason?: string
  }
}

/** With CI=1, this very value, what is missing is a failure; anywhere else it is skipped and told. */
export function isStrict(): boolean {
  return process.env['CI'] === '1'
}

/**
 * Skips the running test, or the suite whose `before` it is called from, unless `condition` holds. The runner prints
 * the reason: it says what is missing and how to get it. With CI=1 it throws instead.
 */
export function skipUnless(context: Mocha.Context, condition: boolean, reason: string): void {
  if (condition) return
  if (isStrict()) throw new Error(`${reason}. With CI=1 nothing may be skipped.`)
  const runnable = context.runnable()
  // in a `before`, `currentTest` is only the first of the tests that will not run
  const isForAll = runnable.title.startsWith('"before all"')
  const owner = isForAll ? runnable.parent : (context.currentTest ?? runnable)
  if (owner) owner.skipReason = reason
  context.skip()
}
