/** Maps items while up to `ahead` of them are under way, and yields in their order. */
export async function* mapAhead<T, U>(
  items: AsyncIterable<T>,
  ahead: number,
  map: (item: T) => Promise<U>,
): AsyncGenerator<U> {
  const pending: Promise<U>[] = []
  for await (const item of items) {
    const mapped = map(item)
    // Whoever waits for it hears of it; until then it is not unhandled.
    mapped.catch(() => {})
    pending.push(mapped)
    const first = pending.length > ahead ? pending.shift() : undefined
    if (first !== undefined) yield await first
  }
  for (const each of pending) yield await each
}
