import {Failure, isFailure} from '../core/failure.ts'
import {printable} from '../core/printable.ts'
import type {Call, ObjectInfo, ObjectStore, Target} from '../stores/store.ts'
import type {SkipReason} from './events.ts'
import {lookUpListing, orderOf} from './listing.ts'
import {mapAhead} from './map-ahead.ts'
import type {FinishedKey, FinishedLookup} from './run-journal.ts'
import {isRefused, isSkipped} from './source-items.ts'
import type {SourceItem} from './source-items.ts'
import {identifyFile, openFile} from './source.ts'
import type {UploadItem} from './transfer.ts'

export interface LeaveOutSettings {
  /** The container and the beginning of every key. */
  readonly prefix: Target
  /** Absent where nothing can be listed. */
  readonly objects: Pick<ObjectStore, 'list' | 'compare'> | undefined
  /** What an earlier run had stored. */
  readonly finished: FinishedLookup | undefined
  /** What makes an object the same as its file; absent: it is not asked. */
  readonly rule: 'size' | 'checksum' | undefined
  readonly call: Call
  tell(message: string): void
}

/** What is known of a file's key. */
interface Known {
  readonly item: SourceItem
  readonly finished?: FinishedKey | undefined
  readonly listed?: ObjectInfo | undefined
  /** The store does not let us list. */
  readonly isUnlisted?: boolean
}

/** Files compared at once. */
const AHEAD = 16

/**
 * Marks the files that the store has already: items come in the order of their keys, and one listing goes along. An
 * earlier run's word counts where the store has the same object still, or will not say. Fails as the listing does.
 */
export async function* leaveOut(
  items: AsyncIterable<SourceItem>,
  settings: LeaveOutSettings,
): AsyncGenerator<SourceItem> {
  yield* mapAhead(lookUp(items, settings), AHEAD, known => decide(known, settings))
}

async function* lookUp(
  items: AsyncIterable<SourceItem>,
  {prefix, objects, finished: earlier, rule, call, tell}: LeaveOutSettings,
): AsyncGenerator<Known> {
  const listing = objects === undefined ? undefined : lookUpListing(objects, prefix, call)
  let isUnlisted = listing === undefined
  try {
    for await (const item of items) {
      if (isRefused(item) || isSkipped(item)) {
        yield {item}
        continue
      }
      const order = orderOf(item.target.key)
      const finished = (await earlier?.find(order))?.finished
      let listed: ObjectInfo | undefined
      if (!isUnlisted && (rule !== undefined || finished !== undefined)) {
        try {
          listed = (await listing?.find(order))?.info
        } catch (error) {
          if (rule !== undefined || !isFailure(error, 'forbidden', 'unsupported')) throw explain(error, rule)
          isUnlisted = true
          tell('The store does not let us list, so what the last run wrote down is believed.')
        }
      }
      yield {item, finished, listed, isUnlisted}
    }
  } finally {
    await listing?.close()
    await earlier?.close()
  }
}

async function decide(known: Known, settings: LeaveOutSettings): Promise<SourceItem> {
  const {item, finished, listed, isUnlisted = false} = known
  if (isRefused(item) || isSkipped(item)) return item
  if (finished === undefined && listed === undefined) return item
  try {
    const {path, target} = item
    const {size, mtimeNs} = await identifyFile(path)
    const skip = (reason: SkipReason, etag: string): SourceItem => ({path, target, skipped: {reason, size, etag}})
    if (finished !== undefined && finished.size === size && finished.mtimeNs === mtimeNs) {
      const isThere = isUnlisted || (listed?.size === size && listed.etag === finished.etag)
      if (isThere) return skip('stored-before', finished.etag)
    }
    if (listed === undefined || listed.size !== size || settings.rule === undefined) return item
    const isSame = settings.rule === 'size' || (await hasSameSum(item, listed, settings))
    return isSame ? skip('unchanged', listed.etag) : item
  } catch (error) {
    settings.call.signal.throwIfAborted()
    // A file that cannot be read, or went away, says so itself when its turn comes.
    if (isFailure(error)) return item
    throw error
  }
}

async function hasSameSum(item: UploadItem, listed: ObjectInfo, {objects, call}: LeaveOutSettings): Promise<boolean> {
  const source = await openFile(item.path)
  try {
    const body = source.body({offset: 0, size: source.size})
    const isSame = await compareSum(item.target, body, listed, objects, call)
    await source.check()
    return isSame
  } finally {
    await source.close()
  }
}

/** An ETag that is an MD5 tells at once; for any other the store is asked what else it knows. */
async function compareSum(
  target: Target,
  body: Parameters<ObjectStore['compare']>[1],
  listed: ObjectInfo,
  objects: LeaveOutSettings['objects'],
  call: Call,
): Promise<boolean> {
  if (/^[\da-f]{32}$/iu.test(listed.etag) && listed.isEtagOpaque !== true) {
    const {sumBody} = await import('./verify.ts')
    if ((await sumBody(body, call.signal, true)).md5 === listed.etag.toLowerCase()) return true
  }
  try {
    return (await objects?.compare(target, body, {}, call))?.by !== undefined
  } catch (error) {
    if (isFailure(error, 'integrity', 'not-found', 'forbidden', 'unsupported')) return false
    throw error
  }
}

function explain(error: unknown, rule: LeaveOutSettings['rule']): unknown {
  if (rule === undefined || !isFailure(error, 'forbidden', 'unsupported')) return error
  const {code, message, context, cause} = error
  return new Failure(code, printable(message), {
    context,
    cause,
    suggestion: `--skip-unchanged has to list the container; without it everything is sent.`,
  })
}
