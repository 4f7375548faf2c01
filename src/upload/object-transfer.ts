import {asFailure, isFailure} from '../core/failure.ts'
import type {Failure} from '../core/failure.ts'
import {formatTarget} from '../core/target.ts'
import type {Call, Part, PartPlan, PartReceipt, Session, StoredObject, UploadStore} from '../stores/store.ts'
import {partOf, partsOf, planParts} from './plan.ts'
import {openFile} from './source.ts'
import type {Source} from './source.ts'
import type {UploadItem, UploadSettings} from './transfer.ts'
import {verifySource} from './verify.ts'

/** One object's way up: pieces of work for the workers, then an end that settles it. */
export interface ObjectTransfer {
  /** Opens the source, begins the upload and yields its pieces; a failure is kept for `finish`. */
  work(): AsyncGenerator<() => Promise<void>>
  /** Waits for the pieces, then completes or cleans up; returns what failed. Never throws. */
  finish(): Promise<Failure | undefined>
  /** Ends the transfer for a reason from outside. */
  stop(reason: unknown): Promise<void>
}

/** How long an abort may take when the person waits for the prompt, and when nobody does. */
const ABORT_WAIT = {interrupted: 900, failed: 30_000}
const COMPLETE_ROUNDS = 3

export function createObjectTransfer(
  id: number,
  item: UploadItem,
  store: UploadStore,
  settings: UploadSettings,
): ObjectTransfer {
  const {onEvent} = settings
  const {target, options} = item
  const started = performance.now()
  const own = new AbortController()
  const signal = AbortSignal.any([settings.signal, own.signal])
  const pending = new Set<Promise<void>>()
  const receipts = new Map<number, PartReceipt>()
  let source: Source | undefined
  let plan: PartPlan | undefined
  let session: Session | undefined
  let stored: StoredObject | undefined
  let failure: Failure | undefined
  let ended: Promise<Failure | undefined> | undefined

  function callFor(part: number): Call {
    return {
      signal,
      onSent: sent => onEvent({event: 'progress', id, part, sent}),
      onRetry: ({attempt, wait, failure: {message, code}}) =>
        onEvent({event: 'retry', id, part, attempt, wait, code, message}),
    }
  }

  function fail(error: unknown): void {
    if (failure !== undefined) return
    failure = asFailure(settings.signal.aborted ? settings.signal.reason : error)
    own.abort(failure)
  }

  /** Makes a piece of work whose failure is this object's alone. */
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
    await from.check()
    stored = await store.putWhole(target, from.body({offset: 0, size: from.size}), options, callFor(0)).catch(
      async (error: unknown) => {
        // Bytes that "were damaged on the way" may have been changed under our hands.
        if (isFailure(error, 'integrity')) await from.check()
        throw error
      },
    )
    onEvent({event: 'stored', id, part: 0, size: from.size})
  }

  async function sendPart(from: Source, to: Session, part: Part): Promise<void> {
    const receipt = await store.putPart(to, part, from.body(part), callFor(part.number))
    await from.check()
    receipts.set(part.number, receipt)
    onEvent({event: 'stored', id, part: part.number, size: part.size})
  }

  async function begin(): Promise<void> {
    source = await openFile(item.path)
    plan = planParts(source.size, await store.limits(callFor(0)), settings)
    onEvent({
      event: 'start',
      id,
      source: item.path,
      target: formatTarget(target),
      size: plan.size,
      parts: plan.count,
      partSize: plan.partSize,
      kept: 0,
    })
    if (plan.count > 0) session = await store.begin(target, options, plan, callFor(0))
  }

  /** A store that misses a part, or has another than the receipt says, gets it once more. */
  async function completeParts(from: Source, cut: PartPlan, to: Session): Promise<StoredObject> {
    for (let round = 1; ; round++) {
      const all = [...receipts.values()].sort((a, b) => a.number - b.number)
      if ((await from.check()) === 'touched') await verifySource(from, cut, all, signal)
      try {
        return await store.complete(to, all, callFor(0))
      } catch (error) {
        if (!isFailure(error, 'integrity') || round >= COMPLETE_ROUNDS) throw error
        const held = new Map((await store.listParts(to, callFor(0))).map(each => [each.number, each]))
        const lost = all.filter(({number, size, etag}) => held.get(number)?.etag !== etag || held.get(number)?.size !== size)
        if (lost.length === 0) throw error
        for (const {number} of lost) await sendPart(from, to, partOf(cut, number))
      }
    }
  }

  async function settle(): Promise<Failure | undefined> {
    while (pending.size > 0) await Promise.all(pending)
    try {
      if (failure === undefined && source !== undefined && plan !== undefined && session !== undefined) {
        onEvent({event: 'finishing', id})
        stored = await completeParts(source, plan, session)
      }
    } catch (error) {
      fail(error)
    }
    if (failure !== undefined) await cleanUp(failure)
    await source?.close()
    if (failure !== undefined) onEvent({event: 'failed', id, code: failure.code, message: failure.message})
    else if (stored !== undefined) onEvent({event: 'done', id, object: stored, elapsed: performance.now() - started})
    return failure
  }

  async function cleanUp(why: Failure): Promise<void> {
    if (session === undefined) return
    const wait = settings.signal.aborted ? ABORT_WAIT.interrupted : ABORT_WAIT.failed
    try {
      await store.abort(session, {signal: AbortSignal.timeout(wait)})
    } catch {
      const message = `The unfinished upload ${session.uploadId} of ${formatTarget(target)} is still at the store.`
      onEvent({event: 'note', id, message: why.code === 'forbidden' ? `${message} These credentials may not abort it.` : message})
    }
  }

  return {
    async *work() {
      try {
        await begin()
      } catch (error) {
        fail(error)
        return
      }
      const from = source
      const to = session
      if (from === undefined || plan === undefined) return
      if (to === undefined) yield piece(() => sendWhole(from))
      else {
        for (const part of partsOf(plan)) {
          if (failure !== undefined) return
          yield piece(() => sendPart(from, to, part))
        }
      }
    },
    finish: () => (ended ??= settle()),
    async stop(reason) {
      fail(reason)
      pending.clear()
      await (ended ??= settle())
    },
  }
}
