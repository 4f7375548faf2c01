/** Things in no order, each of them there until it is let go. */
export interface Bag<T> extends Iterable<T> {
  readonly size: number
  /** Returns how to let go of it; to do so twice does nothing. */
  add(item: T): () => void
}

/**
 * For what comes and goes all the time, where a Set grows a tail. V8 makes the table of a Set anew whenever as many were
 * added as it has room for, and lets the old table point to the new one for loops that are under way. Once one of them has
 * grown old, the collector of young objects takes all that follow for alive, and with them whatever stood in them at their
 * end: 5 KB a small file.
 */
export function createBag<T>(): Bag<T> {
  const places: (T | undefined)[] = []
  const free: number[] = []
  return {
    get size() {
      return places.length - free.length
    },
    add(item) {
      const place = free.pop() ?? places.length
      let isIn = true
      places[place] = item
      return () => {
        if (!isIn) return
        isIn = false
        places[place] = undefined
        free.push(place)
      }
    },
    *[Symbol.iterator]() {
      for (const item of places) if (item !== undefined) yield item
    },
  }
}
