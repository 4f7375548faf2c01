import type {Dirent} from 'node:fs'
import {opendir, stat} from 'node:fs/promises'
import {join} from 'node:path'
import {sortNames} from './sort-names.ts'

/** What stands under a name: a link counts as what it leads to, unless it leads nowhere. */
export type EntryKind = 'file' | 'folder' | 'fifo' | 'socket' | 'device' | 'nowhere'

export interface FolderEntry {
  /** The bytes of the name, a character each; a folder ends in a slash. */
  readonly name: string
  readonly kind: EntryKind
  readonly isLink: boolean
}

const MARKS = {file: '', folder: '', fifo: 'p', socket: 's', device: 'd', nowhere: 'n'} as const
const ODD_KINDS = {p: 'fifo', s: 'socket', d: 'device', n: 'nowhere'} as const

/**
 * Reads a folder in the order in which stores list keys: by bytes, a folder as if its slash belonged to its name. Holds
 * the names of 100,000 entries at most. Fails as the system does.
 */
export async function* readFolder(path: string): AsyncGenerator<FolderEntry> {
  for await (const text of sortNames(readEntries(path))) yield decode(text)
}

/** Writes an entry as one string that sorts by its name: nothing sorts before the zero byte, and no name has one. */
async function* readEntries(path: string): AsyncGenerator<string> {
  const options = {encoding: 'buffer', bufferSize: 256} as unknown as {encoding: 'utf8'}
  for await (const entry of await opendir(path, options)) {
    const name = (entry.name as unknown as Buffer).toString('latin1')
    const isLink = entry.isSymbolicLink()
    const kind = isLink ? await follow(path, name) : kindOf(entry)
    const mark = (isLink ? 'l' : '') + MARKS[kind]
    yield name + (kind === 'folder' ? '/' : '') + (mark === '' ? '' : `\0${mark}`)
  }
}

function decode(text: string): FolderEntry {
  const [name = '', marks = ''] = text.split('\0')
  const odd = /[psdn]/u.exec(marks)?.[0] as keyof typeof ODD_KINDS | undefined
  const plain = name.endsWith('/') ? 'folder' : 'file'
  return {name, kind: odd === undefined ? plain : ODD_KINDS[odd], isLink: marks.startsWith('l')}
}

function kindOf(entry: Pick<Dirent, 'isFile' | 'isDirectory' | 'isFIFO' | 'isSocket'>): EntryKind {
  if (entry.isFile()) return 'file'
  if (entry.isDirectory()) return 'folder'
  if (entry.isFIFO()) return 'fifo'
  return entry.isSocket() ? 'socket' : 'device'
}

async function follow(folder: string, name: string): Promise<EntryKind> {
  try {
    return kindOf(await stat(Buffer.concat([Buffer.from(join(folder, '/')), Buffer.from(name, 'latin1')])))
  } catch {
    // It leads nowhere, in a circle, or where we may not go.
    return 'nowhere'
  }
}
