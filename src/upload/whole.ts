import {isFailure} from '../core/failure.ts'
import type {PartReceipt, StoredObject} from '../stores/store.ts'
import {dropEarlier} from './session-keeper.ts'
import {readSmall} from './small-file.ts'
import type {Work, WorkNeeds} from './work.ts'

const NO_RECEIPTS: readonly PartReceipt[] = []

/** Drops what an earlier run left of an upload that now goes whole. */
export function openWhole(needs: WorkNeeds): Work | Promise<Work> {
  const dropped = dropEarlier(needs)
  return dropped instanceof Promise ? dropped.then(() => createWhole(needs)) : createWhole(needs)
}

function createWhole({id, target, options, source, near, plan, store, call, settings}: WorkNeeds): Work {
  let stored: StoredObject | undefined

  async function send(): Promise<void> {
    // What is read at once is one state of the file; of a larger one the store must not get two.
    const read = near ?? readSmall(source)
    const small = read instanceof Promise ? await read : read
    if (small === undefined) await source.check()
    const body = small?.body ?? source.body({offset: 0, size: source.size})
    let done: StoredObject
    try {
      done = await store.putWhole(target, body, options, call)
    } catch (error) {
      // Bytes that "were damaged on the way" may have been changed under our hands.
      if (isFailure(error, 'integrity')) await source.check()
      throw error
    }
    // What has failed may still be on its way somewhere.
    small?.release()
    const checked = source.check()
    if (checked instanceof Promise) await checked
    stored = done
    settings.onEvent({event: 'stored', id, part: 0, size: source.size})
  }

  return {
    plan,
    keptSize: 0,
    pieces: () => [send],
    complete: () => stored,
    stop() {},
    end: () => 0,
    receipts: () => NO_RECEIPTS,
  }
}
