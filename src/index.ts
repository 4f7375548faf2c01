/** What another program may import: `import {upload, openStore, mintTicket} from 'skylift'`. */
import {findSurroundings} from './cli/folders.ts'
import {Failure} from './core/failure.ts'
import {parseTarget} from './core/target.ts'
import type {Target} from './core/target.ts'
import {createAgents} from './http/agents.ts'
import type {AgentOptions} from './http/agents.ts'
import {DEFAULT_WAITS} from './http/waits.ts'
import {
  checkObject,
  checkOptions,
  checkRemote,
  checkTarget,
  checkText,
  checkTicketWish,
  interruption,
} from './core/check-arguments.ts'
import {memoryFindings} from './stores/findings.ts'
import {withChecks} from './stores/layers/checks.ts'
import {hasTickets, openStore as openRemote} from './stores/open.ts'
import type {Remote, S3Keys, SwiftAuth} from './stores/remote.ts'
import type {ObjectOptions, Store, StoredObject} from './stores/store.ts'
import type {MintedTicket, TicketWish} from './stores/ticket/ticket-store.ts'
import type {UploadSink} from './upload/events.ts'
import {openJournals} from './upload/journal.ts'
import {planParts} from './upload/plan.ts'
import {uploadAll} from './upload/transfer.ts'

export {Failure, isFailure} from './core/failure.ts'
export {hasTickets} from './stores/open.ts'
export type {FailureCode, FailureContext} from './core/failure.ts'
export {formatTarget, parseTarget} from './core/target.ts'
export type {Target} from './core/target.ts'
export type {Remote, S3Keys, S3Remote, SwiftAuth, SwiftRemote} from './stores/remote.ts'
export type * from './stores/store.ts'
export {formatTicket, parseTicket} from './stores/ticket/ticket.ts'
export type {Ticket, TicketSize} from './stores/ticket/ticket.ts'
export type {MintedTicket, TicketStore, TicketWish} from './stores/ticket/ticket-store.ts'
export type {UploadEvent, UploadSink} from './upload/events.ts'
export {advance, emptyProgress} from './upload/progress.ts'
export type {Progress} from './upload/progress.ts'

/** Where a store is and who asks. What is not given is read from the environment, as the command does. */
export interface StoreOptions {
  /** S3: AWS unless given. */
  readonly endpointUrl?: string
  readonly region?: string
  /** S3: a profile of the AWS configuration. */
  readonly profile?: string
  /** S3: keys, or a function that fetches them and is asked again when they end. */
  readonly keys?: S3Keys | (() => S3Keys | Promise<S3Keys>)
  /** Swift: how to sign in. */
  readonly auth?: SwiftAuth
  /** Swift: a cloud of clouds.yaml. */
  readonly cloud?: string
  /** Requests with content in flight at once; 8 unless given. */
  readonly concurrency?: number
  /** Milliseconds without progress after which a failure of the network is final; five minutes unless given. */
  readonly retryFor?: number
  /** Certificates that are trusted beside the built-in roots. */
  readonly tls?: AgentOptions
}

export interface UploadOptions extends StoreOptions {
  readonly signal?: AbortSignal
  readonly onEvent?: UploadSink
  /** Bytes; 16 MiB unless given, more where the store needs it. */
  readonly partSize?: number
  readonly object?: ObjectOptions
  /** A folder for journals: an upload that was killed goes on when it is asked for again. Nothing is kept without one. */
  readonly stateFolder?: string
}

const DEFAULTS = {concurrency: 8, retryFor: 5 * 60_000}

/**
 * Opens the store that a remote's name stands for, `s3` or `swift`, or one described by a `Remote`. Fails `config`,
 * `usage`.
 */
export async function openStore(remote: 's3' | 'swift' | Remote, options: StoreOptions = {}): Promise<Store> {
  return withChecks(await open(remote, options))
}

async function open(remote: 's3' | 'swift' | Remote, options: StoreOptions): Promise<Store> {
  checkRemote(remote)
  checkOptions(options)
  const {concurrency = DEFAULTS.concurrency, retryFor = DEFAULTS.retryFor} = options
  return openRemote(typeof remote === 'string' ? makeRemote(remote, options) : remote, {
    surroundings: findSurroundings(),
    wire: {agents: createAgents(options.tls), waits: DEFAULT_WAITS},
    findings: memoryFindings(),
    concurrency,
    retry: {retryFor},
  })
}

/**
 * Uploads one file to `s3://container/key` or `swift://container/key`, big ones in parallel parts; resolves when the
 * store holds exactly its bytes. Fails with a `Failure`.
 */
export async function upload(path: string, to: string | Target, options: UploadOptions = {}): Promise<StoredObject> {
  checkText(path, 'The path')
  const target = readTarget(to)
  const store = await open(nameOf(target), options)
  const {signal = new AbortController().signal, onEvent = () => {}, partSize, object = {}, stateFolder} = options
  let stored: StoredObject | undefined
  const {failures} = await uploadAll([{path, target, options: object}], store, {
    signal: named(signal),
    onEvent(event) {
      if (event.event === 'done') stored = event.object
      onEvent(event)
    },
    concurrency: options.concurrency ?? DEFAULTS.concurrency,
    ...(partSize === undefined ? {} : {partSize}),
    ...(stateFolder === undefined
      ? {}
      : {keep: {resume: 'auto', journals: openJournals(stateFolder), keepParts: true}}),
  })
  if (stored !== undefined) return stored
  throw failures[0] ?? new Failure('unexpected', 'The upload ended without an object.')
}

/** Makes a ticket: with it somebody without credentials uploads this one object. Fails `usage`, `unsupported`. */
export async function mintTicket(
  to: string | Target,
  wish: Omit<TicketWish, 'plan'> & {readonly partSize?: number},
  options: StoreOptions & {readonly signal?: AbortSignal} = {},
): Promise<MintedTicket> {
  const target = readTarget(to)
  checkTicketWish(wish)
  const store = withChecks(await open(nameOf(target), options))
  if (!hasTickets(store)) throw new Failure('unsupported', 'This store makes no tickets.')
  const call = {signal: options.signal ?? new AbortController().signal}
  const {partSize, ...rest} = wish
  const largest = 'exact' in wish.size ? wish.size.exact : wish.size.max
  const plan = planParts(largest, await store.limits(call), partSize === undefined ? {} : {partSize})
  return store.mintTicket(target, {...rest, plan}, call)
}

/** A signal whose reason is always ours. */
function named(signal: AbortSignal): AbortSignal {
  const own = new AbortController()
  const end = (): void => own.abort(interruption(signal))
  if (signal.aborted) end()
  else signal.addEventListener('abort', end, {once: true})
  return own.signal
}

function readTarget(to: string | Target): Target {
  const target = typeof to === 'string' ? parseTarget(to) : to
  checkTarget(target)
  checkObject(target)
  return target
}

function nameOf({remote}: Target): 's3' | 'swift' {
  if (remote === 's3' || remote === 'swift') return remote
  throw new Failure('config', `The library knows s3:// and swift://, and not ${remote}://.`, {
    suggestion: 'Open another store by openStore({provider, name, …}).',
  })
}

function makeRemote(name: 's3' | 'swift', options: StoreOptions): Remote {
  const {endpointUrl, region, profile, keys, auth, cloud} = options
  const wishes = name === 's3' ? {endpointUrl, region, profile, keys} : {auth, cloud, region}
  const given = Object.fromEntries(Object.entries(wishes).filter(([, value]) => value !== undefined))
  return {provider: name, name, ...given}
}
