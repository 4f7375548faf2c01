import parse from 'parse-duration'
import {Failure} from './failure.ts'

const WORDS = 'Write it like 90s, 1h30m, 7d, or a number of seconds.'
const WORDED =
  /^(?:\s*\d+(?:\.\d+)?\s*(?:y(?:ears?|rs?)?|mo(?:nths?)?|w(?:eeks?|ks?)?|d(?:ays?)?|h(?:ours?|rs?)?|m(?:in(?:ute)?s?)?|s(?:ec(?:ond)?s?)?|ms))+$/iu
const ISO = /^P(?=\d|T\d)(?:\d+W)?(?:\d+D)?(?:T(?=\d)(?:\d+H)?(?:\d+M)?(?:\d+S)?)?$/iu

/** What a timer can wait for, almost 25 days: Node ends a longer one at once. */
export const LONGEST_TIMER = 2 ** 31 - 1

/** Reads `1h30m`, `7d`, `P1D`, or a bare number as seconds, and returns milliseconds above zero. Fails `usage`. */
export function parseDuration(text: string): number {
  const trimmed = text.trim()
  // parse-duration takes a bare number for milliseconds, skips words that it does not know, and reads DT as a word.
  const bare = /^\d+(?:\.\d+)?$/u.test(trimmed)
  const words = ISO.test(trimmed) ? trimmed.replaceAll(/[pt]/giu, '') : WORDED.test(trimmed) ? trimmed : ''
  const value = bare ? Number(trimmed) * 1000 : parse(words)
  if (value === null || value === undefined || !Number.isFinite(value) || Math.round(value) <= 0) {
    throw new Failure('usage', `"${text}" is not a duration.`, {suggestion: WORDS})
  }
  return Math.round(value)
}

/** Writes milliseconds for people: `0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`, `7 d`. */
export function formatDuration(ms: number): string {
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  const parts: [number, string][] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ]
  const first = parts.findIndex(([value]) => value > 0)
  return parts
    .slice(first, first + 2)
    .filter(([value]) => value > 0)
    .map(([value, unit]) => `${value} ${unit}`)
    .join(' ')
}
