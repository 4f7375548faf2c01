import {formatDuration} from '../../core/durations.ts'
import {printable} from '../../core/printable.ts'
import {formatSize} from '../../core/sizes.ts'
import type {UploadEvent} from '../../upload/events.ts'
import {advance, emptyProgress, isSizeKnown, movedOf, sentOf} from '../../upload/progress.ts'
import type {ActiveObject, Progress} from '../../upload/progress.ts'
import {emptyRate, measureRate} from '../../upload/rate.ts'
import type {Rate} from '../../upload/rate.ts'
import type {DisplayOptions, DisplayStream, Teller} from './display.ts'
import * as words from './words.ts'

const EVERY = 5000
const RETRIES_EVERY = 1000

/** Writes a plain line every five seconds, and one when something happens: for logs. */
export function createLinesDisplay(stream: DisplayStream, options: Pick<DisplayOptions, 'now' | 'expected'>): Teller {
  const now = options.now ?? Date.now
  const started = now()
  let progress = emptyProgress()
  let rate = emptyRate(now())
  let isOver = false
  let retryToldAt = Number.NEGATIVE_INFINITY

  const tell = (line: string): unknown => stream.write(`${line}\n`)
  let toldSkipped = 0
  const timer = setInterval(() => {
    rate = measureRate(rate, now(), movedOf(progress))
    const isNews = progress.active.size > 0 || progress.skipped > toldSkipped
    toldSkipped = progress.skipped
    if (isNews) tell(describeRun(progress, rate, options.expected))
  }, EVERY)
  timer.unref()

  return {
    event(event) {
      const before = progress
      progress = advance(before, event)
      if (event.event === 'retry') {
        if (Math.abs(now() - retryToldAt) < RETRIES_EVERY) return
        retryToldAt = now()
      }
      const line = describeEvent(event, before, progress, options.expected)
      if (line !== undefined) tell(line)
    },
    end() {
      clearInterval(timer)
      if (isOver) return
      isOver = true
      const line = words.describeEnd(progress, options.expected, now() - started)
      if (line !== undefined) tell(line)
    },
  }
}

function describeRun(progress: Progress, rate: Rate, expected: words.Expected | undefined): string {
  const [only] = progress.active.values()
  const single = words.isSingle(progress, expected) && only !== undefined
  const name = single ? words.nameOf(only) : words.describeCounts(progress, expected)
  const goal = words.goalOf(progress, expected)
  const left = goal === undefined ? undefined : goal - progress.sent
  const state =
    single && only.phase === 'finishing' ? ['finishing'] : [words.describeRate(rate), words.describeLeft(rate, left)]
  return `${name}: ${[words.describeSizes(progress.sent, goal), ...state].filter(Boolean).join(', ')}`
}

/** Small files among many have no lines of their own: a log of 100,000 files stays readable. */
function describeEvent(
  event: UploadEvent,
  before: Progress,
  after: Progress,
  expected: words.Expected | undefined,
): string | undefined {
  const object = after.active.get(event.id) ?? before.active.get(event.id)
  if (words.isWorthALine(event, before)) return withName(object, printable(event.message))
  if (object === undefined) return undefined
  switch (event.event) {
    case 'start': {
      return words.isNotable(object, after, expected) ? withName(object, describeStart(object)) : undefined
    }
    case 'retry': {
      return withName(object, words.describeRetry(event))
    }
    case 'done': {
      return words.isNotable(object, after, expected) ? withName(object, describeDone(object, event)) : undefined
    }
    default: {
      return undefined
    }
  }
}

function withName(object: ActiveObject | undefined, text: string): string {
  return object === undefined ? text : `${words.nameOf(object)}: ${text}`
}

function describeStart(object: ActiveObject): string {
  const size = isSizeKnown(object) ? formatSize(object.size) : 'size not known'
  const parts = object.parts > 1 ? ` in ${object.parts} parts` : ''
  const kept = object.kept > 0 ? `, ${formatSize(sentOf(object))} of it stored before` : ''
  return `${size}${parts} to ${printable(object.target)}${kept}`
}

function describeDone(object: ActiveObject, {object: stored, elapsed}: UploadEvent & {event: 'done'}): string {
  const rate = elapsed > 0 ? ` (${formatSize(Math.round(((stored.size - object.kept) / elapsed) * 1000))}/s)` : ''
  return `done, ${formatSize(stored.size)} in ${formatDuration(elapsed)}${rate}`
}
