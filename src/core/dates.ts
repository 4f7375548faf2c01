/** Reads a date in any form that JavaScript knows; undefined for what is none, which would fail when it is written. */
export function parseDate(text: string | undefined): Date | undefined {
  if (text === undefined) return undefined
  const date = new Date(text)
  return Number.isNaN(date.getTime()) ? undefined : date
}
