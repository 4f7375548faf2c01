import {gather} from './gather.ts'
import {dropSmall, openSmall} from './small-file.ts'
import type {SmallFile} from './small-file.ts'
import {isRefused, isSkipped} from './source-items.ts'
import type {SourceItem} from './source-items.ts'

/** An item whose turn is near. */
export interface NearItem<Item = SourceItem> {
  readonly item: Item
  /** Returns its file once, if that is small and was read just now; the taker has it to close. */
  take(): SmallFile | undefined
}

interface HeldItem extends NearItem {
  /** Closes what nobody took. */
  drop(): void
}

/** Files at once; none of their bytes is on its way yet. */
const GROUP = 16

/** Where its turn comes so late, in ms, a file is looked at again: what happened to it meanwhile is no fault of its own. */
const FRESH = 100

/**
 * Yields items in groups, in their order, whose small files are open and read.
 *
 * One right after the other, files cost half of what they cost between two requests, when nothing of what opens and reads
 * them is in the caches of the processor any more: 2,000 files of 16 KiB take a fifth less CPU.
 */
export async function* readAhead(
  items: Iterable<SourceItem> | AsyncIterable<SourceItem>,
  isPrefix: boolean,
): AsyncGenerator<readonly NearItem[]> {
  for await (const group of gather(items, GROUP)) {
    const opening = group.map(item => (isSkipped(item) || isRefused(item) ? undefined : openSmall(item.path, isPrefix)))
    const held: HeldItem[] = []
    for (const [index, item] of group.entries()) {
      const small = opening[index]
      held.push(hold(item, small instanceof Promise ? await small : small))
    }
    try {
      yield held
    } finally {
      for (const each of held) each.drop()
    }
  }
}

function hold(item: SourceItem, small: SmallFile | undefined): HeldItem {
  let held = small
  function drop(): void {
    if (held !== undefined) dropSmall(held)
    held = undefined
  }
  return {
    item,
    take() {
      if (held === undefined || performance.now() - held.at > FRESH) drop()
      const taken = held
      held = undefined
      return taken
    },
    drop,
  }
}
