import {Failure} from '../../core/failure.ts'
import type {ContainerOptions} from '../store.ts'
import {encodeHeader, encodeMetadata} from './encode.ts'

const META = 'x-container-meta-'
/** What only S3 has, by its flag, and what to do instead. */
const S3_ONLY = [
  ['abortIncompleteAfterInDays', '--abort-incomplete', 'Drop them when it suits you: skylift pending prune TARGET.'],
  ['deleteAfterInDays', '--delete-after', 'Objects expire there one by one: skylift upload --delete-after.'],
  ['encryption', '--encryption', 'Its operator decides on that, for the whole cluster.'],
] as const

/** Everybody may read objects, and nobody may list them. */
const PUBLIC_READ = '.r:*'

/** Fails `unsupported` for what only S3 has, `usage` for metadata that is none. */
export function checkOptions(options: ContainerOptions): void {
  for (const [name, flag, suggestion] of S3_ONLY) {
    if (options[name] === undefined) continue
    throw new Failure('unsupported', `Containers of Swift have no ${flag}.`, {suggestion})
  }
  for (const [name, value] of Object.entries(options.metadata ?? {})) checkMetadata(name, value)
}

function checkMetadata(name: string, value: string): void {
  if (OWN_WORDS.test(META + name.toLowerCase())) {
    throw new Failure('usage', `"${name}" is no metadata of yours: it is a setting that has a command of its own.`, {
      suggestion: 'Take --quota-bytes, --quota-count, skylift cors or skylift temp-url-key.',
    })
  }
  // https://www.rfc-editor.org/rfc/rfc9110#name-tokens
  if (!/^[\w!#$%&'*+.^`|~-]+$/u.test(name) || /\p{Cc}/u.test(value)) {
    throw new Failure('usage', `The metadata "${name}" cannot travel as a header.`)
  }
}

/** Metadata that means something to Swift; the keys of temp URLs are secrets, too. */
export const OWN_WORDS = /^x-container-meta-(?:quota-|access-control-|temp-url-key)/u

/** Returns the headers that set a container; an empty value removes what was set. */
export function containerHeaders(options: ContainerOptions): Record<string, string> {
  const {publicRead, readAcl, versioning, quotaBytes, quotaCount, metadata = {}} = options
  return {
    ...(publicRead === true ? {'x-container-read': PUBLIC_READ} : {}),
    ...(readAcl === undefined ? {} : {'x-container-read': encodeHeader(readAcl)}),
    ...(versioning === undefined ? {} : {'x-versions-enabled': String(versioning)}),
    ...(quotaBytes === undefined ? {} : {[`${META}quota-bytes`]: limitOf(quotaBytes)}),
    ...(quotaCount === undefined ? {} : {[`${META}quota-count`]: limitOf(quotaCount)}),
    ...Object.fromEntries(
      Object.entries(metadata).map(([name, value]) => [META + name.toLowerCase(), encodeMetadata(value)]),
    ),
  }
}

function limitOf(value: number): string {
  return value === 0 ? '' : String(value)
}

/** Adds `.r:*` to a read ACL, and keeps all else. */
export function addPublicRead(acl: string): string {
  return isPublicRead(acl) ? acl : [...acl.split(',').filter(each => each.trim() !== ''), PUBLIC_READ].join(',')
}

/** Removes what lets everybody read and list. */
export function removePublicRead(acl: string): string {
  return acl
    .split(',')
    .filter(each => !/^\s*\.(?:r|referrer|referer|ref):\*\s*$|^\s*\.rlistings\s*$/iu.test(each))
    .join(',')
}

export function isPublicRead(acl: string): boolean {
  return acl.split(',').some(each => /^\s*\.(?:r|referrer|referer|ref):\*\s*$/iu.test(each))
}
