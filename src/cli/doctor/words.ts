import {printable} from '../../core/printable.ts'
import type {Json} from '../../stores/store.ts'
import {EXIT_CODES} from '../exit-codes.ts'
import {failureToJson} from '../tell-failure.ts'
import type {Checked} from './checks.ts'

const MARKS = {ok: '✓', failed: '✗', open: '–', skipped: '–'} as const
const WIDTH = 12

/** One line for what was found, and a second one for what to do. */
export function describeChecked(checked: Checked): string {
  const [message, remedy] = wordsOf(checked)
  const line = `${MARKS[checked.status]} ${checked.name.padEnd(WIDTH)} ${printable(message)}`
  return remedy === undefined ? line : `${line}\n${' '.repeat(WIDTH + 3)}${printable(remedy)}`
}

/** The checks that would only have said the same. */
export function describeSkipped(names: readonly string[]): string {
  return `– ${'not checked'.padEnd(WIDTH)} ${names.join(', ')}`
}

export function checkedToJson(checked: Checked): Json {
  const {name, status} = checked
  if (checked.status === 'failed') return {name, status, ...(failureToJson(checked.failure) as object)}
  const [message, remedy] = wordsOf(checked)
  return {name, status, message: printable(message), ...(remedy === undefined ? {} : {suggestion: printable(remedy)})}
}

function wordsOf(checked: Checked): readonly [message: string, remedy?: string | undefined] {
  if (checked.status !== 'failed') return [checked.message, 'remedy' in checked ? checked.remedy : undefined]
  const {message, suggestion, code} = checked.failure
  return [message, suggestion ?? EXIT_CODES[code].suggestion]
}
