import {loadSmall} from '../core/buffer-body.ts'
import {asFailure, isFailure} from '../core/failure.ts'
import type {Failure} from '../core/failure.ts'
import {SMALL_OBJECT} from '../core/sizes.ts'
import {formatTarget} from '../core/target.ts'
import type {Call, Part, PartPlan, PartReceipt, StoredObject, UploadStore} from '../stores/store.ts'
import {followSignal, makeCall} from './part-call.ts'
import {partOf, partsOf, planParts} from './plan.ts'
import type {KeptPart} from './resume.ts'
import {dropEarlier, openSession} from './session-keeper.ts'
import type {KeptSession, SessionNeeds} from './session-keeper.ts'
import {openFile} from './source.ts'
import type {FileIdentity, Source} from './source.ts'
import type {UploadItem, UploadSettings} from './transfer.ts'
import {sumBody, verifySource} from './verify.ts'

export interface AttemptEnd {
  readonly stored: StoredObject | undefined
  readonly failure: Failure | undefined
  /** The store does not know the upload any more. */
  readonly isForgotten: boolean
  /** Parts that the next run need not send. */
  readonly keptParts: number
  readonly plan: PartPlan | undefined
  readonly receipts: readonly PartReceipt[]
  /** What was read, if it could be opened. */
  readonly file: FileIdentity | undefined
}

/** One try at one object: pieces of work for the workers, then an end that settles it. */
export interface Attempt {
  /** True for a small object in one piece; known once it has begun. */
  isSmall(): boolean
  /** Opens the source, and begins the upload or goes on with it; a failure is kept for `settle`. */
  begin(): Promise<void>
  /** What there is to do then: one piece for an object that goes whole. Their failures are kept, too. */
  pieces(): Iterable<() => Promise<void>>
  /** Waits for the pieces, then completes or cleans up. Never throws. */
  settle(): Promise<AttemptEnd>
  cancel(reason: unknown): void
}

/** How long an abort may take when the person waits for the prompt, and when nobody does. */
const ABORT_WAIT = {interrupted: 900, failed: 30_000}
const COMPLETE_ROUNDS = 3
/** After these the parts are worth keeping: another run may succeed where this one could not. */
const RESUMABLE = [
  'interrupted',
  'terminated',
  'network',
  'busy',
  'auth',
  'forbidden',
  'expired',
  'integrity',
  'unexpected',
] as const

export function createAttempt(id: number, item: UploadItem, store: UploadStore, settings: UploadSettings): Attempt {
  const {onEvent} = settings
  const {target, options} = item
  /** Ends what is on its way when one part fails; a whole object has nothing else on its way. */
  let group: ReturnType<typeof followSignal> | undefined
  const pending = new Set<Promise<void>>()
  const receipts = new Map<number, PartReceipt>()
  let source: Source | undefined
  let plan: PartPlan | undefined
  let kept: KeptSession | undefined
  let stored: StoredObject | undefined
  let failure: Failure | undefined
  let isForgotten = false

  const tell = (message: string): void => onEvent({event: 'note', id, message})
  const signal = (): AbortSignal => group?.own.signal ?? settings.signal
  const callFor = (part: number): Call => makeCall(id, part, signal(), settings)

  function fail(error: unknown): void {
    if (failure !== undefined) return
    failure = asFailure(settings.signal.aborted ? settings.signal.reason : error)
    isForgotten = kept !== undefined && failure.code === 'not-found'
    group?.own.abort(failure)
  }

  /** Makes a piece of work whose failure ends this attempt alone. */
  function piece(run: () => Promise<void>): () => Promise<void> {
    let done = (): void => {}
    const end = new Promise<void>(resolve => (done = resolve))
    pending.add(end)
    return async () => {
      try {
        if (failure === undefined) await run()
      } catch (error) {
        fail(error)
      } finally {
        pending.delete(end)
        done()
      }
    }
  }

  async function sendWhole(from: Source): Promise<void> {
    // What is read at once is one state of the file; of a larger one the store must not get two.
    const loaded = loadSmall(from.body({offset: 0, size: from.size}))
    const body = loaded instanceof Promise ? await loaded : loaded
    if (body.bytes === undefined) await from.check()
    let done: StoredObject
    try {
      done = await store.putWhole(target, body, options, callFor(0))
    } catch (error) {
      // Bytes that "were damaged on the way" may have been changed under our hands.
      if (isFailure(error, 'integrity')) await from.check()
      throw error
    }
    await from.check()
    stored = done
    onEvent({event: 'stored', id, part: 0, size: from.size})
  }

  async function sendPart(from: Source, to: KeptSession, part: Part): Promise<void> {
    const receipt = await store.putPart(to.session, part, from.body(part), callFor(part.number))
    await from.check()
    receipts.set(part.number, receipt)
    await to.add(receipt)
    onEvent({event: 'stored', id, part: part.number, size: part.size})
  }

  /** Reads a part that the store holds; what differs from the file is sent again. */
  async function checkKept(from: Source, to: KeptSession, {part, receipt}: KeptPart): Promise<void> {
    const sums = await sumBody(from.body(part), signal(), receipt.crc32 === '')
    const isSame = receipt.crc32 === '' ? sums.md5 === receipt.etag : sums.crc32 === receipt.crc32
    if (!isSame) return sendPart(from, to, part)
    const known = {...receipt, crc32: sums.crc32}
    receipts.set(part.number, known)
    if (receipt.crc32 === '') await to.add(known)
  }

  async function begin(): Promise<void> {
    source = await openFile(item.path, settings.onChange === 'prefix')
    const call = callFor(0)
    const wished = planParts(source.size, await store.limits(call), settings)
    const needs: SessionNeeds = {target, options, source, plan: wished, store, call, keep: settings.keep, tell}
    if (wished.count === 0) await dropEarlier(needs)
    else {
      kept = await openSession(needs)
      group = followSignal(settings.signal)
    }
    plan = kept?.plan ?? wished
    const keptSize = [...(kept?.kept.values() ?? [])].reduce((sum, {part}) => sum + part.size, 0)
    const {size, count: parts, partSize} = plan
    const text = formatTarget(target)
    onEvent({event: 'start', id, source: item.path, target: text, size, parts, partSize, kept: keptSize})
  }

  /** Reading what is kept goes on beside sending the rest, so the two take turns. */
  function* cutWork(from: Source, to: KeptSession): Generator<() => Promise<void>> {
    const checks = to.kept.values()
    for (const part of partsOf(to.plan)) {
      if (to.kept.has(part.number)) continue
      yield () => sendPart(from, to, part)
      const next = checks.next()
      if (next.done !== true) yield () => checkKept(from, to, next.value)
    }
    for (const each of checks) yield () => checkKept(from, to, each)
  }

  function* cutPieces(from: Source, to: KeptSession): Generator<() => Promise<void>> {
    for (const run of cutWork(from, to)) {
      if (failure !== undefined) return
      yield piece(run)
    }
  }

  /** A store that misses a part, or has another than the receipt says, gets it once more. */
  async function completeParts(from: Source, to: KeptSession): Promise<StoredObject> {
    for (let round = 1; ; round++) {
      const all = sortReceipts(receipts)
      if ((await from.check()) === 'touched') await verifySource(from, to.plan, all, signal())
      try {
        return await store.complete(to.session, all, callFor(0))
      } catch (error) {
        if (!isFailure(error, 'integrity') || round >= COMPLETE_ROUNDS) throw error
        const held = new Map((await store.listParts(to.session, callFor(0))).map(each => [each.number, each]))
        const lost = all.filter(
          each => held.get(each.number)?.etag !== each.etag || held.get(each.number)?.size !== each.size,
        )
        if (lost.length === 0) throw error
        for (const {number} of lost) await sendPart(from, to, partOf(to.plan, number))
      }
    }
  }

  /** Returns how many parts the next run need not send. */
  async function cleanUp(why: Failure, to: KeptSession): Promise<number> {
    const held = receipts.size + [...to.kept.keys()].filter(number => !receipts.has(number)).length
    const mayKeep = settings.keep?.keepParts === true && held > 0 && isFailure(why, ...RESUMABLE)
    if (mayKeep && (await to.end('keep'))) return held
    try {
      const wait = settings.signal.aborted ? ABORT_WAIT.interrupted : ABORT_WAIT.failed
      await store.abort(to.session, {signal: AbortSignal.timeout(wait)})
      await to.end('remove')
    } catch {
      // The journal is what `pending abort` finds it by.
      await to.end('keep')
      tell(`The unfinished upload ${to.session.uploadId} of ${formatTarget(target)} is still at the store.`)
    }
    return 0
  }

  return {
    isSmall: () => source !== undefined && kept === undefined && source.size < SMALL_OBJECT,
    begin: () => begin().catch(fail),
    pieces() {
      const from = source
      if (from === undefined || failure !== undefined) return []
      return kept === undefined ? [piece(() => sendWhole(from))] : cutPieces(from, kept)
    },
    async settle() {
      while (pending.size > 0) await Promise.all(pending)
      let keptParts = 0
      try {
        if (failure === undefined && source !== undefined && kept !== undefined) {
          onEvent({event: 'finishing', id})
          stored = await completeParts(source, kept)
        }
      } catch (error) {
        fail(error)
      }
      if (kept !== undefined) {
        if (failure === undefined) await kept.end('remove').catch(() => {})
        else keptParts = await cleanUp(failure, kept)
      }
      await source?.close()
      group?.letGo()
      return {
        isForgotten,
        keptParts,
        receipts: sortReceipts(receipts),
        plan,
        file: source?.identity,
        failure,
        stored: failure === undefined ? stored : undefined,
      }
    },
    cancel(reason) {
      fail(reason)
      pending.clear()
    },
  }
}

function sortReceipts(receipts: ReadonlyMap<number, PartReceipt>): PartReceipt[] {
  return [...receipts.values()].sort((a, b) => a.number - b.number)
}
