import {readFile} from 'node:fs/promises'
import type {Ignore} from 'ignore'
import {Failure} from '../core/failure.ts'
import {printable} from '../core/printable.ts'
import type {SourceFlags} from './source-flags.ts'

/** Whether a path below a source is wanted; a folder's ends in a slash. */
export type SourceFilter = (name: string) => boolean

/** The package remembers every path that it was asked for, so it is made anew before that is many. */
const MOST_REMEMBERED = 10_000

/** Makes one filter of `--include`, `--exclude` and `--ignore-file`. Fails `config` for a file that cannot be read. */
export async function createFilter(flags: SourceFlags): Promise<SourceFilter> {
  const rules = await Promise.all((flags['ignore-file'] ?? []).map(readRules))
  const isLeftOut = await createMatcher([...rules, ...(flags.exclude ?? [])])
  const {include = []} = flags
  const isTaken = include.length === 0 ? () => true : await createMatcher(include)
  // What a folder that is not included holds may be.
  return name => !isLeftOut(name) && (name.endsWith('/') || isTaken(name))
}

async function createMatcher(patterns: readonly string[]): Promise<SourceFilter> {
  if (patterns.length === 0) return () => false
  const {default: ignore} = await import('ignore')
  let matcher: Ignore | undefined
  let asked = 0
  return name => {
    if (++asked % MOST_REMEMBERED === 0) matcher = undefined
    // One by one: only so it takes a text of many lines apart.
    matcher ??= patterns.reduce((all, text) => all.add(text), ignore({allowRelativePaths: true, ignorecase: false}))
    return matcher.ignores(name)
  }
}

async function readRules(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw new Failure('config', `The ignore file "${printable(path)}" cannot be read.`, {cause: error})
  }
}
