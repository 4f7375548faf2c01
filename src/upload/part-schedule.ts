import {Failure} from '../core/failure.ts'
import {formatSize, MIB} from '../core/sizes.ts'
import type {Limits} from '../stores/store.ts'
import {DEFAULT_PART_SIZE, planParts} from './plan.ts'

/** How a stream is cut before anybody knows its size; plain data. */
export interface PartSchedule {
  /** Of the first part. What is no longer goes whole. */
  readonly partSize: number
  /** The size that parts grow to. */
  readonly largest: number
  /** What came before a part is so many times the part, once that is more than `partSize`; 0: parts do not grow. */
  readonly ratio: number
  /** The most parts there may be; 0: the object goes whole, whatever its size. */
  readonly count: number
  /** The most bytes that the parts can hold. */
  readonly reach: number
  /** Largest object in one PUT. */
  readonly whole: number
  /** What the person says it will come to. */
  readonly expectSize?: number
}

export interface ScheduleWish {
  readonly partSize?: number
  readonly expectSize?: number
}

/**
 * The share of the parts that have the largest size at the end. With S3's 10,000 parts of 5 GiB it makes 20 TiB of the 48
 * that equal parts could hold, and the first thousand parts stay as small as they began.
 */
const AT_LARGEST = 0.42

/**
 * Cuts what has no size yet: every part is at most a fixed share of what came before, so that little is held at any time
 * and much can come. Arithmetic only. With `expectSize` the parts are those of `planParts`. Fails as `planParts` does.
 */
export function scheduleParts(limits: Limits, wish: ScheduleWish = {}): PartSchedule {
  const {part, whole} = limits
  const {expectSize, partSize: wished} = wish
  if (expectSize !== undefined) {
    const {partSize, count} = planParts(expectSize, limits, wish)
    return {partSize, largest: partSize, ratio: 0, count, reach: expectSize, whole, expectSize}
  }
  if (part === undefined) return {partSize: whole, largest: whole, ratio: 0, count: 0, reach: whole, whole}
  // A plan of one part says no to a size that no part here may have.
  if (wished !== undefined) planParts(wished, limits, wish)
  const partSize = Math.min(part.max, wished ?? Math.max(DEFAULT_PART_SIZE, part.min))
  const needed = roundUp(limits.object / (AT_LARGEST * part.count))
  const largest = part.equal ? partSize : Math.max(partSize, Math.min(part.max, needed))
  const parts = ((1 - AT_LARGEST) * part.count) / Math.log(largest / partSize)
  const ratio = largest > partSize ? Math.max(1, Math.floor(parts)) : 0
  const open = {partSize, largest, ratio, count: part.count, reach: limits.object, whole}
  return {...open, reach: Math.min(limits.object, reachOf(open))}
}

/** Returns the size of the part that begins at an offset; 0 where nothing more may come. */
export function partSizeAt({partSize, largest, ratio, reach}: PartSchedule, offset: number): number {
  const isGrown = ratio > 0 && offset / ratio > partSize
  return Math.min(isGrown ? Math.min(largest, roundUp(offset / ratio)) : partSize, reach - offset)
}

/** One line of a schedule: from this part on, parts have at least this size. */
export interface ScheduleStep {
  readonly part: number
  readonly offset: number
  readonly partSize: number
}

/** Returns where parts have grown to twice the size of the line before; the last line is the largest. */
export function* stepsOf(schedule: PartSchedule): Generator<ScheduleStep> {
  let [offset, told] = [0, 0]
  for (let part = 1; part <= Math.max(1, schedule.count) && offset < schedule.reach; part++) {
    const partSize = partSizeAt(schedule, offset)
    if (partSize >= 2 * told || (partSize === schedule.largest && told < partSize)) {
      yield {part, offset, partSize}
      told = partSize
    }
    offset += partSize
  }
}

/** What to say when a stream turns out to be longer than can be held. */
export function tooLong(name: string, {reach, ratio, count}: PartSchedule): Failure {
  return new Failure(
    'too-large',
    `${name} is longer than ${formatSize(reach)}, the most that can go there like this.`,
    {
      suggestion:
        count === 0
          ? 'Use a target that takes parts.'
          : ratio === 0
            ? 'Say how long it will be (--expect-size), or take larger parts (--part-size).'
            : 'Say how long it will be: --expect-size.',
    },
  )
}

function reachOf(schedule: PartSchedule): number {
  let offset = 0
  for (let part = 1; part <= schedule.count && offset < schedule.reach; part++) offset += partSizeAt(schedule, offset)
  return offset
}

function roundUp(size: number): number {
  return Math.ceil(size / MIB) * MIB
}
