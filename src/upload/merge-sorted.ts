/** Merges streams that are sorted by their order, compared as `<` does; what is equal comes in the order of the streams. */
export async function* mergeSorted<T extends {readonly order: string}>(
  streams: readonly AsyncIterable<T>[],
): AsyncGenerator<T> {
  const [only, ...others] = streams
  if (only === undefined) return
  if (others.length === 0) {
    yield* only
    return
  }
  const heads = await Promise.all(streams.map(stream => openHead(stream[Symbol.asyncIterator]())))
  try {
    for (;;) {
      let least: Head<T> | undefined
      for (const head of heads) {
        if (head.item === undefined) continue
        if (least?.item === undefined || head.item.order < least.item.order) least = head
      }
      if (least?.item === undefined) return
      yield least.item
      await advanceHead(least)
    }
  } finally {
    await Promise.allSettled(heads.map(async ({rest}) => rest.return?.()))
  }
}

interface Head<T> {
  readonly rest: AsyncIterator<T>
  item: T | undefined
}

async function openHead<T>(rest: AsyncIterator<T>): Promise<Head<T>> {
  return advanceHead({rest, item: undefined})
}

async function advanceHead<T>(head: Head<T>): Promise<Head<T>> {
  const next = await head.rest.next()
  head.item = next.done === true ? undefined : next.value
  return head
}
