/**
 * Gathers items that come one right after the other, `most` of them at once. It never waits for more while it holds some:
 * what has not come by the end of a turn of the event loop is of the next group. Fails as the items do, behind the last.
 */
export async function* gather<T>(items: Iterable<T> | AsyncIterable<T>, most: number): AsyncGenerator<readonly T[]> {
  const iterator = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]()
  let coming: Promise<IteratorResult<T>> | undefined
  let isOver = false

  function pull(): Promise<IteratorResult<T>> {
    coming ??= Promise.resolve(iterator.next())
    return coming
  }

  try {
    while (!isOver) {
      const group: T[] = []
      try {
        let next: IteratorResult<T> | undefined = await pull()
        const turn = watchTurn()
        while (next !== undefined) {
          coming = undefined
          isOver = next.done === true
          if (next.done === true || group.push(next.value) === most) break
          next = await turn.orEnd(pull())
        }
      } catch (error) {
        isOver = true
        if (group.length > 0) yield group
        throw error
      }
      if (group.length > 0) yield group
    }
  } finally {
    const closing = isOver ? undefined : iterator.return?.()
    if (coming === undefined) await closing
    // One that is still asked for the next item may take for ever to hear of it.
    else void Promise.resolve(closing).catch(() => {})
  }
}

interface Turn {
  /** Waits for the work, or for the end of this turn; undefined then. */
  orEnd<T>(work: Promise<T>): Promise<T | undefined>
}

/** Cheaper than `Promise.race`, which makes five promises. */
function watchTurn(): Turn {
  let end = (): void => {}
  setImmediate(() => end())
  return {
    orEnd: work =>
      new Promise((resolve, reject) => {
        end = () => resolve(undefined)
        work.then(resolve, reject)
      }),
  }
}
