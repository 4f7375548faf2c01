import {isFailure} from '../core/failure.ts'
import {formatTarget} from '../core/target.ts'
import type {Call, Json, PendingUpload, Session, Store, Target} from '../stores/store.ts'
import {isTicketEndpoint} from '../stores/ticket/ticket.ts'
import type {Journals, PendingJournal} from '../upload/journal.ts'

/** One unfinished upload, as the journal knows it, the store, or both. */
export interface Pending {
  readonly target: Target
  readonly uploadId: string
  readonly started: Date | undefined
  readonly journal?: PendingJournal
  /** Bytes that the store holds, or by our receipts where it was not asked; undefined where nobody knows. */
  readonly held: number | undefined
  readonly parts: number | undefined
  /** The store was asked, and knows it. */
  readonly isAtStore: boolean
}

/** Lists what is unfinished under a target, or everywhere by the journals alone, oldest first. */
export async function listPending(
  journals: Journals,
  place: {readonly target: Target; readonly store: Store} | undefined,
  call: Call,
): Promise<Pending[]> {
  const known = await journals.list()
  if (place === undefined) return sortByAge(known.map(fromJournal))
  const {target, store} = place
  const ours = known.filter(({head}) => head.identity.store === store.endpoint && isUnder(head.identity.target, target))
  const byId = new Map(ours.map(each => [each.head.session.uploadId, each]))
  const found: Pending[] = []
  for await (const upload of store.listUploads(target, call)) {
    const journal = byId.get(upload.uploadId)
    byId.delete(upload.uploadId)
    found.push(await fromStore(upload, journal, store, call))
  }
  return sortByAge([...found, ...[...byId.values()].map(fromJournal)])
}

function isUnder(target: Target, prefix: Target): boolean {
  return target.container === prefix.container && target.key.startsWith(prefix.key)
}

function sortByAge(all: Pending[]): Pending[] {
  return all.sort((a, b) => (a.started?.getTime() ?? 0) - (b.started?.getTime() ?? 0))
}

function fromJournal(journal: PendingJournal): Pending {
  const {head, receipts} = journal
  const held = [...receipts.values()].reduce((sum, {size}) => sum + size, 0)
  const {target, uploadId} = head.session
  return {target, uploadId, started: new Date(head.started), journal, held, parts: receipts.size, isAtStore: false}
}

async function fromStore(
  upload: PendingUpload,
  journal: PendingJournal | undefined,
  store: Store,
  call: Call,
): Promise<Pending> {
  const parts = await store.listParts(sessionOf(upload), call).catch((error: unknown) => {
    if (isFailure(error, 'not-found', 'forbidden', 'unsupported')) return undefined
    throw error
  })
  return {
    target: upload.target,
    uploadId: upload.uploadId,
    started: upload.started ?? (journal === undefined ? undefined : new Date(journal.head.started)),
    held: parts?.reduce((sum, {size}) => sum + size, 0),
    parts: parts?.length,
    isAtStore: true,
    ...(journal === undefined ? {} : {journal}),
  }
}

/** What is enough of a session to list and abort an upload that only the store knows. */
function sessionOf({target, uploadId, state}: PendingUpload): Session {
  const session: Session = {target, uploadId, options: {}, size: 0, partSize: 1, checksum: 'md5'}
  return state === undefined ? session : {...session, state}
}

/** An upload by a ticket is its owner's: from here only the journal can go. */
export function isByTicket({journal}: Pending): boolean {
  return journal !== undefined && isTicketEndpoint(journal.head.identity.store)
}

/** Aborts an upload at its store, if any, and removes its journal. Fails `busy` while somebody works on it. */
export async function abortPending(
  pending: Pending,
  journals: Journals,
  store: Store | undefined,
  call: Call,
): Promise<void> {
  const {journal, target, uploadId} = pending
  const taken = journal === undefined ? undefined : await journals.take(journal.head.identity)
  try {
    await store?.abort(journal?.head.session ?? sessionOf({target, uploadId}), call)
  } catch (error) {
    await taken?.release()
    throw error
  }
  await taken?.remove()
}

export function pendingToJson({target, uploadId, started, journal, held, parts, isAtStore}: Pending): {
  [name: string]: Json
} {
  return {
    target: formatTarget(target),
    uploadId,
    started: started?.toISOString() ?? null,
    held: held ?? null,
    parts: parts ?? null,
    isAtStore,
    file: journal?.head.identity.path ?? null,
    size: journal?.head.session.size ?? null,
    holder: journal?.holder === undefined ? null : {pid: journal.holder.pid, host: journal.holder.host},
  }
}
