import {createKeep} from '../../src/cli/keep.ts'
import {Failure} from '../../src/core/failure.ts'
import {MIB} from '../../src/core/sizes.ts'
import {createAgents} from '../../src/http/agents.ts'
import type {Waits} from '../../src/http/waits.ts'
import {memoryFindings} from '../../src/stores/findings.ts'
import {openStore} from '../../src/stores/open.ts'
import type {Remote} from '../../src/stores/remote.ts'
import type {ObjectOptions, Store, StoredObject} from '../../src/stores/store.ts'
import type {UploadEvent} from '../../src/upload/events.ts'
import {uploadAll} from '../../src/upload/transfer.ts'
import type {UploadSettings} from '../../src/upload/transfer.ts'
import {BUCKET} from './world.ts'

export const PART = 5 * MIB

export interface EngineOptions extends Partial<Pick<UploadSettings, 'signal' | 'onEvent' | 'onChange' | 'partSize'>> {
  readonly remote: Remote
  readonly file: string
  readonly key: string
  readonly objectOptions?: ObjectOptions
  /** Absent: nothing is kept. */
  readonly stateFolder?: string
  readonly resume?: 'auto' | 'store'
  /** False: as where CI is set and the state folder will not survive. */
  readonly keepParts?: boolean
  readonly concurrency?: number
  readonly retryFor?: number
  readonly waits?: Partial<Waits>
  /** A certificate to trust, PEM. */
  readonly ca?: string
}

export interface EngineEnd {
  readonly failure?: Failure
  readonly stored?: StoredObject
  readonly events: readonly UploadEvent[]
  readonly notes: string
  /** Bytes that the store held already. */
  readonly kept: number
}

/** Waits that end within a test. */
export const SHORT_WAITS: Waits = {connect: 1000, stall: 1000, answer: 1000, complete: 1000}

/** Opens a store with its layers on, as the command does. */
export async function openEngine(options: EngineOptions): Promise<{store: Store; close(): void}> {
  const {remote, concurrency = 4} = options
  const agents = createAgents(options.ca === undefined ? {} : {extraCa: [options.ca]})
  const store = await openStore(remote, {
    wire: {agents, waits: {...SHORT_WAITS, ...options.waits}},
    surroundings: {env: {}, home: '/nonexistent'},
    findings: memoryFindings(),
    concurrency,
    retry: {retryFor: options.retryFor ?? 5000},
  })
  return {store, close: () => agents.close()}
}

/** Uploads one file in this process, through the whole engine and everything below it. */
export async function uploadByEngine(options: EngineOptions): Promise<EngineEnd> {
  const {
    remote,
    file,
    key,
    objectOptions = {},
    stateFolder,
    resume = 'auto',
    concurrency = 4,
    keepParts = true,
  } = options
  const {store, close} = await openEngine(options)
  const keep = stateFolder === undefined ? undefined : createKeep({resume, 'state-dir': stateFolder}, store)
  const events: UploadEvent[] = []
  const item = {path: file, target: {remote: remote.name, container: BUCKET, key}, options: objectOptions}
  try {
    const {failures} = await uploadAll([item], store, {
      signal: options.signal ?? new AbortController().signal,
      concurrency,
      partSize: options.partSize ?? PART,
      ...(options.onChange === undefined ? {} : {onChange: options.onChange}),
      ...(keep === undefined ? {} : {keep: {...keep, keepParts}}),
      onEvent(event) {
        events.push(event)
        options.onEvent?.(event)
      },
    })
    return readEnd(events, failures[0])
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    return readEnd(events, error)
  } finally {
    close()
  }
}

function readEnd(events: readonly UploadEvent[], failure: Failure | undefined): EngineEnd {
  const done = events.find(each => each.event === 'done')
  const start = events.findLast(each => each.event === 'start')
  return {
    events,
    notes: events.flatMap(each => (each.event === 'note' ? [each.message] : [])).join('\n'),
    kept: start?.kept ?? 0,
    ...(failure === undefined ? {} : {failure}),
    ...(done === undefined ? {} : {stored: done.object}),
  }
}
