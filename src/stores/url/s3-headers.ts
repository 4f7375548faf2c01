import {Failure} from '../../core/failure.ts'
import {objectHeaders} from '../s3/object-headers.ts'
import {findQuirks} from '../s3/quirks.ts'
import type {ObjectOptions} from '../store.ts'
import {refuse} from './cut-url.ts'
import type {S3Url} from './signed-url.ts'

/** What is known only when the body is: see `bodyHeaders`. */
const BY_BODY = ['content-length', 'content-md5', 'x-amz-checksum-crc32', 'x-amz-sdk-checksum-algorithm']

/** Where a header that was signed can come from. */
const FLAGS: Readonly<Record<string, string>> = {
  'cache-control': '--cache-control VALUE',
  'content-disposition': '--content-disposition VALUE',
  'content-encoding': '--content-encoding VALUE',
  'x-amz-acl': '--acl ACL',
  'x-amz-server-side-encryption': '--sse AES256',
  'x-amz-server-side-encryption-aws-kms-key-id': '--sse-kms-key-id KEY',
  'x-amz-storage-class': '--storage-class CLASS',
  'x-amz-tagging': '--tag NAME=VALUE',
}

/**
 * Returns the headers that go with a PUT, but those of the body: all that were signed, and of the others only what no
 * store minds. Fails `usage` where a signed one is missing, or an unsigned one would be refused; `unsupported` for
 * `noClobber` where nobody can tell whether the store honours it.
 */
export function s3Headers(url: S3Url, options: ObjectOptions): Record<string, string> {
  const {version, signed} = url
  // Version 2 signs whatever type and checksum are sent, and does not say which these were: none is made up then.
  const {'content-type': type = '', ...wished} = objectHeaders(options)
  const headers: Record<string, string> = {
    ...(version === 4 ? {'content-type': type} : {}),
    ...wished,
    ...(signed.includes('if-none-match') || options.noClobber === true ? {'if-none-match': '*'} : {}),
    ...withoutBody(url.headers),
  }
  if (options.noClobber === true && !signed.includes('if-none-match')) checkConditions(url)
  if (version === 4) checkSigned(url, headers)
  return headers
}

/** Returns what a store compares the body with: only that which the signature allows. */
export function bodyHeaders({version, signed, headers}: S3Url, md5: Buffer, crc32: string): Record<string, string> {
  const mayHaveMd5 = version === 4 || headers['content-md5'] !== undefined
  return {
    ...(mayHaveMd5 ? {'content-md5': md5.toString('base64')} : {}),
    ...(signed.includes('x-amz-checksum-crc32') ? {'x-amz-checksum-crc32': crc32} : {}),
    ...(signed.includes('x-amz-sdk-checksum-algorithm') ? {'x-amz-sdk-checksum-algorithm': 'CRC32'} : {}),
  }
}

function withoutBody(headers: S3Url['headers']): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name !== 'host' && !BY_BODY.includes(name)))
}

function checkSigned({signed, headers: given}: S3Url, headers: Readonly<Record<string, string>>): void {
  const missing = signed.find(name => headers[name] === undefined && !BY_BODY.includes(name) && !isAutomatic(name))
  if (missing !== undefined) {
    const word = missing.startsWith('x-amz-meta-') ? `--metadata ${missing.slice(11)}=VALUE` : FLAGS[missing]
    refuse(
      `The URL is good only with the header ${missing}, and its value does not stand in it.`,
      word === undefined ? 'Ask for a URL without it.' : `Give it, exactly as whoever made the URL did: ${word}`,
    )
  }
  const extra = Object.keys(headers).find(name => name.startsWith('x-amz-') && !signed.includes(name))
  if (extra !== undefined && given[extra] === undefined) {
    refuse(
      `The URL was not signed for the header ${extra}, so the store would refuse it.`,
      'Leave the option out, or ask for a URL that is made with it.',
    )
  }
}

/** The same for all presigned URLs. */
function isAutomatic(name: string): boolean {
  return name === 'x-amz-content-sha256'
}

function checkConditions({origin}: S3Url): void {
  if (findQuirks(origin).conditionalPut === true) return
  throw new Failure('unsupported', 'With a URL nobody can find out whether this store honours --no-clobber.', {
    suggestion: 'Ask for one that was made with --write-once, or with --random-key.',
  })
}
