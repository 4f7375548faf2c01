/** Reads a value of a server's JSON that should be a record; anything else is an empty one. */
export function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
}

/** Reads what should be a list of records; what is none is left out. */
export function recordsOf(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value.filter(each => typeof each === 'object' && each !== null) : []
}

/** Reads what should be text; undefined for anything else. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** True for a record whose values, where they are there, are of these types. */
export function hasTypes(value: unknown, types: Readonly<Record<string, 'string' | 'number' | 'boolean'>>): boolean {
  if (typeof value !== 'object' || value === null) return false
  const record = value as Readonly<Record<string, unknown>>
  return Object.entries(types).every(([name, type]) => {
    const each = record[name]
    // A size below zero is none.
    return each === undefined || each === null || (typeof each === type && !(typeof each === 'number' && each < 0))
  })
}
