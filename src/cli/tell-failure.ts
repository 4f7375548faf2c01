import type {Failure} from '../core/failure.ts'
import {printable} from '../core/printable.ts'
import type {Json} from '../stores/store.ts'
import {EXIT_CODES} from './exit-codes.ts'
import {harmless} from './github.ts'

/** Writes a failure for a person: what happened, then what to do. */
export function tellFailure(failure: Failure, isDebug: boolean): string {
  const suggestion = failure.suggestion ?? EXIT_CODES[failure.code].suggestion
  const lines = [printable(failure.message), `  ${printable(suggestion)}`]
  if (isDebug) {
    const {requestId, status, providerCode} = failure.context
    const known = [status, providerCode, requestId].filter(each => each !== undefined)
    if (known.length > 0) lines.push(`  (${printable(known.join(', '))})`)
    lines.push(...stackOf(failure))
  }
  return harmless(`${lines.join('\n')}\n`)
}

export function failureToJson(failure: Failure): Json {
  const {code, message, context, suggestion} = failure
  return {
    code,
    message: printable(message),
    suggestion: printable(suggestion ?? EXIT_CODES[code].suggestion),
    ...(Object.keys(context).length > 0 ? {context: {...context}} : {}),
  }
}

function stackOf(failure: Failure): string[] {
  const stacks = [failure.stack, failure.cause instanceof Error ? failure.cause.stack : undefined]
  return stacks.flatMap(stack => (stack ?? '').split('\n').slice(1, 8)).map(line => `  ${printable(line.trim())}`)
}
