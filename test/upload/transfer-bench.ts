import {readFile} from 'node:fs/promises'
import {join} from 'node:path'
import {expect} from 'chai'
import {Failure} from '../../src/core/failure.ts'
import type {FailureCode} from '../../src/core/failure.ts'
import {KIB} from '../../src/core/sizes.ts'
import {withLimit} from '../../src/stores/layers/limit.ts'
import {withRetry} from '../../src/stores/layers/retry.ts'
import type {UploadStore} from '../../src/stores/store.ts'
import type {UploadEvent} from '../../src/upload/events.ts'
import {advance, emptyProgress} from '../../src/upload/progress.ts'
import type {Progress} from '../../src/upload/progress.ts'
import {uploadAll} from '../../src/upload/transfer.ts'
import type {UploadItem, UploadSettings, UploadSummary} from '../../src/upload/transfer.ts'
import type {MemoryStore} from '../support/memory-store.ts'
import {makeRandomFile} from '../support/random-file.ts'
import {makeTempFolder} from '../support/temp-folder.ts'

export {KIB} from '../../src/core/sizes.ts'

export const CONCURRENCY = 4

export interface Outcome {
  /** Absent where the whole run failed. */
  readonly summary?: UploadSummary
  readonly failure?: Failure
  readonly events: readonly UploadEvent[]
  readonly progress: Progress
}

export interface Gate {
  /** The most that waited at once. */
  readonly most: number
  /** Waits until so many are there, or nobody else comes. */
  pass(): Promise<void>
}

export function targetOf(key: string): Pick<UploadItem, 'target' | 'options'> {
  return {target: {remote: 'mem', container: 'c', key}, options: {}}
}

export function codesOf(failures: readonly Failure[] | undefined): FailureCode[] {
  return (failures ?? []).map(({code}) => code)
}

/** Runs uploads of random files in parts of 64 KiB, and keeps what they tell. */
export function createBench() {
  async function uploadThrough(
    items: Parameters<typeof uploadAll>[0],
    store: UploadStore,
    settings: Partial<UploadSettings> = {},
  ): Promise<Outcome> {
    const events: UploadEvent[] = []
    let progress = emptyProgress()
    const all: UploadSettings = {
      signal: new AbortController().signal,
      concurrency: CONCURRENCY,
      partSize: 64 * KIB,
      ...settings,
      onEvent(event) {
        events.push(event)
        progress = advance(progress, event)
        expect(progress.sent).to.be.within(progress.kept, progress.size)
        settings.onEvent?.(event)
      },
    }
    try {
      const summary = await uploadAll(items, store, all)
      return {summary, events, progress}
    } catch (error) {
      if (error instanceof Failure) return {failure: error, events, progress}
      throw error
    }
  }

  return {
    uploadThrough,

    /** With the layers on that the command puts around a store; its retries do not wait. */
    upload: (items: Parameters<typeof uploadAll>[0], store: UploadStore, settings: Partial<UploadSettings> = {}) =>
      uploadThrough(items, withRetry(withLimit(store, CONCURRENCY), {retryFor: 10_000, random: () => 0}), settings),

    /** Files of these sizes, called `file-0` and so on. */
    async makeItems(sizes: readonly number[]): Promise<UploadItem[]> {
      const folder = await makeTempFolder()
      const items = sizes.map((_, index) => ({...targetOf(`file-${index}`), path: join(folder, `file-${index}`)}))
      await Promise.all(items.map(({path}, index) => makeRandomFile(path, sizes[index] ?? 0, index)))
      return items
    },

    async expectStored(store: MemoryStore, path: string, key: string): Promise<void> {
      const stored = store.objects.get(`c/${key}`)
      expect(stored?.bytes.equals(await readFile(path)), key).to.equal(true)
    },

    /** Lets as many through together as there can be, and counts them. */
    makeGate(size: number): Gate {
      let waiting: (() => void)[] = []
      let most = 0
      const open = (): void => {
        const all = waiting
        waiting = []
        for (const pass of all) pass()
      }
      return {
        get most() {
          return most
        },
        async pass() {
          await new Promise<void>(resolve => {
            waiting.push(resolve)
            most = Math.max(most, waiting.length)
            // More than there may be are waited for, for a while: a limit that is too wide shows.
            const patience = setTimeout(open, waiting.length >= size ? 20 : 600)
            patience.unref()
          })
        },
      }
    },

    expectConsistent,
  }
}

/** The order of what an object tells; `progress` is absolute and grows until a retry sets it back. */
export function expectConsistent(events: readonly UploadEvent[]): void {
  for (const id of new Set(events.map(each => each.id))) {
    const own = events.filter(each => each.id === id)
    const start = own.find(each => each.event === 'start')
    if (start?.event !== 'start') continue
    expect(own.filter(each => each.event === 'done' || each.event === 'failed')).to.have.length(1)
    const sent = new Map<number, number>()
    for (const event of own) {
      if (event.event === 'retry') sent.delete(event.part)
      if (event.event !== 'progress') continue
      const {part} = event
      const size = part === 0 ? start.size : Math.min(start.partSize, start.size - (part - 1) * start.partSize)
      expect(event.sent).to.be.within(0, size)
      // Back to 0 is a new try; anything else only grows.
      if (event.sent > 0) expect(event.sent).to.be.at.least(sent.get(part) ?? 0)
      sent.set(part, event.sent)
    }
  }
}
