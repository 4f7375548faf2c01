import {Failure} from './failure.ts'

/** A pattern as shells have it, taken apart where the first wildcard stands. */
export interface Glob {
  /** The folder before the first wildcard: what is matched counts from there. */
  readonly base: string
  /** Whether a path below `base` matches. */
  matches(name: string): boolean
  /** Whether something in a folder below `base` may match. */
  mayHold(folder: string): boolean
}

const MOST_EXPANSIONS = 1000
const SPECIAL = /[*?[{\\]/u
const ANY_DEPTH = '**'

export function hasWildcards(text: string): boolean {
  return /[*?[{]/u.test(text)
}

/**
 * Reads `*`, `?`, `[a-z]`, `[!a-z]`, `{a,b}`, `**` for any number of folders, and a backslash that takes a meaning away.
 * As in shells, a name that begins with a dot is matched by a pattern that does so too. Fails `usage`.
 */
export function parseGlob(pattern: string): Glob {
  const at = pattern.search(SPECIAL)
  const cut = pattern.lastIndexOf('/', at < 0 ? pattern.length : at) + 1
  const choices = expandBraces(pattern.slice(cut)).map(choice => readSegments(choice))
  const base = pattern.slice(0, cut)
  return {
    base: base === '/' ? base : base.replace(/\/+$/u, '') || '.',
    matches: name => choices.some(segments => match(segments, 0, name.split('/'), 0, false)),
    mayHold: folder => choices.some(segments => match(segments, 0, folder.split('/'), 0, true)),
  }
}

type Segment = RegExp | typeof ANY_DEPTH

function match(
  segments: readonly Segment[],
  at: number,
  names: readonly string[],
  from: number,
  isPart: boolean,
): boolean {
  const name = names[from]
  const segment = segments[at]
  if (name === undefined) return isPart ? segment !== undefined : segment === undefined
  if (segment === undefined) return false
  if (segment !== ANY_DEPTH) return segment.test(name) && match(segments, at + 1, names, from + 1, isPart)
  return (
    match(segments, at + 1, names, from, isPart) ||
    (!name.startsWith('.') && match(segments, at, names, from + 1, isPart))
  )
}

function readSegments(pattern: string): readonly Segment[] {
  const words = pattern.split('/').filter((word, index, all) => word !== ANY_DEPTH || all[index - 1] !== ANY_DEPTH)
  // Everything below a folder, not the folder itself.
  if (words.at(-1) === ANY_DEPTH) words.push('*')
  return words.map(word => (word === ANY_DEPTH ? word : toRegExp(word)))
}

function toRegExp(word: string): RegExp {
  let source = /^[*?[]/u.test(word) ? '(?!\\.)' : ''
  for (let at = 0; at < word.length; at++) {
    const char = word[at] ?? ''
    const set = char === '[' ? readSet(word, at) : undefined
    if (set !== undefined) {
      source += set.source
      at = set.end
    } else if (char === '*') source += '[^/]*'
    else if (char === '?') source += '[^/]'
    else if (char === '\\' && at + 1 < word.length) source += escape(word[++at] ?? '')
    else source += escape(char)
  }
  return new RegExp(`^${source}$`, 'su')
}

/** `[abc]` with what it means, or undefined where nothing closes it. */
function readSet(word: string, at: number): {readonly source: string; readonly end: number} | undefined {
  const start = /^[!^]/u.test(word.slice(at + 1)) ? at + 2 : at + 1
  const end = word.indexOf(']', start + 1)
  if (end < 0) return undefined
  const members = word.slice(start, end).replaceAll(/[\\\]^[]/gu, String.raw`\$&`)
  try {
    const source = `[${start === at + 2 ? '^' : ''}${members}]`
    return {source: new RegExp(source, 'u').source, end}
  } catch {
    // Ends before it begins, as in [z-a].
    return undefined
  }
}

function escape(char: string): string {
  return char.replaceAll(/[$()*+.?[\\\]^{|}/]/gu, String.raw`\$&`)
}

/** `a{b,c}d` becomes `abd` and `acd`; braces without a comma stay. */
function expandBraces(pattern: string): string[] {
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
