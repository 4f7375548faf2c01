import {Failure} from '../core/failure.ts'
import {parseTarget} from '../core/target.ts'
import type {Target} from '../core/target.ts'

/** Reads a target that must name a container, or an object in it. Fails `usage`. */
export function targetArgument(text: string, what: 'container' | 'object'): Target {
  const target = parseTarget(text)
  if (target.container === '') throw new Failure('usage', `"${text}" names no container.`)
  if (what === 'object' && target.key === '') {
    throw new Failure('usage', `"${text}" names a container, and an object is wanted.`, {
      suggestion: `Write the key after it: ${text.replace(/\/$/u, '')}/KEY`,
    })
  }
  return target
}
