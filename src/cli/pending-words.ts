import {formatDuration} from '../core/durations.ts'
import {printable} from '../core/printable.ts'
import {formatSize} from '../core/sizes.ts'
import {formatTarget} from '../core/target.ts'
import {isByTicket} from './pending.ts'
import type {Pending} from './pending.ts'

/** Tells an unfinished upload in two or three lines: what, since when, how much, and how to go on. */
export function describePending(pending: Pending, now: number): string {
  const {target, started, held, journal} = pending
  const age = started === undefined ? 'age unknown' : `${formatDuration(Math.max(0, now - started.getTime()))} old`
  const total = journal === undefined ? '' : ` of ${formatSize(journal.head.session.size)}`
  const bytes = held === undefined ? 'size unknown' : `${formatSize(held)}${total} held`
  const lines = [`${printable(formatTarget(target))}  ${age}  ${bytes}`]
  if (journal?.holder !== undefined) {
    lines.push(`  in work by process ${journal.holder.pid} on ${printable(journal.holder.host)}`)
  } else if (journal === undefined) {
    lines.push(
      '  no record of it on this machine: a stream that was cut off, or somebody else who may still be sending it',
    )
    lines.push(`  drop it: skylift pending abort ${quote(formatTarget(target))}`)
  } else {
    const destination = isByTicket(pending) ? 'ticket:FILE' : quote(formatTarget(target))
    lines.push(`  go on: skylift upload ${quote(journal.head.identity.path)} ${destination}`)
  }
  return lines.join('\n')
}

/** Quotes a word for a POSIX shell, without control characters that would reach the terminal. */
function quote(word: string): string {
  const text = printable(word)
  return /^[\w./:@%+,=-]+$/u.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`
}
