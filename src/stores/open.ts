import {withLimit} from './layers/limit.ts'
import {withRetry} from './layers/retry.ts'
import type {RetryPolicy} from './layers/retry.ts'
import type {Remote} from './remote.ts'
import type {S3Needs} from './s3/store.ts'
import type {Store} from './store.ts'

export interface OpenOptions extends S3Needs {
  readonly retry: RetryPolicy
  /** Bodies in flight at once. */
  readonly concurrency: number
  /** Send content through the SDK instead of our own sender. */
  readonly isSdk?: boolean
}

/** Opens a remote with its layers on: a sleeping retry holds no slot. Fails `config`. */
export async function openStore(remote: Remote, options: OpenOptions): Promise<Store> {
  const {createS3Store} = await import('./s3/store.ts')
  const driver = await createS3Store(remote, options, options.isSdk)
  return withRetry(withLimit(driver, options.concurrency), options.retry)
}
