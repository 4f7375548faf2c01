import {Failure} from './failure.ts'
import {trimEndSlashes} from './slashes.ts'

/** A pattern as shells have it, taken apart where the first wildcard stands. */
export interface Glob {
  /** The folder before the first wildcard: what is matched counts from there. */
  readonly base: string
  /** Whether a path below `base` matches. */
  matches(name: string): boolean
  /** Whether something in a folder below `base` may match. */
  mayHold(folder: string): boolean
  /** Whether a folder below `base` matches itself; a pattern that goes into every folder, with `**` at its end, means none. */
  matchesFolder(folder: string): boolean
}

const MOST_EXPANSIONS = 1000
const MOST_BRACES = 100
const LARGEST_SET = 200
/** What comes before the first wildcard. */
const PLAIN = /^(?:[^*?[{\\]+|\\.)*/su
const ANY_DEPTH = '**'
const EVERYWHERE = /(?:^|\/)\*\*(?:\/\*)?$/u

export function hasWildcards(text: string): boolean {
  return /[*?[{]/u.test(text)
}

/**
 * Reads `*`, `?`, `[a-z]`, `[!a-z]`, `{a,b}`, `**` for any number of folders, and a backslash that takes a meaning away.
 * As in shells, a name that begins with a dot is matched by a pattern that does so too. Fails `usage`.
 */
export function parseGlob(pattern: string): Glob {
  const plain = PLAIN.exec(pattern)?.[0] ?? ''
  const cut = plain.lastIndexOf('/') + 1
  const texts = expandBraces(pattern.slice(cut))
  const choices = texts.map(readSegments)
  // In shells a slash at the end asks for folders, and here there are no others.
  const folders = choices.flatMap((segments, index) => {
    const text = texts[index] ?? ''
    if (EVERYWHERE.test(text)) return []
    return [text.endsWith('/') ? readSegments(trimEndSlashes(text)) : segments]
  })
  const base = plain.slice(0, cut).replaceAll(/\\(.)/gsu, '$1')
  return {
    base: trimEndSlashes(base) || (base === '' ? '.' : '/'),
    matches: name => choices.some(segments => match(segments, name.split('/'), false)),
    mayHold: folder => choices.some(segments => match(segments, folder.split('/'), true)),
    matchesFolder: folder => folders.some(segments => match(segments, folder.split('/'), false)),
  }
}

type Segment = Word | typeof ANY_DEPTH

function match(segments: readonly Segment[], names: readonly string[], isPart: boolean): boolean {
  // What was tried in vain is not tried again: else each further `**` takes so many times as long.
  const failed = new Set<number>()

  function matchFrom(at: number, from: number): boolean {
    const name = names[from]
    const segment = segments[at]
    if (name === undefined) return isPart ? segment !== undefined : segment === undefined
    if (segment === undefined) return false
    const state = at * (names.length + 1) + from
    if (failed.has(state)) return false
    const isMatch =
      segment === ANY_DEPTH
        ? matchFrom(at + 1, from) || (!name.startsWith('.') && matchFrom(at, from + 1))
        : matchWord(segment, name) && matchFrom(at + 1, from + 1)
    if (!isMatch) failed.add(state)
    return isMatch
  }

  return matchFrom(0, 0)
}

function readSegments(pattern: string): readonly Segment[] {
  const words = pattern.split('/').filter((word, index, all) => word !== ANY_DEPTH || all[index - 1] !== ANY_DEPTH)
  // Everything below a folder, not the folder itself.
  if (words.at(-1) === ANY_DEPTH) words.push('*')
  return words.map(word => (word === ANY_DEPTH ? word : readWord(word)))
}

/** What stands between two slashes: a star, a character itself, or what one character may be. */
interface Word {
  readonly pieces: readonly (typeof STAR | RegExp | string)[]
  readonly startsWild: boolean
}

const STAR = Symbol('*')
const ANY = /^.$/su

function readWord(word: string): Word {
  const pieces: Word['pieces'][number][] = []
  const chars = Array.from(word)
  for (let at = 0; at < chars.length; at++) {
    const char = chars[at] ?? ''
    const set = char === '[' ? readSet(chars, at) : undefined
    if (set !== undefined) {
      pieces.push(set.one)
      at = set.end
    } else if (char === '*') {
      if (pieces.at(-1) !== STAR) pieces.push(STAR)
    } else if (char === '?') pieces.push(ANY)
    else if (char === '\\' && at + 1 < chars.length) pieces.push(chars[++at] ?? '')
    else pieces.push(char)
  }
  return {pieces, startsWild: /^[*?[]/u.test(word)}
}

/** Not by one regular expression: on a mismatch that tries all ways to share a name among the stars, this the last star. */
function matchWord({pieces, startsWild}: Word, name: string): boolean {
  if (startsWild && name.startsWith('.')) return false
  const chars = Array.from(name)
  let [at, from, star, resume] = [0, 0, -1, 0]
  while (from < chars.length) {
    const piece = pieces[at]
    const char = chars[from] ?? ''
    if (piece === STAR) {
      star = at++
      resume = from
    } else if (piece !== undefined && (typeof piece === 'string' ? piece === char : piece.test(char))) {
      at++
      from++
    } else if (star >= 0) {
      at = star + 1
      from = ++resume
    } else return false
  }
  return at === pieces.length || (at === pieces.length - 1 && pieces[at] === STAR)
}

/** `[abc]` as what one character may be, or undefined where nothing closes it. */
function readSet(chars: readonly string[], at: number): {readonly one: RegExp; readonly end: number} | undefined {
  const start = /^[!^]$/u.test(chars[at + 1] ?? '') ? at + 2 : at + 1
  const size = chars.slice(start + 1, start + 1 + LARGEST_SET).indexOf(']')
  if (size < 0) return undefined
  const end = start + 1 + size
  const members = chars
    .slice(start, end)
    .join('')
    .replaceAll(/[\\\]^[]/gu, String.raw`\$&`)
  try {
    return {one: new RegExp(`^[${start === at + 2 ? '^' : ''}${members}]$`, 'su'), end}
  } catch {
    // Ends before it begins, as in [z-a].
    return undefined
  }
}

/** `a{b,c}d` becomes `abd` and `acd`; braces without a comma stay. */
function expandBraces(pattern: string): string[] {
  if (pattern.split('{', MOST_BRACES + 2).length > MOST_BRACES + 1) {
    throw new Failure('usage', `"${pattern.slice(0, 100)}…" has too many braces.`)
  }
  const found = findBraces(pattern)
  if (found === undefined) return [pattern]
  const {start, end, choices} = found
  const tails = expandBraces(pattern.slice(end + 1))
  const heads = choices.flatMap(choice => expandBraces(choice))
  if (heads.length * tails.length > MOST_EXPANSIONS) throw new Failure('usage', `"${pattern}" has too many choices.`)
  return heads.flatMap(head => tails.map(tail => pattern.slice(0, start) + head + tail))
}

function findBraces(
  pattern: string,
): {readonly start: number; readonly end: number; readonly choices: string[]} | undefined {
  for (let start = pattern.indexOf('{'); start >= 0; start = pattern.indexOf('{', start + 1)) {
    if (pattern[start - 1] === '\\') continue
    const choices: string[] = []
    let depth = 0
    let from = start + 1
    for (let at = start; at < pattern.length; at++) {
      const char = pattern[at]
      if (char === '\\') at++
      else if (char === '{') depth++
      else if (char === ',' && depth === 1) {
        choices.push(pattern.slice(from, at))
        from = at + 1
      } else if (char === '}' && --depth === 0) {
        if (choices.length === 0) break
        return {start, end: at, choices: [...choices, pattern.slice(from, at)]}
      }
    }
  }
  return undefined
}
