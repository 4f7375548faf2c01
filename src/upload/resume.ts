import {Failure, isFailure} from '../core/failure.ts'
import {printable} from '../core/printable.ts'
import type {
  Call,
  ObjectOptions,
  Part,
  PartPlan,
  PartReceipt,
  PendingUpload,
  Session,
  Target,
  UploadStore,
} from '../stores/store.ts'
import type {JournalEntry} from './journal.ts'
import {partOf} from './plan.ts'
import type {FileIdentity} from './source.ts'

/** A part that the store says it holds, and what is known of it. */
export interface KeptPart {
  readonly part: Part
  /** With our crc32 where the journal has it; else the store's ETag must do. */
  readonly receipt: PartReceipt
}

/** Where an upload goes on. */
export interface Resumption {
  readonly session: Session
  readonly plan: PartPlan
  readonly kept: ReadonlyMap<number, KeptPart>
  /** All parts were there, and the store knows nothing of the upload: its Complete may have been heard. */
  readonly isComplete: boolean
}

/** Says why an earlier run cannot go on, as one sentence; undefined when it can. */
export function findChange({head}: JournalEntry, file: FileIdentity, options: ObjectOptions): string | undefined {
  const {size, mtimeNs} = head.file
  // Every byte that is kept is compared by CRC, so a new inode or ctime alone costs a reading, not an upload.
  if (size !== file.size || mtimeNs !== file.mtimeNs) return 'The file has changed since the last run.'
  if (canonical(head.session.options) !== canonical(options)) return 'The options have changed since the last run.'
  return undefined
}

/** `noClobber` is kept at the end, so it may change in between. */
function canonical({noClobber: _, ...options}: ObjectOptions): string {
  return JSON.stringify(options, (_key, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  )
}

/** Finds out what the store still holds of a journalled upload; undefined when it has forgotten it. */
export async function resumeJournal(
  entry: JournalEntry,
  options: ObjectOptions,
  store: UploadStore,
  call: Call,
): Promise<Resumption | undefined> {
  const session = {...entry.head.session, options}
  const plan = planOf(session)
  let listed: readonly PartReceipt[]
  try {
    listed = await store.listParts(session, call)
  } catch (error) {
    if (isFailure(error, 'not-found')) {
      const isComplete = entry.receipts.size === plan.count
      return isComplete ? {session, plan, kept: keep(plan, [...entry.receipts.values()], entry), isComplete} : undefined
    }
    // A key that may only put cannot list; then our own receipts must do.
    if (!isFailure(error, 'forbidden', 'unsupported')) throw error
    listed = [...entry.receipts.values()]
  }
  return {session, plan, kept: keep(plan, listed, entry), isComplete: false}
}

/** Takes up an unfinished upload that only the store knows. Fails `not-found` when there is none. */
export async function resumeFromStore(
  found: PendingUpload | undefined,
  target: Target,
  size: number,
  options: ObjectOptions,
  store: UploadStore,
  call: Call,
): Promise<Resumption> {
  const at = {container: target.container, key: target.key}
  const name = `"${printable(`${target.container}/${target.key}`)}"`
  if (found === undefined)
    throw new Failure('not-found', `The store has no unfinished upload of ${name}.`, {context: at})
  const listed = await store.listParts(
    {target, uploadId: found.uploadId, options, size, partSize: 1, checksum: 'md5'},
    call,
  )
  const partSize = Math.max(...listed.map(part => part.size))
  const session: Session = {target, uploadId: found.uploadId, options, size, partSize, checksum: 'md5'}
  const plan = planOf(session)
  const {part: {min, count} = {min: 1, count: 1}} = await store.limits(call)
  // Where only the last part is there, its size is not that of the others.
  const isPossible = plan.count === 1 || (partSize >= min && plan.count <= count)
  if (listed.length === 0 || !isPossible || keep(plan, listed).size !== listed.length) {
    throw new Failure('unsupported', `The parts of the unfinished upload of ${name} do not fit this file.`, {
      context: at,
      suggestion: 'Start anew with --resume never; drop the old one with: skylift pending abort TARGET',
    })
  }
  return {session, plan, kept: keep(plan, listed), isComplete: false}
}

function planOf({size, partSize}: Session): PartPlan {
  return {size, partSize, count: Math.ceil(size / partSize)}
}

/** Keeps what lies where the plan wants it; a part whose ETag is not the one of its receipt was sent by somebody else. */
function keep(plan: PartPlan, listed: readonly PartReceipt[], entry?: JournalEntry): ReadonlyMap<number, KeptPart> {
  const kept = new Map<number, KeptPart>()
  for (const theirs of listed) {
    if (theirs.number > plan.count) continue
    const part = partOf(plan, theirs.number)
    const ours = entry?.receipts.get(theirs.number)
    if (theirs.size !== part.size) continue
    kept.set(part.number, {part, receipt: ours?.etag === theirs.etag ? ours : {...theirs, crc32: ''}})
  }
  return kept
}
