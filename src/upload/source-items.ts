import type {Failure} from '../core/failure.ts'
import type {Target} from '../stores/store.ts'
import type {SkipReason} from './events.ts'
import type {UploadItem} from './transfer.ts'

/** A source that cannot be sent, and why. */
export interface RefusedItem {
  readonly path: string
  /** Absent where no key could be found for it. */
  readonly target?: Target
  readonly failure: Failure
}

/** A file that need not be sent: the store has it. */
export interface SkippedItem {
  readonly path: string
  readonly target: Target
  readonly skipped: {readonly reason: SkipReason; readonly size: number; readonly etag: string}
}

/** What the sources of a run come to, one after the other. */
export type SourceItem = UploadItem | RefusedItem | SkippedItem

export function isRefused(item: SourceItem): item is RefusedItem {
  return 'failure' in item
}

export function isSkipped(item: SourceItem): item is SkippedItem {
  return 'skipped' in item
}
