import type {Config} from '@oclif/core'
import type {Target} from '../core/target.ts'
import type {Wire} from '../http/send.ts'
import {openStore} from '../stores/open.ts'
import type {Remote} from '../stores/remote.ts'
import type {Store} from '../stores/store.ts'
import {fileFindings} from './findings-file.ts'
import type {ConnectionFlags} from './flags.ts'
import {findSurroundings, stateFolder} from './folders.ts'
import {findRemote} from './remotes.ts'
import {createWire} from './wire.ts'

export const DEFAULT_CONCURRENCY = 8
/** Of small objects; what a person asks for counts for them too. */
export const SMALL_CONCURRENCY = 128

export const RETRY_FOR = 5 * 60_000
/** A name that nobody has ever answered to is wrong more often than the network is down. */
export const FIRST_CONTACT = 15_000

export interface OpenTargetOptions {
  readonly flags: ConnectionFlags & {readonly 'state-dir'?: string | undefined}
  readonly config: Config
  readonly concurrency?: number
  readonly isSdk?: boolean
  /** The container of a sandbox is made where it is missing. */
  readonly isForWriting?: boolean
  /** Made from the flags unless given. */
  readonly wire?: Wire
}

/** Opens the store that a target lives in. Fails `config`. */
export async function openTarget(
  target: Target,
  {flags, config, concurrency, isSdk = false, isForWriting = false, wire}: OpenTargetOptions,
): Promise<Store> {
  const store = await openRemote(await findRemote(target.remote, flags, config), {
    flags,
    ...(concurrency === undefined ? {} : {concurrency}),
    isSdk,
    ...(wire === undefined ? {} : {wire}),
  })
  // The sandbox is for trying things out: a container there needs no step of its own.
  if (isForWriting && target.remote === 'sandbox') {
    await store.createContainer({...target, key: ''}, {}, {signal: new AbortController().signal})
  }
  return store
}

/** Opens the store of a connection. Fails `config`. */
export async function openRemote(
  remote: Remote,
  {flags, concurrency, isSdk = false, wire}: Omit<OpenTargetOptions, 'config' | 'isForWriting'>,
): Promise<Store> {
  const surroundings = findSurroundings()
  const wished = flags['retry-for']
  return openStore(remote, {
    surroundings,
    wire: wire ?? createWire(flags),
    findings: fileFindings(stateFolder(surroundings, flags['state-dir'])),
    concurrency: concurrency ?? DEFAULT_CONCURRENCY,
    smallConcurrency: concurrency ?? SMALL_CONCURRENCY,
    isSdk,
    retry: {retryFor: wished ?? RETRY_FOR, ...(wished === undefined ? {firstContact: FIRST_CONTACT} : {})},
  })
}
