import {asFailure, Failure} from '../../core/failure.ts'
import type {Part, PartPlan} from '../../stores/store.ts'
import type {UploadEvent} from '../../upload/events.ts'
import {partsOf, planParts} from '../../upload/plan.ts'
import {diagnose} from './diagnose.ts'
import type {Hasher} from './hasher.ts'
import type {HeldPart, Place, SentPart} from './place.ts'

export interface PageUpload {
  readonly file: File
  readonly place: Place
  /** What comes after the last part, where somebody else has to do it; resolves to a link to the object. */
  readonly finish?: ((signal: AbortSignal) => Promise<string>) | undefined
  readonly hash: Hasher
  readonly onEvent: (event: UploadEvent) => void
  /** Ends what is under way; what the store holds stays, and the same call goes on from there. */
  readonly signal: AbortSignal
}

/** Browsers open six connections to one host. */
const WORKERS = 4
const LONGEST_WAIT = 30_000
const MOST_DAMAGED = 3
/** So many lost requests, and none that came through, make one ask whether it is the network at all. */
const DOUBT = 3

/** Cuts a file as its place wants it; an object that goes whole is one part. */
export function planFile(file: File, place: Place): PartPlan {
  const plan = planParts(file.size, place.limits)
  return plan.count === 0 ? {size: file.size, partSize: file.size, count: 1} : plan
}

/**
 * Uploads a file: what the place holds already is compared with the file and not sent again. Goes on trying while the
 * network is away. Resolves to the link of whoever finishes it. Fails `source-changed` when parts of another file are
 * there, and what the place fails.
 */
export async function uploadFile({file, place, hash, onEvent, ...settings}: PageUpload): Promise<string | undefined> {
  const {finish} = settings
  const own = new AbortController()
  const signal = AbortSignal.any([settings.signal, own.signal])
  const plan = planFile(file, place)
  const parts = [...partsOf(plan)]
  const sent: SentPart[] = []
  let hasAnswered = false
  const tell = (part: number, attempt: number, wait: number, {code, message}: Failure): void =>
    onEvent({event: 'retry', id: 1, part, attempt, wait, code, message})

  async function trying<T>(part: number, run: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        const value = await run()
        hasAnswered ||= part > 0
        return value
      } catch (error) {
        signal.throwIfAborted()
        const failure = asFailure(error)
        if (!failure.retryable || (failure.code === 'integrity' && attempt >= MOST_DAMAGED)) throw failure
        if (failure.code === 'network' && attempt === DOUBT && !hasAnswered) await diagnose(place)
        const wait = Math.random() * Math.min(LONGEST_WAIT, 500 * 2 ** attempt)
        tell(part, attempt, wait, failure)
        await pause(wait, signal)
      }
    }
  }

  const held = await trying(0, () => place.held(plan, signal))
  const {known, missing} = await compareHeld(file, parts, held, hash)
  sent.push(...known)
  const kept = known.reduce((sum, {size}) => sum + size, 0)
  const {size, partSize, count} = plan
  onEvent({event: 'start', id: 1, source: file.name, target: '', size, parts: count, partSize, kept})

  const work = missing.values()
  async function sendParts(): Promise<void> {
    for (const part of work) {
      const blob = file.slice(part.offset, part.offset + part.size)
      const md5 = await hash(blob)
      const onSent = (bytes: number): void => onEvent({event: 'progress', id: 1, part: part.number, sent: bytes})
      const stored = await trying(part.number, () => place.put({part, blob, md5, onSent, signal}))
      sent.push({number: part.number, md5, ...stored})
      onEvent({event: 'stored', id: 1, part: part.number, size: part.size})
    }
  }
  try {
    await Promise.all(Array.from({length: WORKERS}, sendParts))
  } catch (error) {
    // One that fails ends the others: what they send would only be thrown away.
    own.abort(error)
    throw error
  }
  onEvent({event: 'finishing', id: 1})
  sent.sort((one, other) => one.number - other.number)
  await trying(0, () => place.complete(sent, signal))
  return finish === undefined ? undefined : trying(0, () => finish(signal))
}

/** Reads what is said to be there already: only bytes that are the file's own count. */
async function compareHeld(
  file: File,
  parts: readonly Part[],
  held: ReadonlyMap<number, HeldPart>,
  hash: Hasher,
): Promise<{readonly known: readonly SentPart[]; readonly missing: readonly Part[]}> {
  const known: SentPart[] = []
  const missing: Part[] = []
  for (const part of parts) {
    const there = held.get(part.number)
    if (there === undefined) {
      missing.push(part)
      continue
    }
    const md5 = await hash(file.slice(part.offset, part.offset + part.size))
    if (there.size !== part.size || there.etag.toLowerCase() !== md5) {
      throw new Failure('source-changed', 'This upload was begun with another file.')
    }
    known.push({number: part.number, size: part.size, etag: there.etag, md5})
  }
  return {known, missing}
}

/** Waits, or until the network is back. */
function pause(wait: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (): void => {
      clearTimeout(timer)
      removeEventListener('online', done)
      signal.removeEventListener('abort', done)
      if (signal.aborted) reject(asFailure(signal.reason))
      else resolve()
    }
    const timer = setTimeout(done, wait)
    addEventListener('online', done)
    signal.addEventListener('abort', done)
  })
}
