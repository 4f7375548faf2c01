import {orAbort} from '../core/signals.ts'

/** Hands out a stream in pieces of whatever size. */
export interface Feed {
  /** Waits for a byte, or for the end. Fails as the stream does, or `signal.reason`. */
  hasMore(): Promise<boolean>
  /** Takes at most so many of the bytes that are there. */
  take(most: number): Uint8Array
}

export function createFeed(chunks: AsyncIterable<Uint8Array>, signal: AbortSignal): Feed {
  const iterator = chunks[Symbol.asyncIterator]()
  let rest: Uint8Array = new Uint8Array()
  let isOver = false

  /** A stream may keep silent for hours: whoever waits for it must hear the end of the upload. */
  async function next(): Promise<IteratorResult<Uint8Array>> {
    signal.throwIfAborted()
    return orAbort(iterator.next(), signal)
  }

  return {
    async hasMore() {
      while (rest.length === 0 && !isOver) {
        const {done, value} = await next()
        if (done === true) isOver = true
        else rest = value
      }
      return rest.length > 0
    },
    take(most) {
      const taken = rest.subarray(0, most)
      rest = rest.subarray(most)
      return taken
    },
  }
}
