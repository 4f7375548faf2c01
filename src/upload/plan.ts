import {Failure} from '../core/failure.ts'
import {formatSize, MIB} from '../core/sizes.ts'
import type {Limits, Part, PartPlan} from '../stores/store.ts'

export const DEFAULT_PART_SIZE = 16 * MIB

export interface PlanWish {
  readonly partSize?: number
}

/**
 * Cuts an object into equal parts but the last; a `count` of 0 means whole. Arithmetic only: no clock, disk or network.
 * Fails `too-large`, or `usage` where the wished part size does not fit.
 */
export function planParts(size: number, limits: Limits, wish: PlanWish = {}): PartPlan {
  const {part} = limits
  if (limits.by === 'ticket' && size > limits.object) {
    throw new Failure(
      'too-large',
      `${formatSize(size)} is more than the ${formatSize(limits.object)} that the ticket allows.`,
      {suggestion: 'Ask its owner for another one: skylift ticket create TARGET --size MAX.'},
    )
  }
  if (part === undefined) {
    if (size <= limits.whole) return {size, partSize: size, count: 0}
    throw new Failure(
      'too-large',
      `${formatSize(size)} is more than the ${formatSize(limits.whole)} of one PUT here.`,
      {
        suggestion: 'Use a ticket (skylift ticket create): it uploads in parts.',
      },
    )
  }
  const most = Math.min(limits.object, part.max * part.count)
  if (size > most) {
    throw new Failure('too-large', `${formatSize(size)} is more than the store's limit of ${formatSize(most)}.`)
  }
  const wished = wish.partSize
  if (wished !== undefined && !Number.isSafeInteger(wished)) {
    throw new Failure('usage', `A part of ${wished} bytes is not possible: it has whole bytes.`)
  }
  if (wished !== undefined && (wished < part.min || wished > part.max)) {
    const range = `${formatSize(part.min)} to ${formatSize(part.max)}`
    throw new Failure('usage', `A part of ${formatSize(wished)} is not possible: this store takes ${range}.`)
  }
  if (size <= Math.min(wished ?? Math.max(DEFAULT_PART_SIZE, part.min), limits.whole)) {
    return {size, partSize: size, count: 0}
  }
  const smallest = roundUp(Math.ceil(size / part.count))
  const partSize = wished ?? Math.min(part.max, Math.max(DEFAULT_PART_SIZE, part.min, smallest))
  const count = Math.ceil(size / partSize)
  if (count > part.count) {
    const needed = `${formatSize(size)} in parts of ${formatSize(partSize)} makes ${count.toLocaleString('en')} parts`
    throw new Failure('usage', `${needed}: this store takes ${part.count.toLocaleString('en')}.`, {
      suggestion: `Take --part-size ${smallest / MIB}M or more, or leave it out.`,
    })
  }
  return {size, partSize, count}
}

/** Returns one part of a plan by its number, from 1. */
export function partOf(plan: PartPlan, number: number): Part {
  const offset = (number - 1) * plan.partSize
  return {number, offset, size: Math.min(plan.partSize, plan.size - offset)}
}

export function* partsOf(plan: PartPlan): Generator<Part> {
  for (let number = 1; number <= plan.count; number++) yield partOf(plan, number)
}

function roundUp(size: number): number {
  return Math.ceil(size / MIB) * MIB
}
