import {Failure} from '../core/failure.ts'

export interface Interrupts {
  /** Aborts with a Failure `interrupted` or `terminated` at the first signal; the second ends the process at once. */
  readonly signal: AbortSignal
  stop(): void
}

export function watchInterrupts(): Interrupts {
  const controller = new AbortController()
  const handlers = new Map<NodeJS.Signals, () => void>()
  for (const [name, code, status] of [
    ['SIGINT', 'interrupted', 130],
    ['SIGTERM', 'terminated', 143],
    ['SIGHUP', 'terminated', 143],
  ] as const) {
    const handler = (): void => {
      if (controller.signal.aborted) process.exit(status)
      controller.abort(new Failure(code, code === 'interrupted' ? 'Interrupted.' : 'Terminated by a signal.'))
    }
    handlers.set(name, handler)
    process.on(name, handler)
  }
  return {
    signal: controller.signal,
    stop() {
      for (const [name, handler] of handlers) process.off(name, handler)
    },
  }
}
