import {isFailure} from '../core/failure.ts'
import type {Call, PendingUpload, Session, Store, Target} from '../stores/store.ts'

const TOGETHER = 32
const TELL_EVERY = 2000

export interface Emptied {
  readonly objects: number
  readonly pending: number
}

/**
 * Deletes every object of a container and drops every unfinished upload. `tell` hears of it every few seconds. May be
 * called again where it failed.
 */
export async function emptyContainer(
  store: Store,
  container: Target,
  call: Call,
  tell: (emptied: Emptied) => void,
): Promise<Emptied> {
  const all = {...container, key: ''}
  const emptied = {objects: 0, pending: 0}
  let told = performance.now()
  const onDone = (kind: keyof Emptied): void => {
    emptied[kind]++
    if (performance.now() - told < TELL_EVERY) return
    told = performance.now()
    tell(emptied)
  }
  await forEach(store.list(all, call), async ({target}) => {
    await store.deleteObject(target, call)
    onDone('objects')
  })
  await forEach(listUploads(store, all, call), async upload => {
    await store.abort(sessionOf(upload), call)
    onDone('pending')
  })
  return emptied
}

/** `Deleted 1,234 objects and 2 unfinished uploads.` */
export function describeEmptied({objects, pending}: Emptied): string {
  const count = (number: number, name: string): string =>
    `${number.toLocaleString('en')} ${name}${number === 1 ? '' : 's'}`
  return `Deleted ${count(objects, 'object')} and ${count(pending, 'unfinished upload')}.`
}

/** A store without uploads in parts has none that are unfinished. */
async function* listUploads(store: Store, all: Target, call: Call): AsyncIterable<PendingUpload> {
  try {
    yield* store.listUploads(all, call)
  } catch (error) {
    if (!isFailure(error, 'unsupported')) throw error
  }
}

/** Works on several at once; the first failure ends it when what runs is done. */
async function forEach<T>(all: AsyncIterable<T>, work: (each: T) => Promise<void>): Promise<void> {
  let batch: T[] = []
  const workOnBatch = async (): Promise<void> => {
    const results = await Promise.allSettled(batch.map(work))
    batch = []
    for (const result of results) if (result.status === 'rejected') throw result.reason
  }
  for await (const each of all) {
    batch.push(each)
    if (batch.length === TOGETHER) await workOnBatch()
  }
  await workOnBatch()
}

/** What is enough of a session to abort an upload. */
function sessionOf({target, uploadId, state}: PendingUpload): Session {
  const session: Session = {target, uploadId, options: {}, size: 0, partSize: 1, checksum: 'md5'}
  return state === undefined ? session : {...session, state}
}
