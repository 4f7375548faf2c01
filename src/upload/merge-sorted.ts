/** Merges streams that are sorted by their order, compared as `<` does; what is equal comes in the order of the streams. */
export function mergeSorted<T extends {readonly order: string}>(
  streams: readonly AsyncIterable<T>[],
): AsyncIterable<T> {
  const [only, ...others] = streams
  return only !== undefined && others.length === 0 ? only : mergeHeads(streams)
}

async function* mergeHeads<T extends {readonly order: string}>(
  streams: readonly AsyncIterable<T>[],
): AsyncGenerator<T> {
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
