/**
 * What a place to upload to must do, and what it may count on.
 *
 * - A driver translates: every error leaves it as a `Failure`, with `retryable` set. It tries once; `layers/retry` tries
 *   again. Credentials are the one exception: they are renewed inside the driver, once per failure.
 * - Every method may be called again after it failed. `abort` of what is forgotten is success; `complete` and a
 *   conditional `putWhole` settle an unclear answer by asking what stands at the key.
 * - Sizes and offsets are bytes, times milliseconds, part numbers start at 1.
 */
import type {ContainerStore} from './container-store.ts'
import type {LinkStore} from './link-store.ts'
import type {ObjectStore} from './object-store.ts'
import type {UploadStore} from './upload-store.ts'

export type {Body} from '../core/body.ts'
export type {Target} from '../core/target.ts'
export type * from './container-store.ts'
export type * from './link-store.ts'
export type * from './object-store.ts'
export type * from './probe.ts'
export type * from './upload-store.ts'

export interface Store extends UploadStore, ObjectStore, ContainerStore, LinkStore {}
