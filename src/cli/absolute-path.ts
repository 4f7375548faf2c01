import {isAbsolute} from 'node:path'

/** Not `path.resolve`: it takes `..` away, which behind a link is another folder. */
export function absolutePath(path: string): string {
  return isAbsolute(path) ? path : `${process.cwd()}/${path}`
}
