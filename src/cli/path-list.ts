import {createReadStream} from 'node:fs'
import {realpath} from 'node:fs/promises'
import {isAbsolute} from 'node:path'
import {isUtf8} from 'node:buffer'
import {Failure} from '../core/failure.ts'
import {printable} from '../core/printable.ts'
import {sortNames} from '../upload/sort-names.ts'
import type {Found} from '../upload/walk.ts'
import type {SourceFilter} from './source-filter.ts'
import {readStdin} from './stdin-source.ts'

/**
 * Finds the files that a list names, sorted by their paths below `base`, which become their keys. Waits for the end of
 * the list. What leads out of `base` comes as a failure of its own. Fails `not-found`, `config`.
 */
export async function* readPathList(list: string, base: string, isWanted: SourceFilter): AsyncGenerator<Found> {
  const folder = await realpath(base).catch((error: unknown) => {
    throw listFailure(error, base, 'folder')
  })
  const root = `${folder.replace(/\/$/u, '')}/`
  let last: string | undefined
  for await (const orders of sortNames(readEntries(list, Buffer.from(root).toString('latin1')))) {
    for (const order of orders) {
      // A file that is named twice is one file.
      if (order === last) continue
      last = order
      const bytes = Buffer.from(order, 'latin1')
      const name = bytes.toString()
      const path = base === '.' || isAbsolute(name) ? name : `${base}/${name}`
      const failure = isUtf8(bytes) ? refuse(name, base) : notUtf8(name)
      if (failure !== undefined) yield {path, name, order, failure, isNameless: true}
      else if (isWanted(name)) yield {path, name, order}
    }
  }
}

/** Of UTF-8, its bytes a character each. */
const BYTE_ORDER_MARK = /^\u00EF\u00BB\u00BF/u

/** Yields paths as bytes, a character each: those below `root` from there on. */
async function* readEntries(list: string, root: string): AsyncGenerator<string[]> {
  const stream = list === '-' ? readStdin() : createReadStream(list)
  let separator: RegExp | undefined
  let rest = ''
  try {
    for await (const piece of stream) {
      rest += (piece as Buffer).toString('latin1')
      // `find -print0` and `git ls-files -z` write no name without a zero byte.
      if (separator === undefined) {
        separator = rest.includes('\0') ? /\0/u : rest.includes('\n') ? /\r?\n/u : undefined
        if (separator === undefined) continue
        // Windows writes a mark before the first line; before a zero byte it belongs to the name.
        if (!rest.includes('\0')) rest = rest.replace(BYTE_ORDER_MARK, '')
      }
      const entries = rest.split(separator)
      rest = entries.pop() ?? ''
      yield entries.filter(entry => entry !== '').map(entry => tidy(entry, root))
    }
  } catch (error) {
    throw listFailure(error, list, 'list')
  }
  if (rest !== '') yield [tidy(rest, root)]
}

/** `./a//b` and, where the list counts from there, `/base/a/b` are `a/b`. */
function tidy(entry: string, root: string): string {
  const below = entry.startsWith(root) ? entry.slice(root.length) : entry
  return below.replaceAll(/\/(?:\.?\/)+/gu, '/').replace(/^(?:\.\/)+/u, '')
}

function refuse(name: string, base: string): Failure | undefined {
  if (!isAbsolute(name) && !name.split('/').includes('..')) return undefined
  const folder = printable(base === '.' ? 'this folder' : `"${base}"`)
  return new Failure('usage', `"${printable(name)}" does not lie in ${folder}, so it has no path for its key.`, {
    suggestion: 'Name the folder that all of them lie in: skylift upload FOLDER TARGET --from-file LIST',
  })
}

function notUtf8(name: string): Failure {
  return new Failure('usage', `The name of "${printable(name)}" is not UTF-8, as keys must be: it stays behind.`, {
    suggestion: 'Rename it, for example with convmv.',
  })
}

function listFailure(error: unknown, path: string, what: string): unknown {
  if (error instanceof Failure) return error
  const {code, message} = error as NodeJS.ErrnoException
  const name = printable(path)
  const suggestion = 'Check its name.'
  if (code === 'ENOENT') return new Failure('not-found', `There is no ${what} "${name}".`, {cause: error, suggestion})
  return new Failure('config', `The ${what} "${name}" cannot be read: ${message}.`, {cause: error, suggestion})
}
