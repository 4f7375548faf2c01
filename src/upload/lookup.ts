/** What is known of keys, asked for one after the other in their order. */
export interface Lookup<T> {
  /** Returns the last that is known of a key. Each key asked for must come after the one before. */
  find(order: string): Promise<T | undefined>
  close(): Promise<void>
}

/** After so many in vain it is quicker to begin anew at the key that is looked for. */
const PASSED = 1000

/**
 * Goes through what is sorted in step with whoever asks. `open` begins where everything sorts before `order`, or earlier;
 * it is called again where much lies between two keys, unless `canSeek` says no.
 */
export function createLookup<T extends {readonly order: string}>(
  open: (order: string) => AsyncIterable<T>,
  canSeek: boolean,
): Lookup<T> {
  let rest: AsyncIterator<T> | undefined
  let head: T | undefined

  async function advance(): Promise<void> {
    const next = await rest?.next()
    head = next === undefined || next.done === true ? undefined : next.value
  }

  async function begin(order: string): Promise<void> {
    await rest?.return?.()
    rest = open(order)[Symbol.asyncIterator]()
    await advance()
  }

  return {
    async find(order) {
      if (rest === undefined) await begin(order)
      let found: T | undefined
      for (let passed = 0; head !== undefined && head.order <= order; passed++) {
        if (head.order === order) found = head
        if (canSeek && passed === PASSED) await begin(order)
        else await advance()
      }
      return found
    },
    async close() {
      await rest?.return?.()
    },
  }
}
