import type {Failure} from '../core/failure.ts'
import {printable} from '../core/printable.ts'
import type {Json} from '../stores/store.ts'
import {EVENT_VERSION} from '../upload/events.ts'
import {escapeMarks} from './displays/json.ts'
import {EXIT_CODES} from './exit-codes.ts'
import {annotate, harmless, isGithub, MOST_ANNOTATIONS, takeUnannotated} from './github.ts'
import {ownWords} from './own-words.ts'

/** Tells failures on stderr, in the way that the words of the command ask for; GitHub Actions annotates its page with them. */
export function writeFailures(failures: readonly Failure[], argv: readonly string[]): void {
  const isJson = isProgressJson(argv)
  for (const each of failures) process.stderr.write(isJson ? failureLine(each) : tellFailure(each, isDebug(argv)))
  if (isJson || !isGithub(process.env)) return
  for (const {message} of takeUnannotated(failures).slice(0, MOST_ANNOTATIONS)) {
    process.stderr.write(`${annotate('Skylift failed', printable(message))}\n`)
  }
}

/** Asked of the words, since a command line that cannot be parsed fails too. */
export function isProgressJson(argv: readonly string[]): boolean {
  const words = ownWords(argv).join(' ')
  if (/(?:^| )(?:-q|--quiet)(?: |$)/u.test(words)) return false
  const wish = /--progress[ =](\w+)/u.exec(words)?.[1] ?? process.env['SKYLIFT_PROGRESS']
  return wish === 'json'
}

function isDebug(argv: readonly string[]): boolean {
  return ownWords(argv).some(word => word === '-v' || word === '--debug') || Boolean(process.env['SKYLIFT_DEBUG'])
}

/** Whoever reads NDJSON reads nothing else. */
function failureLine(failure: Failure): string {
  const time = new Date().toISOString()
  const line = {v: EVENT_VERSION, time, event: 'failure', ...(failureToJson(failure) as object)}
  return `${escapeMarks(JSON.stringify(line))}\n`
}

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
