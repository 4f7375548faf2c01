import type {Config} from '@oclif/core'
import type {LinkStore} from '../stores/store.ts'
import type {Pace} from '../upload/pace.ts'
import type {UploadItem} from '../upload/transfer.ts'
import {readObjectOptions} from './object-options.ts'
import type {ObjectFlags} from './object-options.ts'
import {findDestination} from './open-destination.ts'
import {DEFAULT_CONCURRENCY} from './open-target.ts'
import {planStream, runStream} from './run-stream.ts'
import type {RunStreamOptions, SchedulePlan} from './run-stream.ts'
import {checkStreamTarget} from './stream-flags.ts'
import type {StreamArguments, StreamFlags} from './stream-flags.ts'
import {checkKey} from './upload-items.ts'

export interface StreamNeeds {
  readonly flags: Parameters<typeof findDestination>[1]['flags'] &
    ObjectFlags &
    StreamFlags &
    RunStreamOptions['flags'] & {
      readonly concurrency?: number | undefined
      readonly 'part-size'?: number | undefined
      readonly 'dry-run': boolean
    }
  readonly config: Config
  readonly pace?: Pace
}

/** A stream whose target is open; nothing has been read of it. */
export interface PreparedStream {
  readonly item: UploadItem
  /** Absent where there are no credentials to sign with. */
  readonly links: LinkStore | undefined
  plan(): Promise<SchedulePlan>
  run(wish: Pick<RunStreamOptions, 'tell' | 'results' | 'link'>): ReturnType<typeof runStream>
}

/** Finds and opens the target of a stream. Fails `usage`, `config`, and as opening does. */
export async function prepareStream(
  {destination, command}: StreamArguments,
  {flags, config, pace}: StreamNeeds,
): Promise<PreparedStream> {
  const {concurrency = DEFAULT_CONCURRENCY, memory, 'part-size': partSize, 'expect-size': expectSize} = flags
  const isForWriting = !flags['dry-run']
  const {target, open} = await findDestination(destination, {flags, config, concurrency, isForWriting})
  checkStreamTarget(target)
  checkKey(target)
  const options = await readObjectOptions(flags, target.key)
  const {store, links} = await open()
  const wish = {...(partSize === undefined ? {} : {partSize}), ...(expectSize === undefined ? {} : {expectSize})}
  return {
    item: {path: '-', target, options},
    links,
    plan: async () => planStream(target, await store.limits({signal: new AbortController().signal}), wish, command),
    run: wanted =>
      runStream(target, options, store, {
        ...wish,
        ...(pace === undefined ? {} : {pace}),
        ...(command === undefined ? {} : {command}),
        flags,
        concurrency,
        memory,
        links,
        ...wanted,
      }),
  }
}
