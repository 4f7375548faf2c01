import {parseDate} from '../../core/dates.ts'
import {Failure} from '../../core/failure.ts'
import type {Answer} from '../../http/send.ts'
import type {ObjectInfo, ObjectOptions, Target} from '../store.ts'
import {decodeHeader, decodeMetadata, encodeMetadata} from './encode.ts'

const META = 'x-object-meta-'

/** What S3 has and Swift does not; better told than left out. */
const S3_ONLY = [
  ['tags', '--tag'],
  ['storageClass', '--storage-class'],
  ['acl', '--acl'],
  ['sse', '--sse'],
  ['sseKmsKeyId', '--sse-kms-key-id'],
] as const

/** Returns the headers that give an object its type and metadata. Fails `unsupported` for what only S3 has. */
export function objectHeaders(options: ObjectOptions): Record<string, string> {
  const foreign = S3_ONLY.find(([name]) => options[name] !== undefined)
  if (foreign !== undefined) {
    throw new Failure('unsupported', `Objects of Swift have no ${foreign[1]}.`, {
      suggestion: 'Leave it out. A storage policy and a read ACL belong to the container there.',
    })
  }
  const named: Record<string, string | undefined> = {
    // Without one Swift guesses by the key's ending.
    'content-type': options.contentType ?? 'application/octet-stream',
    'cache-control': options.cacheControl,
    'content-disposition': options.contentDisposition,
    'content-encoding': options.contentEncoding,
    'x-delete-after': options.deleteAfterInSeconds?.toString(),
  }
  for (const [name, value] of Object.entries(options.metadata ?? {})) {
    named[META + name.toLowerCase()] = encodeMetadata(value)
  }
  const headers = Object.entries(named).filter((entry): entry is [string, string] => entry[1] !== undefined)
  const odd = headers.find(([, value]) => !/^[\t\u0020-\u007E]*$/u.test(value))
  if (odd !== undefined) throw new Failure('usage', `The header ${odd[0]} must be printable ASCII.`)
  return Object.fromEntries(headers)
}

export function unquote(etag: unknown): string {
  return (typeof etag === 'string' ? etag : '').replaceAll(/^(?:W\/)?"|"$/gu, '')
}

export function isLargeObject({headers}: Answer): boolean {
  return /^true$/iu.test(String(headers['x-static-large-object'] ?? ''))
}

/** Reads what HEAD and GET say of an object. */
export function readInfo(target: Target, answer: Answer): ObjectInfo {
  const {headers} = answer
  const metadata = Object.entries(headers)
    .filter(([name]) => name.startsWith(META))
    .map(([name, value]) => [name.slice(META.length), decodeMetadata(String(value))])
  const total = /\/(\d+)$/u.exec(headers['content-range'] ?? '')?.[1]
  const modified = parseDate(headers['last-modified'])
  const contentType = headers['content-type']
  const contentDisposition = headers['content-disposition']
  const isOpaque = isLargeObject(answer) || headers['x-object-manifest'] !== undefined
  return {
    target,
    size: sizeOf(total ?? headers['content-length']),
    etag: unquote(headers.etag),
    metadata: Object.fromEntries(metadata) as Record<string, string>,
    ...(modified === undefined ? {} : {modified}),
    ...(contentType === undefined ? {} : {contentType: decodeHeader(contentType)}),
    ...(contentDisposition === undefined ? {} : {contentDisposition: decodeHeader(contentDisposition)}),
    // The MD5 of MD5s, or of nothing at all.
    ...(isOpaque ? {isEtagOpaque: true} : {}),
  }
}

/** Below zero where nothing is said. */
function sizeOf(text: string | undefined): number {
  const size = Number(text ?? -1)
  return Number.isSafeInteger(size) && size >= 0 ? size : -1
}
