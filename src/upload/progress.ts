import type {UploadEvent} from './events.ts'

/** An object under way. */
export interface ActiveObject {
  readonly source: string
  readonly target: string
  /** Below zero: not known before the end (stdin). */
  readonly size: number
  /** 0: the object goes whole. */
  readonly parts: number
  /** Bytes that the store holds, those from an earlier run among them. */
  readonly stored: number
  readonly kept: number
  /** Bytes that have left, for each part on its way. */
  readonly inflight: ReadonlyMap<number, number>
  readonly phase: 'sending' | 'finishing'
  /** The latest retry, until its part moves again. */
  readonly retrying?: Retrying
}

export interface Retrying {
  readonly part: number
  readonly attempt: number
  readonly wait: number
  readonly message: string
}

/** What an upload run has come to. Objects that are done or failed leave `active`, so it stays small. */
export interface Progress {
  readonly started: number
  readonly done: number
  readonly failed: number
  /** Objects that the store had already; they are in no other count. */
  readonly skipped: number
  readonly retries: number
  /** Bytes of the objects that were started and have not failed: `kept` <= `sent` <= `size`. */
  readonly size: number
  readonly sent: number
  readonly kept: number
  /** In the order in which they were started. */
  readonly active: ReadonlyMap<number, ActiveObject>
  /** The latest few. */
  readonly notes: readonly string[]
}

const MAX_NOTES = 5

export function emptyProgress(): Progress {
  return {
    started: 0,
    done: 0,
    failed: 0,
    skipped: 0,
    retries: 0,
    size: 0,
    sent: 0,
    kept: 0,
    active: new Map(),
    notes: [],
  }
}

export function isSizeKnown(object: ActiveObject): boolean {
  return object.size >= 0
}

/** Returns the bytes that are stored or on their way, never more than the object has. */
export function sentOf(object: ActiveObject): number {
  let sent = object.stored
  for (const bytes of object.inflight.values()) sent += bytes
  return isSizeKnown(object) ? Math.min(object.size, sent) : sent
}

/** Returns what this run itself has moved: the measure for a rate. */
export function movedOf(progress: Progress): number {
  return progress.sent - progress.kept
}

/** A pure fold; an event for an object that is not under way changes nothing but the notes. */
export function advance(known: Progress, event: UploadEvent): Progress {
  switch (event.event) {
    case 'start': {
      return start(known, event)
    }
    case 'progress': {
      return change(known, event.id, object => ({
        ...(event.sent > 0 ? withoutRetry(object, event.part) : object),
        inflight: withPart(object.inflight, event.part, event.sent),
      }))
    }
    case 'stored': {
      return change(known, event.id, object => ({
        ...withoutRetry(object, event.part),
        stored: clamp(object.stored + event.size, object.size),
        inflight: withPart(object.inflight, event.part, 0),
      }))
    }
    case 'retry': {
      const {part, attempt, wait, message} = event
      const next = change(known, event.id, object => ({
        ...object,
        inflight: withPart(object.inflight, part, 0),
        retrying: {part, attempt, wait, message},
      }))
      return next === known ? known : {...next, retries: known.retries + 1}
    }
    case 'finishing': {
      return change(known, event.id, object => ({...object, phase: 'finishing'}))
    }
    case 'done': {
      const object = known.active.get(event.id)
      if (object === undefined) return known
      const size = isSizeKnown(object) ? object.size : event.object.size
      return {...leave(known, event.id, {size, sent: size, kept: object.kept}), done: known.done + 1}
    }
    case 'failed': {
      // What could not be opened has failed without a start, and says itself what it was.
      if (!known.active.has(event.id)) return event.source === undefined ? known : {...known, failed: known.failed + 1}
      return {...leave(known, event.id, NOTHING), failed: known.failed + 1}
    }
    case 'skipped': {
      return {...known, skipped: known.skipped + 1}
    }
    case 'note': {
      return {...known, notes: [...known.notes, event.message].slice(-MAX_NOTES)}
    }
    default: {
      return known
    }
  }
}

type Bytes = Pick<Progress, 'size' | 'sent' | 'kept'>

const NOTHING: Bytes = {size: 0, sent: 0, kept: 0}

function bytesOf(object: ActiveObject | undefined): Bytes {
  if (object === undefined) return NOTHING
  const sent = sentOf(object)
  return {size: isSizeKnown(object) ? object.size : sent, sent, kept: object.kept}
}

/** The totals are kept by differences, so an event costs the same however many objects there were. */
function exchange(known: Progress, before: Bytes, after: Bytes): Bytes {
  return {
    size: known.size - before.size + after.size,
    sent: known.sent - before.sent + after.sent,
    kept: known.kept - before.kept + after.kept,
  }
}

/** A second start of an object under way begins it anew: the store had forgotten the upload. */
function start(known: Progress, event: UploadEvent & {event: 'start'}): Progress {
  const {id, source, target, size, parts} = event
  const kept = clamp(event.kept, size)
  const before = known.active.get(id)
  const object: ActiveObject = {source, target, size, parts, stored: kept, kept, inflight: new Map(), phase: 'sending'}
  return {
    ...known,
    ...exchange(known, bytesOf(before), bytesOf(object)),
    started: known.started + (before === undefined ? 1 : 0),
    active: new Map(known.active).set(id, object),
  }
}

function change(known: Progress, id: number, update: (object: ActiveObject) => ActiveObject): Progress {
  const before = known.active.get(id)
  if (before === undefined) return known
  const after = update(before)
  const active = new Map(known.active).set(id, after)
  return {...known, ...exchange(known, bytesOf(before), bytesOf(after)), active}
}

function leave(known: Progress, id: number, after: Bytes): Progress {
  const active = new Map(known.active)
  active.delete(id)
  return {...known, ...exchange(known, bytesOf(known.active.get(id)), after), active}
}

function withPart(inflight: ReadonlyMap<number, number>, part: number, sent: number): ReadonlyMap<number, number> {
  const next = new Map(inflight)
  if (sent > 0) next.set(part, sent)
  else next.delete(part)
  return next
}

function withoutRetry(object: ActiveObject, part: number): ActiveObject {
  if (object.retrying === undefined || (object.retrying.part !== part && object.retrying.part !== 0)) return object
  const {retrying: _, ...rest} = object
  return rest
}

function clamp(bytes: number, size: number): number {
  return size < 0 ? bytes : Math.min(bytes, size)
}
