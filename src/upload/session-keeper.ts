import {Failure, isFailure} from '../core/failure.ts'
import type {
  Call,
  ObjectOptions,
  PartPlan,
  PartReceipt,
  PendingUpload,
  Session,
  Target,
  UploadStore,
} from '../stores/store.ts'
import {identifyUpload} from './journal.ts'
import type {Journal, Journals} from './journal.ts'
import {findChange, resumeFromStore, resumeJournal} from './resume.ts'
import type {KeptPart, Resumption} from './resume.ts'
import type {Source} from './source.ts'

/** How earlier runs are taken up and this one is kept. */
export interface KeepSettings {
  /** `auto` goes on from our own journal only, `store` from whatever unfinished upload the store has. */
  readonly resume: 'auto' | 'store'
  readonly journals: Journals
  /** Parts stay at the store after an interrupt or a final failure. */
  readonly keepParts: boolean
  /** For `store`: the newest unfinished upload of exactly that key. */
  readonly findUpload?: (target: Target, call: Call) => Promise<PendingUpload | undefined>
}

export interface KeptSession {
  readonly session: Session
  readonly plan: PartPlan
  readonly kept: ReadonlyMap<number, KeptPart>
  /** Writes a receipt down; a disk that fails ends the journal, not the upload. */
  add(receipt: PartReceipt): Promise<void>
  /** Ends it: `keep` leaves the journal for the next run. True when the next run can go on. */
  end(how: 'remove' | 'keep'): Promise<boolean>
}

export interface SessionNeeds {
  readonly target: Target
  readonly options: ObjectOptions
  readonly source: Source
  readonly plan: PartPlan
  readonly store: UploadStore
  readonly call: Call
  readonly keep: KeepSettings | undefined
  readonly tell: (message: string) => void
}

/** Begins an upload in parts, or goes on with an earlier one. Fails `busy` while another process has it. */
export async function openSession(needs: SessionNeeds): Promise<KeptSession> {
  const {target, options, plan, store, call, keep} = needs
  const journal = keep === undefined ? undefined : await takeJournal(needs, keep.journals)
  try {
    const found = await findEarlier(needs, journal)
    if (found !== undefined) return keepSession(needs, found, await resumeJournaling(needs, journal))
    if (keep?.resume === 'store') {
      const pending = await keep.findUpload?.(target, call)
      const taken = await resumeFromStore(pending, target, plan.size, options, store, call)
      needs.tell(
        `Going on with the upload ${taken.session.uploadId} of the store: its content type and metadata are unknown.`,
      )
      return keepSession(needs, taken, await beginJournal(needs, taken.session, journal))
    }
    const session = await store.begin(target, options, plan, call)
    const begun = {session, plan, kept: new Map<number, KeptPart>(), isComplete: false}
    return keepSession(needs, begun, await beginJournal(needs, session, journal))
  } catch (error) {
    await journal?.release()
    throw error
  }
}

/** Drops what an earlier run left of an upload that now goes whole. */
export function dropEarlier(needs: SessionNeeds): void | Promise<void> {
  const journals = needs.keep?.journals
  // Many small files come here, and to identify each costs more than to send it.
  return journals === undefined || journals.hasAny() === false ? undefined : dropFrom(journals, needs)
}

async function dropFrom(journals: Journals, needs: SessionNeeds): Promise<void> {
  const {store, target, source} = needs
  if (!(await journals.hasAny())) return
  if (!(await journals.has(await identifyUpload(store.endpoint, target, source.path)))) return
  const journal = await takeJournal(needs, journals)
  if (journal?.previous !== undefined) await abortEarlier(needs, journal.previous.head.session)
  await journal?.remove()
}

async function takeJournal(
  {target, source, store, tell}: SessionNeeds,
  journals: Journals,
): Promise<Journal | undefined> {
  try {
    return await journals.take(await identifyUpload(store.endpoint, target, source.path))
  } catch (error) {
    if (isFailure(error, 'busy')) throw error
    tell(`This upload cannot be resumed after a kill: ${words(error)}.`)
    return undefined
  }
}

async function beginJournal(
  {source, target, store, tell}: SessionNeeds,
  session: Session,
  journal: Journal | undefined,
): Promise<Journal | undefined> {
  try {
    await journal?.begin({
      version: 1,
      identity: await identifyUpload(store.endpoint, target, source.path),
      session,
      file: source.identity,
      started: new Date().toISOString(),
    })
    return journal
  } catch (error) {
    tell(`This upload cannot be resumed after a kill: ${words(error)}.`)
    await journal?.remove()
    return undefined
  }
}

/** The journal of a disk that is full by now is left as it is: what it says is still true. */
async function resumeJournaling({tell}: SessionNeeds, journal: Journal | undefined): Promise<Journal | undefined> {
  try {
    await journal?.resume()
  } catch (error) {
    tell(`The journal cannot be written any more, so what is sent now is not kept: ${words(error)}.`)
  }
  return journal
}

/** Returns where an earlier run stands, or undefined after clearing away what cannot go on. */
async function findEarlier(needs: SessionNeeds, journal: Journal | undefined): Promise<Resumption | undefined> {
  const {options, source, store, call, plan, tell} = needs
  const entry = journal?.previous
  if (entry === undefined) return undefined
  const change = findChange(entry, source.identity, options)
  if (change !== undefined) {
    tell(`${change} Starting over.`)
    await abortEarlier(needs, entry.head.session)
    return undefined
  }
  const found = await resumeJournal(entry, options, store, call)
  if (found === undefined) {
    tell('The store has forgotten the unfinished upload. Starting over.')
    // A store that has forgotten it only for a moment would keep its parts for ever.
    await abortEarlier(needs, entry.head.session)
  } else if (found.plan.partSize !== plan.partSize && plan.count > 0) {
    tell('Going on with the part size of the unfinished upload.')
  }
  return found
}

async function abortEarlier({store, call, tell}: SessionNeeds, session: Session): Promise<void> {
  await store.abort(session, call).catch((error: unknown) => {
    tell(`The unfinished upload ${session.uploadId} is still at the store: ${words(error)}.`)
  })
}

function keepSession({tell}: SessionNeeds, {session, plan, kept}: Resumption, given: Journal | undefined): KeptSession {
  let journal = given
  return {
    session,
    plan,
    kept,
    async add(receipt) {
      try {
        await journal?.add(receipt)
      } catch (error) {
        if (journal === undefined) return
        const broken = journal
        journal = undefined
        tell(`The journal cannot be written any more, so this upload cannot be resumed: ${words(error)}.`)
        await broken.remove().catch(() => {})
      }
    },
    async end(how) {
      const isKept = how === 'keep' && journal !== undefined
      await (isKept ? journal?.release() : journal?.remove())
      return isKept
    },
  }
}

function words(error: unknown): string {
  return (error instanceof Failure || error instanceof Error ? error.message : String(error)).replace(/\.$/u, '')
}
