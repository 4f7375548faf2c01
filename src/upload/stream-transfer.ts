import {setTimeout as sleep} from 'node:timers/promises'
import {asFailure, Failure} from '../core/failure.ts'
import {formatSize} from '../core/sizes.ts'
import {formatTarget} from '../core/target.ts'
import type {ObjectOptions, PartReceipt, Session, StoredObject, Target, UploadStore} from '../stores/store.ts'
import {createFeed} from './feed.ts'
import type {Feed} from './feed.ts'
import {joinSignals, makeCall} from './part-call.ts'
import type {CallSettings} from './part-call.ts'
import {partSizeAt, scheduleParts, tooLong} from './part-schedule.ts'
import type {PartSchedule, ScheduleWish} from './part-schedule.ts'
import {createSpool} from './spool.ts'
import type {Piece, Spool, SpoolOptions} from './spool.ts'
import {nameOfSource} from './stream-source.ts'
import type {StreamSource} from './stream-source.ts'

/** A stream on its way to one object. */
export interface StreamItem {
  readonly source: StreamSource
  readonly target: Target
  readonly options: ObjectOptions
}

export interface StreamSettings extends CallSettings, ScheduleWish, Pick<SpoolOptions, 'memory' | 'folder'> {
  readonly signal: AbortSignal
  readonly concurrency: number
}

/** The one object of a run. */
const ID = 1
/** How long an abort may take when the person waits for the prompt, and when nobody does. */
const ABORT_WAIT = {interrupted: 700, failed: 30_000}
const SETTLE_WAIT = 200
/** Stands for what nobody knows before the end. */
const UNKNOWN = -1

/**
 * Uploads a stream. What fits one part goes whole; what does not is sent in parts while the rest is still coming, and
 * each part is held until the store has it. Nothing stands at the target before the stream has ended well. It cannot be
 * resumed: whatever ends it, nothing is left at the store. Fails as the stream or the store does.
 */
export async function uploadStream(
  item: StreamItem,
  store: UploadStore,
  settings: StreamSettings,
): Promise<StoredObject> {
  const {onEvent} = settings
  const {source, target} = item
  const names = {source: source.name, target: formatTarget(target)}
  const started = performance.now()
  const own = new AbortController()
  const signal = joinSignals(settings.signal, own.signal)
  let failure: Failure | undefined
  let begun: Session | undefined
  const fail = (error: unknown): void => {
    failure ??= asFailure(settings.signal.aborted ? settings.signal.reason : error)
    own.abort(failure)
  }

  const sender = createSender(item, store, {...settings, signal}, fail)
  const spool = createSpool({...settings, signal})
  try {
    const schedule = scheduleParts(await store.limits(makeCall(ID, 0, signal, settings)), settings)
    const {expectSize: size = UNKNOWN, partSize} = schedule
    const parts = size === UNKNOWN ? UNKNOWN : schedule.count
    onEvent({event: 'start', id: ID, ...names, size, parts, partSize, kept: 0})
    tellLimit(item, schedule, settings)
    const feed = createFeed(source.chunks, signal)
    const stored = await sendAll(item, {feed, spool, schedule, sender, onBegin: session => (begun = session)})
    onEvent({event: 'done', id: ID, object: stored, elapsed: performance.now() - started})
    return stored
  } catch (error) {
    fail(error)
    const ended = failure ?? asFailure(error)
    const told = await cleanUp(begun, ended)
    onEvent({event: 'failed', id: ID, ...names, code: told.code, message: told.message})
    throw told
  } finally {
    await source.stop()
    await spool.close()
  }

  async function cleanUp(session: Session | undefined, why: Failure): Promise<Failure> {
    const stopped = source.stop()
    // Who waits for the prompt does not wait for a request that cannot be cut.
    const patience = settings.signal.aborted ? [sleep(SETTLE_WAIT, undefined, {ref: false})] : []
    await Promise.race([sender.settle(), ...patience])
    if (session !== undefined) {
      const wait = settings.signal.aborted ? ABORT_WAIT.interrupted : ABORT_WAIT.failed
      try {
        await store.abort(session, {signal: AbortSignal.timeout(wait)})
      } catch {
        const message = `The unfinished upload ${session.uploadId} of ${formatTarget(target)} is still at the store.`
        onEvent({event: 'note', id: ID, message})
        return why
      }
    }
    await stopped
    return settings.signal.aborted ? interrupted(why, source) : why
  }
}

/** Sends pieces beside each other. */
interface Sender {
  readonly receipts: readonly PartReceipt[]
  whole(piece: Piece): Promise<StoredObject>
  begin(schedule: PartSchedule): Promise<Session>
  /** Returns at once; what goes wrong is told to whoever made the sender. */
  send(session: Session, number: number, offset: number, piece: Piece): void
  complete(session: Session, size: number): Promise<StoredObject>
  /** Waits for what is on its way. */
  settle(): Promise<void>
}

function createSender(
  {target, options}: StreamItem,
  store: UploadStore,
  settings: StreamSettings,
  onFailure: (error: unknown) => void,
): Sender {
  const {onEvent, signal} = settings
  const call = (part: number) => makeCall(ID, part, signal, settings)
  const receipts: PartReceipt[] = []
  const sending = new Set<Promise<void>>()

  async function sendPart(session: Session, number: number, offset: number, piece: Piece): Promise<void> {
    const {size} = piece
    try {
      receipts.push(await store.putPart(session, {number, offset, size}, piece.body(), call(number)))
      onEvent({event: 'stored', id: ID, part: number, size})
    } catch (error) {
      onFailure(error)
    } finally {
      await piece.release()
    }
  }

  return {
    receipts,
    async whole(piece) {
      const stored = await store.putWhole(target, piece.body(), options, call(0))
      onEvent({event: 'stored', id: ID, part: 0, size: piece.size})
      return stored
    },
    begin: ({partSize, count, expectSize = UNKNOWN}) =>
      store.begin(target, options, {size: expectSize, partSize, count}, call(0)),
    send(session, number, offset, piece) {
      const running = sendPart(session, number, offset, piece).finally(() => sending.delete(running))
      sending.add(running)
    },
    async complete(session, size) {
      // A part that failed has ended everything; its failure is known already.
      signal.throwIfAborted()
      onEvent({event: 'finishing', id: ID})
      const sorted = receipts.toSorted((a, b) => a.number - b.number)
      return store.complete({...session, size}, sorted, call(0))
    },
    async settle() {
      await Promise.allSettled(sending)
    },
  }
}

interface Work {
  readonly feed: Feed
  readonly spool: Spool
  readonly schedule: PartSchedule
  readonly sender: Sender
  readonly onBegin: (session: Session) => void
}

async function sendAll(item: StreamItem, {feed, spool, schedule, sender, onBegin}: Work): Promise<StoredObject> {
  let offset = 0

  async function readPiece(): Promise<Piece> {
    const piece = await spool.take()
    const size = partSizeAt(schedule, offset)
    while (piece.size < size && (await feed.hasMore())) {
      const left = size - piece.size
      await piece.write(feed.take(left), left)
    }
    offset += piece.size
    return piece
  }

  const first = await readPiece()
  const isAll = !(await feed.hasMore())
  if (isAll && first.size <= schedule.whole) {
    checkSize(item.source, offset, schedule)
    const stored = await sender.whole(first)
    if (offset > 0) return stored
    const note = `${nameOfSource(item.source)} gave not a single byte, so the object is empty.`
    return {...stored, notes: [...(stored.notes ?? []), note]}
  }
  if (schedule.count === 0) throw tooMuch(item.source, schedule)
  const session = await sender.begin(schedule)
  onBegin(session)
  sender.send(session, 1, 0, first)
  for (let number = 2; await feed.hasMore(); number++) {
    if (number > schedule.count || offset >= schedule.reach) throw tooMuch(item.source, schedule)
    const start = offset
    sender.send(session, number, start, await readPiece())
  }
  checkSize(item.source, offset, schedule)
  await sender.settle()
  return sender.complete(session, offset)
}

function tooMuch(source: StreamSource, schedule: PartSchedule): Failure {
  const {expectSize} = schedule
  return expectSize === undefined
    ? tooLong(nameOfSource(source), schedule)
    : otherSize(source, `more than the ${formatSize(expectSize)}`)
}

function checkSize(source: StreamSource, size: number, {expectSize}: PartSchedule): void {
  if (expectSize === undefined || size === expectSize) return
  throw otherSize(source, `${size.toLocaleString('en')} bytes instead of the ${expectSize.toLocaleString('en')}`)
}

function otherSize(source: StreamSource, what: string): Failure {
  return new Failure('source-changed', `${nameOfSource(source)} gave ${what} that --expect-size says.`, {
    suggestion: 'Nothing was stored. Find out what cut it short, or correct --expect-size.',
  })
}

/** A limit that is met after hours is told beforehand. */
function tellLimit(
  {source}: StreamItem,
  {ratio, reach, expectSize, count}: PartSchedule,
  settings: StreamSettings,
): void {
  if (ratio > 0 || expectSize !== undefined) return
  const how = count === 0 ? 'goes whole' : 'goes in parts of one size'
  const message = `${nameOfSource(source)} ${how} here and may have ${formatSize(reach)} at most`
  settings.onEvent({
    event: 'note',
    id: ID,
    message: count === 0 ? `${message}.` : `${message}; say --expect-size where it may be more.`,
  })
}

function interrupted({code, message, context, cause}: Failure, source: StreamSource): Failure {
  return new Failure(code, `${message} Nothing is left at the store: ${nameOfSource(source)} cannot be read again.`, {
    context,
    cause,
    suggestion: 'Run the same command again, from the beginning.',
  })
}
