import {lstat, realpath, stat} from 'node:fs/promises'
import {basename, resolve} from 'node:path'
import {hasWildcards, parseGlob} from '../core/glob.ts'
import {Failure, isFailure} from '../core/failure.ts'
import {printable} from '../core/printable.ts'
import {orderOf} from '../upload/listing.ts'
import {mergeSorted} from '../upload/merge-sorted.ts'
import {identifyFile} from '../upload/source.ts'
import {walkFolder} from '../upload/walk.ts'
import type {Found, WalkOptions} from '../upload/walk.ts'
import {readPathList} from './path-list.ts'
import {createFilter} from './source-filter.ts'
import type {SourceFilter} from './source-filter.ts'
import type {SourceFlags} from './source-flags.ts'

/** What the words and flags of an upload come to. */
export interface Sources {
  /** In the order of their names; may be gone through once. */
  readonly found: AsyncIterable<Found>
  /** Where nothing is walked: all of them, in the order of the words, and their size. */
  readonly named?: {readonly files: readonly Found[]; readonly size: number}
  /** What says that two runs have the same sources. */
  readonly identity: readonly string[]
}

/**
 * Finds files, folders, globs and lists. Looks at all that is named, so that a word that is wrong costs nothing; folders
 * are read while their files are sent. Fails `not-found`, `forbidden`, `usage`.
 */
export async function openSources(
  words: readonly string[],
  flags: SourceFlags,
  tell: (message: string) => void,
): Promise<Sources> {
  const isWanted = await createFilter(flags)
  const {'from-file': list} = flags
  if (list !== undefined) {
    const base = words[0] ?? '.'
    const found = await peek(readPathList(list, base, isWanted))
    return {found, identity: ['list', list === '-' ? list : resolve(list), await realpath(base)]}
  }
  const walk: WalkOptions = {symlinks: flags.symlinks as WalkOptions['symlinks'], isWanted, tell}
  const files: Found[] = []
  const streams: AsyncIterable<Found>[] = []
  const identity: string[] = []
  let size = 0
  for (const word of words) {
    const kind = await lookAt(word)
    if (kind === 'glob') {
      streams.push(await openGlob(word, walk, flags.recursive === true))
      identity.push(`glob ${resolve(word)}`)
      continue
    }
    identity.push(await realpath(word).catch(() => resolve(word)))
    if (kind === 'folder' && flags.recursive === true) {
      const found = await peek(walkFolder(word, walk))
      if (found.first?.failure !== undefined && found.first.name === '') throw found.first.failure
      streams.push(found)
      continue
    }
    // Fails for a folder, in the words for it.
    const file = await identifyFile(word)
    const name = basename(word)
    if (!isWanted(name)) continue
    files.push({path: word, name, order: orderOf(name)})
    size += file.size
  }
  if (streams.length === 0) return {found: sort(files), named: {files, size}, identity: identity.sort()}
  if (files.length > 0) streams.push(sort(files))
  const merged = mergeSorted(streams)
  // In one folder no two files have one name.
  return {found: streams.length > 1 ? refuseTwins(merged) : merged, identity: identity.sort()}
}

async function* sort(files: readonly Found[]): AsyncGenerator<Found> {
  yield* files.toSorted((a, b) => (a.order < b.order ? -1 : 1))
}

/** No file can have such a name, a pattern may: `{…}` has no end, and a folder of the name of a file none. */
export const NAMES_NOTHING: readonly string[] = ['ENOENT', 'ENOTDIR', 'ENAMETOOLONG']

/** A word that is the name of something is that, whatever its letters mean in a glob. */
async function lookAt(word: string): Promise<'file' | 'folder' | 'glob'> {
  try {
    await lstat(word)
  } catch (error) {
    const {code} = error as NodeJS.ErrnoException
    return NAMES_NOTHING.includes(code ?? '') && hasWildcards(word) ? 'glob' : 'file'
  }
  const found = await stat(word).catch(() => undefined)
  return found?.isDirectory() === true ? 'folder' : 'file'
}

/**
 * Walks the folder where the glob's wildcards begin; the path from there on is the name. With `-r` a folder that matches
 * comes with all that is in it, as one that is named.
 */
async function openGlob(pattern: string, walk: WalkOptions, isRecursive: boolean): Promise<AsyncIterable<Found>> {
  const {base, matches, mayHold, matchesFolder} = parseGlob(pattern)
  let isAny = false
  let isAnyFolder = false
  const nothing = (): Failure =>
    new Failure('not-found', `${isAnyFolder ? 'No file' : 'Nothing'} matches "${printable(pattern)}".`, {
      suggestion: isAnyFolder
        ? 'Folders do: take what is in them with -r.'
        : 'Check the pattern: * stays within a folder, ** goes into all of them, dotfiles need a dot.',
    })
  if ((await lookAt(base)) !== 'folder') throw nothing()
  const isInFolder = createFolderFilter(matchesFolder)
  const isWanted: SourceFilter = name => {
    const isFolder = name.endsWith('/')
    const isBelow = isInFolder(name)
    isAnyFolder ||= isBelow
    const isFound = (isBelow && isRecursive) || (!isFolder && matches(name))
    if (!isFound && !(isFolder && mayHold(name.slice(0, -1)))) return false
    isAny ||= isFound
    return walk.isWanted(name)
  }
  const found = await peek(walkFolder(base, {...walk, isWanted}))
  if (found.first === undefined && !isAny) throw nothing()
  return found
}

/** Says of a name whether it is, or lies in, a folder that matches. Asked of one entry of a folder after the other. */
function createFolderFilter(matches: SourceFilter): SourceFilter {
  let last = {folder: '', isTaken: false}

  function isTaken(folder: string): boolean {
    if (folder === '') return false
    if (folder !== last.folder) last = {folder, isTaken: isTaken(parentOf(folder)) || matches(folder)}
    return last.isTaken
  }

  return name => isTaken(parentOf(name))
}

/** Of `a/b/` that is `a/b`: a folder counts as being in itself. */
function parentOf(name: string): string {
  return name.slice(0, Math.max(0, name.lastIndexOf('/')))
}

/** Reads the first item at once: what fails from the start fails before anything is sent. */
export async function peek<T>(items: AsyncGenerator<T>): Promise<AsyncIterable<T> & {readonly first: T | undefined}> {
  const first = await items.next()
  let isTaken = false
  const rest: AsyncIterator<T> = {
    next() {
      if (isTaken) return items.next()
      isTaken = true
      return Promise.resolve(first)
    },
    return: () => items.return(undefined),
  }
  return {first: first.done === true ? undefined : first.value, [Symbol.asyncIterator]: () => rest}
}

/** Files of several sources that would become one object are refused, both; one that came twice is one. */
export async function* refuseTwins(found: AsyncIterable<Found>): AsyncGenerator<Found> {
  let group: Found[] = []
  for await (const each of found) {
    const [first] = group
    if (first !== undefined && first.order !== each.order) {
      if (group.length === 1) yield first
      else yield* settle(group)
      group = []
    }
    group.push(each)
  }
  yield* settle(group)
}

function settle(group: readonly Found[]): readonly Found[] {
  const paths = [...new Set(group.map(({path}) => resolve(path)))]
  const [first] = group
  if (first === undefined || (paths.length === 1 && first.isNameless !== true)) return group.slice(0, 1)
  return group.map(each => {
    const other = group.find(({path}) => path !== each.path) ?? first
    if (isFailure(each.failure)) return each
    const message = `"${printable(each.path)}" and "${printable(other.path)}" would both become "${printable(each.name)}".`
    return {...each, failure: new Failure('usage', message, {suggestion: 'Upload one of them by another command.'})}
  })
}
