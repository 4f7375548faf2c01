import {Failure} from '../../core/failure.ts'
import type {ObjectOptions} from '../store.ts'
import {encodeWord} from './sign.ts'

/**
 * Returns the headers that give an object its type, metadata, tags and class: the same for a PUT and for Create. Fails
 * `unsupported` for what only Swift has.
 */
export function objectHeaders(options: ObjectOptions): Record<string, string> {
  refuseSwift(options)
  const named: Record<string, string | undefined> = {
    // A store may else take the Content-Type of its own Complete request.
    'content-type': options.contentType ?? 'application/octet-stream',
    'cache-control': options.cacheControl,
    'content-disposition': options.contentDisposition,
    'content-encoding': options.contentEncoding,
    'x-amz-storage-class': options.storageClass,
    'x-amz-acl': options.acl,
    'x-amz-server-side-encryption': options.sse,
    'x-amz-server-side-encryption-aws-kms-key-id': options.sseKmsKeyId,
    'x-amz-tagging': options.tags === undefined ? undefined : encodeTags(options.tags),
  }
  for (const [name, value] of Object.entries(options.metadata ?? {})) {
    named[`x-amz-meta-${name.toLowerCase()}`] = encodeHeader(value)
  }
  const headers: Record<string, string> = {}
  for (const name in named) if (named[name] !== undefined) headers[name] = named[name]
  return headers
}

/** Better told than left out: the object would stay for ever. */
function refuseSwift({deleteAfterInSeconds, keepOldSegments}: ObjectOptions): void {
  if (deleteAfterInSeconds !== undefined) {
    throw new Failure('unsupported', 'S3 has no --delete-after of one object: its containers delete by rules.', {
      suggestion: 'Make such a rule for the container: skylift container create TARGET --delete-after 30d.',
    })
  }
  if (keepOldSegments === true) {
    throw new Failure('unsupported', 'S3 has no segments of objects, so none can be kept.', {
      suggestion: 'Leave --keep-old-segments out.',
    })
  }
}

export function encodeTags(tags: Readonly<Record<string, string>>): string {
  return Object.entries(tags)
    .map(([name, value]) => `${encodeWord(name)}=${encodeWord(value)}`)
    .join('&')
}

/** Headers are ASCII; anything else travels as an RFC 2047 word, as S3 itself writes it back. */
export function encodeHeader(value: string): string {
  return /^[\u0020-\u007E]*$/u.test(value) ? value : `=?UTF-8?B?${Buffer.from(value, 'utf8').toString('base64')}?=`
}

export function decodeHeader(value: string): string {
  return value.replaceAll(/=\?utf-8\?b\?([\w+/=]*)\?=/giu, (_, base64: string) =>
    Buffer.from(base64, 'base64').toString('utf8'),
  )
}
