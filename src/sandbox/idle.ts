/** Counts what is under way, and calls back when nothing was for that long. */
export class IdleWatch {
  readonly #timeout: number
  readonly #onIdle: () => void
  #busy = 0
  #stopped = false
  #timer: NodeJS.Timeout | undefined
  #waiting: (() => void)[] = []

  constructor(timeout: number | undefined, onIdle: () => void) {
    this.#timeout = timeout ?? 0
    this.#onIdle = onIdle
  }

  /** From now on nothing is asked for too long when the first task does not come. */
  start(): void {
    if (this.#busy === 0) this.#rest()
  }

  async during(task: Promise<void>): Promise<void> {
    clearTimeout(this.#timer)
    this.#busy++
    try {
      await task
    } finally {
      this.#busy--
      if (this.#busy === 0) this.#rest()
    }
  }

  /** Ends when nothing is under way. */
  async settled(): Promise<void> {
    if (this.#busy > 0) await new Promise<void>(resolve => this.#waiting.push(resolve))
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#stopped = true
  }

  #rest(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
    clearTimeout(this.#timer)
    if (this.#timeout > 0 && !this.#stopped) this.#timer = setTimeout(this.#onIdle, this.#timeout)
  }
}
