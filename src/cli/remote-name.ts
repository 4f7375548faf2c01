import {Failure} from '../core/failure.ts'
import {RESERVED} from './remotes.ts'

/** Reads the name of a remote, `r2` or `r2://`. Fails `usage`. */
export function readRemoteName(text: string): string {
  const name = text.replace(/:\/\/$/u, '')
  if (/^[a-z][a-z0-9-]+$/u.test(name)) return name
  throw new Failure('usage', `"${text}" cannot be the name of a remote.`, {
    suggestion: 'A name has small letters, digits and hyphens, begins with a letter and has two characters or more.',
  })
}

/** Reads a name that a person may give. Fails `usage` for one that is built in. */
export function readOwnName(text: string): string {
  const name = readRemoteName(text)
  if (!RESERVED.includes(name)) return name
  throw new Failure('usage', `"${name}" has a meaning of its own and cannot be given to a remote.`, {
    suggestion: 'Choose another name.',
  })
}
