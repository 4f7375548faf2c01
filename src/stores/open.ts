import {withLimit} from './layers/limit.ts'
import {withRetry} from './layers/retry.ts'
import type {RetryPolicy} from './layers/retry.ts'
import type {Remote} from './remote.ts'
import type {S3Needs} from './s3/store.ts'
import type {Call, KeyStore, ObjectOptions, Probe, Probing, Store, TempUrl, UploadStore} from './store.ts'
import type {TicketStore} from './ticket/ticket-store.ts'
import type {Ticket} from './ticket/ticket.ts'
import type {TempUrlCheck} from './url/check.ts'
import type {GivenUrl, SignedUrl} from './url/signed-url.ts'
import type {Reached} from '../http/reach.ts'
import type {Answer, Wire} from '../http/send.ts'

export type {Reached} from '../http/reach.ts'
export type {TempUrlCheck} from './url/check.ts'
export type {GivenUrl, SignedUrl} from './url/signed-url.ts'
export type {Assemble, MintedTicket, TicketStore, TicketWish} from './ticket/ticket-store.ts'

export interface OpenOptions extends S3Needs {
  readonly retry: RetryPolicy
  /** Bodies in flight at once. */
  readonly concurrency: number
  /** The same of small objects; `concurrency` unless given. */
  readonly smallConcurrency?: number
  /** Send content through the SDK instead of our own sender; S3 only. */
  readonly isSdk?: boolean
}

export type OpenTicketOptions = Pick<OpenOptions, 'retry' | 'concurrency' | 'wire'>

/** Opens a remote with its layers on: a sleeping retry holds no slot. Fails `config`. */
export async function openStore(remote: Remote, options: OpenOptions): Promise<Store> {
  const driver = await openDriver(remote, options)
  return withRetry(withLimit(driver, options.concurrency, options.smallConcurrency), options.retry)
}

async function openDriver(remote: Remote, options: OpenOptions): Promise<Store> {
  if (remote.provider === 'swift') {
    const {createSwiftStore} = await import('./swift/store.ts')
    return createSwiftStore(remote, options)
  }
  const {createS3Store} = await import('./s3/store.ts')
  return createS3Store(remote, options, options.isSdk)
}

/** True for a store that makes tickets. */
export function hasTickets(store: Store): store is Store & TicketStore {
  return 'mintTicket' in store
}

/** Opens a ticket, which takes no credentials, with its layers on. */
export async function openTicket(ticket: Ticket, options: OpenTicketOptions): Promise<UploadStore> {
  const {openTicketStore} = await import('./ticket/open-ticket-store.ts')
  return withRetry(withLimit(openTicketStore(ticket, options.wire), options.concurrency), options.retry)
}

/**
 * Reads what is signed in a URL, and asks nobody. Fails `usage` or `unsupported` where it cannot be used, or not with these
 * options; `expired`.
 */
export async function readSignedUrl(given: GivenUrl, options: ObjectOptions, now = Date.now()): Promise<SignedUrl> {
  const [{readUrl}, {checkOptions, checkTime}] = await Promise.all([
    import('./url/read-url.ts'),
    import('./url/check-use.ts'),
  ])
  const url = readUrl(given)
  checkTime(url, now)
  checkOptions(url, options)
  return url
}

/** Opens a signed URL, which takes no credentials, with its layers on: whole or not at all. */
export async function openUrl(url: SignedUrl, options: OpenTicketOptions): Promise<UploadStore> {
  const {openUrlStore} = await import('./url/open-url-store.ts')
  return withRetry(withLimit(openUrlStore(url, options.wire), options.concurrency), options.retry)
}

/** True for a store that has Temp-URL keys of its own: Swift. */
export function hasTempUrlKeys(store: Store): store is Store & KeyStore {
  return 'rotateTempUrlKey' in store
}

/** Opens what the doctor asks; undefined for a store that has no such thing. */
export async function openProbe(store: Store): Promise<Probe | undefined> {
  return isProbing(store) ? store.probing.open() : undefined
}

function isProbing(store: Store): store is Store & Probing {
  return 'probing' in store
}

/** Connects to where a store is, and tells what answers there. Fails `network`, `config`. */
export async function reachOrigin(wire: Wire, origin: string, call: Call): Promise<Reached> {
  const {reach} = await import('../http/reach.ts')
  return reach(wire, origin, call.signal)
}

/** One request as it stands, for whoever plays another program. */
export interface PlainRequest {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Buffer
}

/** Sends one request, signed by nobody and followed nowhere, and returns what came back. Fails `network`, `config`. */
export async function sendPlainly(
  wire: Wire,
  {method, url, headers, body}: PlainRequest,
  call: Call,
): Promise<Pick<Answer, 'status' | 'headers'>> {
  const [{send}, {bufferBody}] = await Promise.all([import('../http/send.ts'), import('../core/buffer-body.ts')])
  const {origin} = new URL(url)
  // Raw: `URL` would fold dot segments.
  const path = /^[a-z]+:\/\/[^/?#]*(?<path>[^#]*)/iu.exec(url)?.groups?.['path'] || '/'
  const request = {method, origin, path, headers, ...(body === undefined ? {} : {body: bufferBody(body)})}
  return send(wire, request, {signal: call.signal, onBytes: () => {}})
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
