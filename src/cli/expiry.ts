import {Flags} from '@oclif/core'
import {parseDuration} from '../core/durations.ts'
import {Failure} from '../core/failure.ts'

const DATE = /^(\d{4})-(\d\d)-(\d\d)(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?$/iu

/**
 * Reads a duration, or a date that is still to come, and returns milliseconds from now. A date alone is its beginning in
 * UTC; a time without a zone is the machine's own. Fails `usage`.
 */
export function parseExpiry(text: string, now = Date.now()): number {
  const trimmed = text.trim()
  if (!/^\d{4}-/u.test(trimmed)) return parseDuration(trimmed)
  const end = readDate(trimmed)
  if (end === undefined) {
    throw new Failure('usage', `"${text}" is not a date.`, {
      suggestion: 'Write it like 2030-12-31, 2030-12-31T18:00 or 2030-12-31T18:00:00Z; or a duration like 12h.',
    })
  }
  if (end <= now) throw new Failure('usage', `"${text}" is over: it was ${new Date(end).toISOString()}.`)
  return end - now
}

function readDate(text: string): number | undefined {
  const [, year, month, day] = DATE.exec(text) ?? []
  const end = Date.parse(text.replace(' ', 'T').replace(/([+-]\d\d)(\d\d)$/u, '$1:$2'))
  // A 31st of February would be taken for the 3rd of March.
  const last = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate()
  return year === undefined || Number.isNaN(end) || Number(day) > last ? undefined : end
}

export const DEFAULT_EXPIRY = 3_600_000

export const expiryFlag = Flags.custom<number>({parse: text => Promise.resolve(parseExpiry(text)), helpValue: 'TIME'})

export const expiryFlags = {
  expires: expiryFlag({
    description: 'how long it works: 90s, 12h, 7d, seconds, or a date such as 2030-12-31T18:00Z; 1h unless given',
  }),
  'allow-shorter': Flags.boolean({
    description: 'take what the store or the credentials allow, where less than --expires can be had',
  }),
}

/** `2030-12-31 18:00:00 UTC (in 1 h)` */
export function describeEnd(end: Date, format: (ms: number) => string, now = Date.now()): string {
  const text = end
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/u, ' UTC')
  return `${text} (in ${format(Math.max(0, Math.round((end.getTime() - now) / 1000) * 1000))})`
}
