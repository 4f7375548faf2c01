import {printable} from '../../core/printable.ts'
import {formatDuration} from '../../core/durations.ts'
import {formatSize} from '../../core/sizes.ts'
import type {UploadEvent} from '../../upload/events.ts'
import type {ActiveObject, Progress, Retrying} from '../../upload/progress.ts'
import {isSizeKnown} from '../../upload/progress.ts'
import type {Rate} from '../../upload/rate.ts'
import {etaOf} from '../../upload/rate.ts'

/** What the whole run will come to, where the command knows it beforehand; of folders it knows that there may be many. */
export interface Expected {
  readonly files?: number
  readonly size?: number
}

const SMALL = 8 * 1024 * 1024

/** A small object among many passes too quickly for words of its own. */
export function isNotable(object: ActiveObject, progress: Progress, expected: Expected | undefined): boolean {
  return object.parts > 0 || object.size >= SMALL || object.retrying !== undefined || isSingle(progress, expected)
}

export function nameOf({source}: Pick<ActiveObject, 'source'>): string {
  return source === '-' ? 'stdin' : printable(source)
}

/** Rounded down: 100 only where all is there. */
export function percentOf(sent: number, size: number): number {
  return size <= 0 ? 100 : Math.floor((sent / size) * 100)
}

/** `412 MiB of 1.0 GiB (40 %)`, or the first size alone where the second is not known. */
export function describeSizes(sent: number, size: number | undefined): string {
  if (size === undefined) return formatSize(sent)
  return `${formatSize(sent)} of ${formatSize(size)} (${percentOf(sent, size)} %)`
}

export function describeRate(rate: Rate): string {
  return rate.bytesPerSecond === undefined ? '' : `${formatSize(Math.round(rate.bytesPerSecond))}/s`
}

const LONGEST = 99 * 86_400_000

/** `3 s left`, or nothing while nobody can tell; months ahead is not told either. */
export function describeLeft(rate: Rate, left: number | undefined): string {
  const eta = left === undefined ? undefined : etaOf(rate, left)
  if (eta === undefined || eta > LONGEST) return ''
  // Whole seconds: tenths would only flicker.
  return `${eta < 10_000 ? `${Math.ceil(eta / 1000)} s` : formatDuration(eta)} left`
}

/** `part 7: the connection was reset; again in 1.2 s (attempt 2)` */
export function describeRetry({part, attempt, wait, message}: Retrying): string {
  const place = part > 0 ? `part ${part}: ` : ''
  return `${place}${asClause(printable(message))}; again in ${formatDuration(wait)} (attempt ${attempt})`
}

/** `12/340`, for a narrow place. */
export function countDone(progress: Progress, expected: Expected | undefined): string {
  return expected?.files === undefined ? `${progress.done} done` : `${progress.done}/${expected.files}`
}

/** `12 done, 1 failed, 4 under way`; of how many, where that is known. */
export function describeCounts(progress: Progress, expected: Expected | undefined): string {
  const done = expected?.files === undefined ? `${progress.done}` : `${progress.done} of ${expected.files}`
  const skipped = progress.skipped > 0 ? [`${progress.skipped} there already`] : []
  const failed = progress.failed > 0 ? [`${progress.failed} failed`] : []
  const active = progress.active.size > 0 ? [`${progress.active.size} under way`] : []
  return [`${done} done`, ...skipped, ...failed, ...active].join(', ')
}

/** What a run of folders came to; undefined where the words for each file have told it. */
export function describeEnd(progress: Progress, expected: Expected | undefined, elapsed: number): string | undefined {
  const {started, skipped, failed, sent, kept} = progress
  const isTold = expected === undefined || (expected.files !== undefined && skipped === 0)
  if (isTold || started + skipped + failed === 0) return undefined
  return `${describeCounts(progress, undefined)}: ${formatSize(sent - kept)} sent in ${formatDuration(elapsed)}`
}

/** True for a run of one object, as far as one can tell. */
export function isSingle(progress: Progress, expected: Expected | undefined): boolean {
  if (expected === undefined) return progress.started === 1
  return expected.files === 1 && progress.started <= 1
}

/** Returns the size that the run works towards; undefined where it cannot be known yet. */
export function goalOf(progress: Progress, expected: Expected | undefined): number | undefined {
  if (!isSingle(progress, expected)) {
    return expected?.size === undefined ? undefined : Math.max(expected.size, progress.sent)
  }
  return [...progress.active.values()].every(isSizeKnown) ? progress.size : undefined
}

/** True for a note that is new, and for a failure that the command's own last word would not tell. */
export function isWorthALine(event: UploadEvent, before: Progress): event is UploadEvent & {event: 'note' | 'failed'} {
  if (event.event === 'note') return !before.notes.includes(event.message)
  return event.event === 'failed' && before.started > 1
}

/** Makes a sentence part of another: no full stop, no capital unless it belongs to a name. */
function asClause(sentence: string): string {
  const open = sentence.trim().replace(/\.$/u, '')
  return /^(?:The|A|An|It|This|That|No|Nothing|Something)\b/u.test(open)
    ? open.slice(0, 1).toLowerCase() + open.slice(1)
    : open
}
