import type {Failure} from '../core/failure.ts'
import type {PartPlan, PartReceipt, StoredObject} from '../stores/store.ts'
import type {SessionNeeds} from './session-keeper.ts'
import type {SmallFile} from './small-file.ts'
import type {UploadSettings} from './transfer.ts'

/** What there is to do for one object whose source is open: it goes whole, or in parts. */
export interface Work {
  readonly plan: PartPlan
  /** Bytes that the store holds from an earlier run. */
  readonly keptSize: number
  /** For the workers; each fails by itself. */
  pieces(): Iterable<() => Promise<void>>
  /** Makes the object of what was sent, once all pieces are done. */
  complete(): StoredObject | undefined | Promise<StoredObject>
  /** Ends what is on its way. */
  stop(why: Failure): void
  /** Cleans up, after a failure or none; returns how many parts the next run need not send. Never fails. */
  end(why: Failure | undefined): number | Promise<number>
  /** In the order of the parts. */
  receipts(): readonly PartReceipt[]
}

export interface WorkNeeds extends SessionNeeds {
  /** Of the object, in its events. */
  readonly id: number
  readonly settings: UploadSettings
  /** The source, read already. */
  readonly near: SmallFile | undefined
}
