import {printable} from '../../core/printable.ts'
import {formatTarget} from '../../core/target.ts'
import type {Target} from '../../core/target.ts'
import type {Json} from '../../stores/store.ts'
import {quoteWord} from '../shell-words.ts'
import type {Step} from './act-as-page.ts'

/** What came of one method. */
export interface Trial {
  readonly method: string
  readonly isAllowed: boolean
  readonly steps: readonly Step[]
  /** The key of what the store took although it was damaged, and would not delete. */
  readonly left?: string
}

const WIDTH = 10

/** A line for each step, a second one for what to do, and the verdict. */
export function describeTrial({method, isAllowed, steps, left}: Trial, origin: string, target: Target): string {
  const lines = steps.flatMap(step => [
    `${step.isAllowed ? '✓' : '✗'} ${step.step.padEnd(WIDTH)} ${step.message}`,
    ...(step.remedy === undefined ? [] : [`${' '.repeat(WIDTH + 3)}${fillRemedy(step.remedy, origin, target)}`]),
  ])
  const page = origin === 'null' ? 'A page that was opened from a file' : `A page of ${origin}`
  const verdict = `${page} ${isAllowed ? 'can' : 'cannot'} use ${method} at ${formatTarget(target)}.`
  const rest =
    left === undefined ? [] : [`– left       The store took bytes with a wrong checksum, and keeps them: ${left}`]
  return [...lines, ...rest, `${isAllowed ? '✓' : '✗'} ${verdict}`].map(printable).join('\n')
}

export function trialToJson({method, isAllowed, steps, left}: Trial, origin: string, target: Target): Json {
  return {
    method,
    allowed: isAllowed,
    ...(left === undefined ? {} : {left}),
    steps: steps.map(({step, isAllowed: allowed, status, message, remedy}) => ({
      step,
      allowed,
      message: printable(message),
      ...(status === undefined ? {} : {status}),
      ...(remedy === undefined ? {} : {suggestion: printable(fillRemedy(remedy, origin, target))}),
    })),
  }
}

/** Makes a command of a remedy that can be pasted. */
export function fillRemedy(remedy: string, origin: string, {remote, container}: Target): string {
  const place = quoteWord(formatTarget({remote, container, key: ''}))
  return remedy.replaceAll('TARGET', () => place).replaceAll('ORIGIN', () => quoteWord(origin))
}
