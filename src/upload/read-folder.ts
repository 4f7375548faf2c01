import type {Dir, Dirent} from 'node:fs'
import {opendir, stat} from 'node:fs/promises'
import {join} from 'node:path'
import {setImmediate} from 'node:timers/promises'
import {quickCall} from './quick-calls.ts'
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

/** Read at once by the system. */
const PAGE = 64
const PAGES_A_TURN = 16
/** What a page takes from memory when its code runs for the first time, in ms. */
const QUICK_PAGE = 2

/**
 * Reads a folder in the order in which stores list keys: by bytes, a folder as if its slash belonged to its name. Hands
 * the entries out in pages, since a promise for each would cost more than all else about it, and holds the names of 100,000
 * at most. Fails as the system does.
 */
export async function* readFolder(path: string): AsyncGenerator<Iterable<FolderEntry>> {
  for await (const texts of sortNames(readEntries(path))) yield decodeAll(texts)
}

/** Writes an entry as one string that sorts by its name: nothing sorts before the zero byte, and no name has one. */
async function* readEntries(path: string): AsyncGenerator<string[]> {
  const options = {encoding: 'buffer', bufferSize: PAGE} as unknown as {encoding: 'utf8'}
  const folder = await opendir(path, options)
  let count = 0
  try {
    for (let page = await readPage(folder); page.length > 0; page = await readPage(folder)) {
      // What comes from memory would keep the sending and Ctrl-C waiting.
      if (++count % PAGES_A_TURN === 0) await setImmediate()
      const texts: string[] = []
      for (const entry of page) {
        const name = (entry.name as unknown as Buffer).toString('latin1')
        const isLink = entry.isSymbolicLink()
        const kind = isLink ? await follow(path, name) : kindOf(entry)
        const mark = (isLink ? 'l' : '') + MARKS[kind]
        texts.push(name + (kind === 'folder' ? '/' : '') + (mark === '' ? '' : `\0${mark}`))
      }
      yield texts
    }
  } finally {
    await folder.close()
  }
}

/** Empty at the end. */
const readPage = quickCall(
  (folder: Dir): Dirent[] => {
    const page: Dirent[] = []
    while (page.length < PAGE) {
      const entry = folder.readSync()
      if (entry === null) break
      page.push(entry)
    }
    return page
  },
  async folder => {
    const page: Dirent[] = []
    while (page.length < PAGE) {
      const entry = await folder.read()
      if (entry === null) break
      page.push(entry)
    }
    return page
  },
  QUICK_PAGE,
)

function* decodeAll(texts: readonly string[]): Generator<FolderEntry> {
  for (const text of texts) yield decode(text)
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
