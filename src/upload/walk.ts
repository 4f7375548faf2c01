import {isUtf8} from 'node:buffer'
import {stat} from 'node:fs/promises'
import {Failure} from '../core/failure.ts'
import {printable} from '../core/printable.ts'
import {readFolder} from './read-folder.ts'
import type {FolderEntry} from './read-folder.ts'

/** A file that was found, or what stands in its place and why it cannot be sent. */
export interface Found {
  readonly path: string
  /** The path below the folder that was walked. */
  readonly name: string
  /** The bytes of the name, a character each: what is found is sorted by it. */
  readonly order: string
  readonly failure?: Failure
  /** The name cannot be a key. */
  readonly isNameless?: boolean
}

export interface WalkOptions {
  readonly symlinks: 'follow' | 'skip' | 'error'
  /** Whether a name below the folder is wanted; a folder's ends in a slash. What is not wanted is not looked into. */
  isWanted(name: string): boolean
  /** Something that was passed over. */
  tell(message: string): void
}

const WORDS = {fifo: 'named pipe', socket: 'socket', device: 'device'} as const

/** A folder that is being read, and those around it. */
interface Level {
  readonly path: string
  readonly order: string
  readonly pages: AsyncGenerator<Iterable<FolderEntry>>
  page: Iterator<FolderEntry>
  readonly around: Level | undefined
  identity?: string
}

/**
 * Finds every file below a folder, in the order in which stores list keys, in memory that does not grow with their
 * number. What cannot be read comes as a failure of its own, and the walk goes on.
 */
export async function* walkFolder(root: string, {symlinks, isWanted, tell}: WalkOptions): AsyncGenerator<Found> {
  let level: Level | undefined = openLevel(root, '', undefined)
  while (level !== undefined) {
    const entry: FolderEntry | Failure | undefined = takeEntry(level) ?? (await nextEntry(level))
    if (entry === undefined) {
      level = level.around
      continue
    }
    if (entry instanceof Failure) {
      const {path, order} = level
      yield {path, name: decodeName(order), order, failure: entry}
      level = level.around
      continue
    }
    const {kind, isLink} = entry
    const order: string = level.order + entry.name
    const name = decodeName(order)
    const path = joinPath(root, name)
    const failed = (failure: Failure): Found => ({path, name, order, failure})
    const passOver = (how: string): void => tell(`"${nameOf(path)}" ${how}: passed over.`)
    if (!isWanted(name)) continue
    if (!isText(entry.name)) yield {...failed(notUtf8(path, kind === 'folder')), isNameless: true}
    else if (isLink && symlinks === 'skip') passOver('is a symbolic link')
    else if (isLink && symlinks === 'error') yield failed(isSymlink(path))
    else if (kind === 'nowhere') yield failed(leadsNowhere(path))
    else if (kind === 'file') yield {path, name, order}
    else if (kind !== 'folder') passOver(`is a ${WORDS[kind]}`)
    else if (isLink && (await isInside(path, level))) {
      passOver('leads back to a folder that it lies in')
    } else level = openLevel(path, order, level)
  }
}

function openLevel(path: string, order: string, around: Level | undefined): Level {
  return {path, order, around, pages: readFolder(path), page: [][Symbol.iterator]()}
}

/** What is there already. */
function takeEntry(level: Level): FolderEntry | undefined {
  const next = level.page.next()
  return next.done === true ? undefined : next.value
}

async function nextEntry(level: Level): Promise<FolderEntry | Failure | undefined> {
  try {
    const next = await level.pages.next()
    if (next.done === true) return undefined
    level.page = next.value[Symbol.iterator]()
    return takeEntry(level)
  } catch (error) {
    return error instanceof Failure ? error : folderFailure(error, level.path)
  }
}

// oxlint-disable-next-line no-control-regex
const ASCII = /^[\u0000-\u007F]*$/u

/** Whether the bytes of a name are UTF-8, as keys must be. */
function isText(name: string): boolean {
  return ASCII.test(name) || isUtf8(Buffer.from(name, 'latin1'))
}

function decodeName(order: string): string {
  return ASCII.test(order) ? order : Buffer.from(order, 'latin1').toString()
}

/** Not `path.join`: it takes `..` away, which behind a link is another folder. */
function joinPath(root: string, name: string): string {
  if (root === '.') return name
  return root.endsWith('/') ? root + name : `${root}/${name}`
}

/** True where a link leads to one of the folders around it, which would never end. */
async function isInside(path: string, level: Level): Promise<boolean> {
  const identity = await identify(path)
  for (let at: Level | undefined = level; at !== undefined; at = at.around) {
    at.identity ??= await identify(at.path)
    if (at.identity === identity) return true
  }
  return false
}

async function identify(path: string): Promise<string> {
  try {
    const {dev, ino} = await stat(path, {bigint: true})
    return `${dev}:${ino}`
  } catch {
    return ''
  }
}

function nameOf(path: string): string {
  return printable(path.replace(/(?<=.)\/$/u, ''))
}

function notUtf8(path: string, isFolder: boolean): Failure {
  const what = isFolder ? 'folder and all that is in it' : 'file'
  const message = `The name of "${nameOf(path)}" is not UTF-8, as keys must be: this ${what} stays behind.`
  return new Failure('usage', message, {suggestion: 'Rename it, for example with convmv.'})
}

function isSymlink(path: string): Failure {
  return new Failure('usage', `"${nameOf(path)}" is a symbolic link.`, {
    suggestion: 'Take what it leads to with --symlinks follow, or leave all links out with --symlinks skip.',
  })
}

function leadsNowhere(path: string): Failure {
  return new Failure('not-found', `The symbolic link "${nameOf(path)}" leads nowhere.`, {
    suggestion: 'Mend or remove it, leave it out with --exclude, or all links with --symlinks skip.',
  })
}

function folderFailure(error: unknown, path: string): Failure {
  const {code, message} = error as NodeJS.ErrnoException
  const name = nameOf(path)
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new Failure('source-changed', `The folder "${name}" went away while it was read.`, {cause: error})
  }
  if (code === 'EACCES' || code === 'EPERM') {
    const suggestion = 'Check its mode, or leave it out with --exclude.'
    return new Failure('forbidden', `The folder "${name}" may not be read by you.`, {cause: error, suggestion})
  }
  return new Failure('source-changed', `The folder "${name}" cannot be read: ${message}.`, {cause: error})
}
