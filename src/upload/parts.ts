import {isFailure} from '../core/failure.ts'
import type {Failure} from '../core/failure.ts'
import {formatTarget} from '../core/target.ts'
import type {Call, Part, PartReceipt, StoredObject} from '../stores/store.ts'
import {followSignal, makeCall} from './part-call.ts'
import {partOf, partsOf} from './plan.ts'
import type {KeptPart} from './resume.ts'
import {openSession} from './session-keeper.ts'
import {sumBody, verifySource} from './verify.ts'
import type {Work, WorkNeeds} from './work.ts'

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

/** Begins an upload in parts, or goes on with an earlier one. Fails as `openSession` does. */
export async function openParts(needs: WorkNeeds): Promise<Work> {
  const {id, target, source, store, settings, keep, tell} = needs
  const {onEvent} = settings
  const to = await openSession(needs)
  const {session, plan, kept} = to
  /** Ends what is on its way when one part fails. */
  const group = followSignal(settings.signal)
  const {signal} = group.own
  const receipts = new Map<number, PartReceipt>()
  const callFor = (part: number): Call => makeCall(id, part, signal, settings)

  async function sendPart(part: Part): Promise<void> {
    const receipt = await store.putPart(session, part, source.body(part), callFor(part.number))
    await source.check()
    receipts.set(part.number, receipt)
    await to.add(receipt)
    onEvent({event: 'stored', id, part: part.number, size: part.size})
  }

  /** Reads a part that the store holds; what differs from the file is sent again. */
  async function checkKept({part, receipt}: KeptPart): Promise<void> {
    const sums = await sumBody(source.body(part), signal, receipt.crc32 === '')
    const isSame = receipt.crc32 === '' ? sums.md5 === receipt.etag.toLowerCase() : sums.crc32 === receipt.crc32
    if (!isSame) return sendPart(part)
    const known = {...receipt, crc32: sums.crc32}
    receipts.set(part.number, known)
    if (receipt.crc32 === '') await to.add(known)
  }

  /** Reading what is kept goes on beside sending the rest, so the two take turns. */
  function* cutPieces(): Generator<() => Promise<void>> {
    const checks = kept.values()
    for (const part of partsOf(plan)) {
      if (kept.has(part.number)) continue
      yield () => sendPart(part)
      const next = checks.next()
      if (next.done !== true) yield () => checkKept(next.value)
    }
    for (const each of checks) yield () => checkKept(each)
  }

  /** A store that misses a part, or has another than the receipt says, gets it once more. */
  async function complete(): Promise<StoredObject> {
    onEvent({event: 'finishing', id})
    for (let round = 1; ; round++) {
      const all = sortReceipts(receipts)
      if ((await source.check()) === 'touched') await verifySource(source, plan, all, signal)
      try {
        return await store.complete(session, all, callFor(0))
      } catch (error) {
        if (!isFailure(error, 'integrity') || round >= COMPLETE_ROUNDS) throw error
        const held = new Map((await store.listParts(session, callFor(0))).map(each => [each.number, each]))
        const lost = all.filter(
          each => held.get(each.number)?.etag !== each.etag || held.get(each.number)?.size !== each.size,
        )
        if (lost.length === 0) throw error
        for (const {number} of lost) await sendPart(partOf(plan, number))
      }
    }
  }

  /** Returns how many parts the next run need not send. */
  async function cleanUp(why: Failure): Promise<number> {
    const held = receipts.size + [...kept.keys()].filter(number => !receipts.has(number)).length
    const mayKeep = keep?.keepParts === true && held > 0 && isFailure(why, ...RESUMABLE)
    if (mayKeep && (await to.end('keep'))) return held
    try {
      const wait = settings.signal.aborted ? ABORT_WAIT.interrupted : ABORT_WAIT.failed
      await store.abort(session, {signal: AbortSignal.timeout(wait)})
      await to.end('remove')
    } catch {
      // The journal is what `pending abort` finds it by.
      await to.end('keep')
      tell(`The unfinished upload ${session.uploadId} of ${formatTarget(target)} is still at the store.`)
    }
    return 0
  }

  return {
    plan,
    keptSize: [...kept.values()].reduce((sum, {part}) => sum + part.size, 0),
    pieces: cutPieces,
    complete,
    stop: why => group.own.abort(why),
    async end(why) {
      group.letGo()
      if (why !== undefined) return cleanUp(why)
      await to.end('remove').catch(() => {})
      return 0
    },
    receipts: () => sortReceipts(receipts),
  }
}

function sortReceipts(receipts: ReadonlyMap<number, PartReceipt>): PartReceipt[] {
  return [...receipts.values()].sort((a, b) => a.number - b.number)
}
