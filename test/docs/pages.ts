import {readdirSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

export interface Page {
  /** From the root of the repository. */
  readonly path: string
  readonly text: string
}

/** Returns the pages that people read: those at the root and those in docs. */
export function readPages(): Page[] {
  const names = (folder: string): string[] => readdirSync(join(ROOT, folder)).filter(name => name.endsWith('.md'))
  const paths = [...names('.'), ...names('docs').map(name => `docs/${name}`)]
  return paths.map(path => ({path, text: readFileSync(join(ROOT, path), 'utf8').replaceAll('\r\n', '\n')}))
}

export function readPage(path: string): Page {
  const found = readPages().find(page => page.path === path)
  if (found === undefined) throw new Error(`There is no page ${path}.`)
  return found
}
