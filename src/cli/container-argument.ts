import {Failure} from '../core/failure.ts'
import {formatTarget, parseTarget} from '../core/target.ts'
import type {Target} from '../core/target.ts'
import {targetArgument} from './target-argument.ts'

/** Reads a target that is a container and nothing below it. Fails `usage`. */
export function containerArgument(text: string): Target {
  const target = targetArgument(text, 'container')
  if (target.key === '') return target
  throw new Failure('usage', `"${text}" names something in a container, and the container itself is wanted.`, {
    suggestion: `Write ${formatTarget({...target, key: ''})}.`,
  })
}

/** Reads a target that is a remote and nothing below it. Fails `usage`. */
export function remoteArgument(text: string): Target {
  const target = parseTarget(text)
  if (target.container === '' && target.key === '') return target
  throw new Failure('usage', `"${text}" names a container, and containers are listed of a whole remote.`, {
    suggestion: `Write ${target.remote}://, or look at the one with: skylift container show ${target.remote}://${target.container}`,
  })
}
