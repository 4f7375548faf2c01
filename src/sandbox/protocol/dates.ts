/** Reads `20260102T030405Z`; NaN when it is anything else. */
export function parseAmzDate(text: string): number {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/u.exec(text)
  if (match === null) return Number.NaN
  const [, year, month, day, hour, minute, second] = match
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
}

/** Writes a time as HTTP headers do, in whole seconds. */
export function formatHttpDate(time: number): string {
  return new Date(time).toUTCString()
}

/** Writes a time as S3's XML does. */
export function formatXmlDate(time: number): string {
  return new Date(time).toISOString()
}
