import {withLimit} from './layers/limit.ts'
import {withRetry} from './layers/retry.ts'
import type {RetryPolicy} from './layers/retry.ts'
import type {Remote} from './remote.ts'
import type {S3Needs} from './s3/store.ts'
import type {Call, KeyStore, Store, TempUrl} from './store.ts'
import type {TempUrlCheck} from './url/check.ts'
import type {Wire} from '../http/send.ts'

export type {TempUrlCheck} from './url/check.ts'

export interface OpenOptions extends S3Needs {
  readonly retry: RetryPolicy
  /** Bodies in flight at once. */
  readonly concurrency: number
  /** Send content through the SDK instead of our own sender; S3 only. */
  readonly isSdk?: boolean
}

/** Opens a remote with its layers on: a sleeping retry holds no slot. Fails `config`. */
export async function openStore(remote: Remote, options: OpenOptions): Promise<Store> {
  const driver = await openDriver(remote, options)
  return withRetry(withLimit(driver, options.concurrency), options.retry)
}

async function openDriver(remote: Remote, options: OpenOptions): Promise<Store> {
  if (remote.provider === 'swift') {
    const {createSwiftStore} = await import('./swift/store.ts')
    return createSwiftStore(remote, options)
  }
  const {createS3Store} = await import('./s3/store.ts')
  return createS3Store(remote, options, options.isSdk)
}

/** True for a store that has Temp-URL keys of its own: Swift. */
export function hasTempUrlKeys(store: Store): store is Store & KeyStore {
  return 'rotateTempUrlKey' in store
}

/** Uses a temp URL so that nothing changes, and tells what it showed. Fails where the URL is of no use. */
export async function checkUrl(
  wire: Wire,
  temp: Pick<TempUrl, 'url' | 'method' | 'headers'>,
  call: Call,
): Promise<TempUrlCheck> {
  const {checkTempUrl} = await import('./url/check.ts')
  return checkTempUrl(wire, temp, call)
}
