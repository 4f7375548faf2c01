import type {FailureCode} from '../core/failure.ts'
import type {StoredObject} from '../stores/store.ts'

/** Raised whenever a consumer of the events would have to change. */
export const EVENT_VERSION = 1

/**
 * What an upload tells while it runs; plain data. `id` numbers the objects of one run from 1. `progress` is absolute:
 * the bytes of that part (0: the whole) that have left so far, back to 0 when it is tried again.
 */
export type UploadEvent =
  | {
      readonly event: 'start'
      readonly id: number
      readonly source: string
      readonly target: string
      /** Below zero: not known before the end (a stream). */
      readonly size: number
      /** 0: the object goes whole. Below zero: not known before the end. */
      readonly parts: number
      /** Of the first part: those of a stream may grow. */
      readonly partSize: number
      /** Bytes that the store holds already, from an earlier run. */
      readonly kept: number
    }
  | {readonly event: 'progress'; readonly id: number; readonly part: number; readonly sent: number}
  | {readonly event: 'stored'; readonly id: number; readonly part: number; readonly size: number}
  | {
      readonly event: 'retry'
      readonly id: number
      readonly part: number
      readonly attempt: number
      readonly wait: number
      readonly code: FailureCode
      readonly message: string
    }
  /** The store cannot keep up, or keeps up again: so many bodies of a kind (parts, small objects) travel at once now. */
  | {readonly event: 'concurrency'; readonly id: number; readonly now: number; readonly most: number}
  /** All bytes are there; the store is asked to put them together. */
  | {readonly event: 'finishing'; readonly id: number}
  | {readonly event: 'done'; readonly id: number; readonly object: StoredObject; readonly elapsed: number}
  /** A file that could not be opened has no `start`, so its names come with it. */
  | {
      readonly event: 'failed'
      readonly id: number
      readonly source?: string
      /** Absent where none could be found. */
      readonly target?: string
      readonly code: FailureCode
      readonly message: string
    }
  /** The store has it already: from the run that this one goes on with, or as `--skip-unchanged` found. */
  | {
      readonly event: 'skipped'
      readonly id: number
      readonly source: string
      readonly target: string
      readonly size: number
      readonly etag: string
      readonly reason: SkipReason
    }
  /** Something the person should know; of the whole run where `id` is 0. */
  | {readonly event: 'note'; readonly id: number; readonly message: string}

export type SkipReason = 'stored-before' | 'unchanged'

export type UploadSink = (event: UploadEvent) => void
