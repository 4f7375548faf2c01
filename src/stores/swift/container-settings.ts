import {Failure} from '../../core/failure.ts'
import type {ContainerOptions} from '../store.ts'
import {encodeMetadata} from './encode.ts'

const META = 'x-container-meta-'
const S3_ONLY = ['abortIncompleteAfterInDays', 'deleteAfterInDays', 'encryption'] as const

/** Everybody may read objects, and nobody may list them. */
const PUBLIC_READ = '.r:*'

/** Fails `unsupported` for what only S3 has. */
export function checkOptions(options: ContainerOptions): void {
  const foreign = S3_ONLY.find(name => options[name] !== undefined)
  if (foreign === undefined) return
  throw new Failure('unsupported', `Swift has no such setting of containers: ${foreign}.`, {
    suggestion: 'Leave it out; objects expire there one by one, with upload --delete-after.',
  })
}

/** Returns the headers that set a container; an empty value removes what was set. */
export function containerHeaders(options: ContainerOptions): Record<string, string> {
  const {publicRead, versioning, quotaBytes, quotaCount, metadata = {}} = options
  return {
    ...(publicRead === true ? {'x-container-read': PUBLIC_READ} : {}),
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
