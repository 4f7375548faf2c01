import {Failure} from './failure.ts'

const UNITS = ['', 'K', 'M', 'G', 'T', 'P', 'E']

export const KIB = 1024
export const MIB = 1024 ** 2
export const GIB = 1024 ** 3
export const TIB = 1024 ** 4

/** Below this an object waits for answers more than it travels: many may be on their way at once. */
export const SMALL_OBJECT = MIB

/** Reads `16M`, `16MiB`, `1.5g` or plain bytes; units are powers of 1,024. Fails `usage`. */
export function parseSize(text: string): number {
  // Blanks at both ends are cut first: beside the inner ones they would take time by the square of their number.
  const match = /^(\d+(?:\.\d+)?)\s*([kmgtpe]?)(?:i?b)?$/iu.exec(text.trim())
  const size = match ? Number(match[1]) * 1024 ** UNITS.indexOf((match[2] ?? '').toUpperCase()) : Number.NaN
  if (!Number.isFinite(size) || size > Number.MAX_SAFE_INTEGER) {
    throw new Failure('usage', `"${text}" is not a size.`, {suggestion: 'Write it like 64M, 1.5GiB or 1048576.'})
  }
  return Math.round(size)
}

/** Writes bytes for people: `0 B`, `16 MiB`, `1.5 GiB`. */
export function formatSize(bytes: number): string {
  let unit = 0
  let value = bytes
  // What is written counts: 1023.96 would round up to a 1024 of the smaller unit.
  while (Math.round(value) >= 1024 && unit < UNITS.length - 1) {
    value /= 1024
    unit++
  }
  return `${round(value, unit)} ${UNITS[unit]}${unit === 0 ? 'B' : 'iB'}`
}

function round(value: number, unit: number): string {
  const digits = unit === 0 || Number.isInteger(value) || value >= 99.95 ? 0 : 1
  return value.toFixed(digits)
}
