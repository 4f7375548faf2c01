import {findFirst, compareKeys} from './sorted-keys.ts'

export interface ListQuery {
  readonly prefix: string
  readonly delimiter: string
  /** Only what comes after it; a common prefix hides all that it stands for. */
  readonly after: string
  readonly max: number
}

export interface Listing {
  /** Keys and common prefixes in order, together at most `max`. */
  readonly entries: readonly {readonly kind: 'key' | 'prefix'; readonly name: string}[]
  readonly isTruncated: boolean
}

/** Lists sorted keys as S3 does: keys with the delimiter after the prefix are folded into common prefixes. */
export function listKeys(keys: readonly string[], {prefix, delimiter, after, max}: ListQuery): Listing {
  const entries: {kind: 'key' | 'prefix'; name: string}[] = []
  let at = findFirst(keys, key => compareKeys(key, prefix) >= 0 && compareKeys(key, after) > 0)
  if (delimiter !== '' && after.startsWith(prefix) && after.slice(prefix.length).includes(delimiter)) {
    const folded = foldKey(after, prefix, delimiter)
    // A page that ended with a common prefix goes on after all of its keys; a key of one's own choice does not.
    if (folded === after) at = skipPrefix(keys, at, after)
  }
  while (at < keys.length) {
    const key = keys[at] ?? ''
    if (!key.startsWith(prefix)) break
    if (entries.length >= max) return {entries, isTruncated: max > 0}
    const folded = delimiter === '' ? undefined : foldKey(key, prefix, delimiter)
    if (folded === undefined) {
      entries.push({kind: 'key', name: key})
      at++
    } else {
      entries.push({kind: 'prefix', name: folded})
      at = skipPrefix(keys, at, folded)
    }
  }
  return {entries, isTruncated: false}
}

function foldKey(key: string, prefix: string, delimiter: string): string | undefined {
  const found = key.indexOf(delimiter, prefix.length)
  return found < 0 ? undefined : key.slice(0, found + delimiter.length)
}

function skipPrefix(keys: readonly string[], from: number, prefix: string): number {
  return Math.max(
    from,
    findFirst(keys, key => compareKeys(key, prefix) > 0 && !key.startsWith(prefix)),
  )
}
