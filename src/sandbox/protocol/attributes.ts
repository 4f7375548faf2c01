import type {ObjectAttributes, Tag} from '../storage/records.ts'
import {S3Error} from './errors.ts'
import {isHeaderName, isHeaderValue} from './request.ts'
import type {Headers} from './request.ts'

const KEPT = ['cache-control', 'content-disposition', 'content-language', 'expires', 'x-amz-website-redirect-location']
const ENCRYPTION = 'x-amz-server-side-encryption'
const ENCRYPTION_HEADERS = [ENCRYPTION, `${ENCRYPTION}-aws-kms-key-id`, `${ENCRYPTION}-bucket-key-enabled`]
const ENCRYPTIONS = new Set(['AES256', 'aws:kms', 'aws:kms:dsse'])
const CLASSES = new Set(
  'STANDARD REDUCED_REDUNDANCY STANDARD_IA ONEZONE_IA INTELLIGENT_TIERING GLACIER DEEP_ARCHIVE GLACIER_IR EXPRESS_ONEZONE'.split(
    ' ',
  ),
)
export const CANNED_ACLS = new Set(
  'private public-read public-read-write authenticated-read aws-exec-read bucket-owner-read bucket-owner-full-control'.split(
    ' ',
  ),
)
const REFUSED = /^x-amz-(?:grant-|object-lock-|write-offset-bytes|server-side-encryption-(?:customer-|context))/u
const MAX_METADATA = 2048

/** Reads what the headers of a PUT, a Create or a form say about the object. */
export function readAttributes(headers: Headers): ObjectAttributes {
  refuseHeaders(headers)
  return {headers: readKept(headers), tags: readTags(headers.get('x-amz-tagging')), acl: readAcl(headers)}
}

/** Fails `NotImplemented` for headers that ask for more than the sandbox does: none is ever ignored silently. */
export function refuseHeaders(headers: Headers): void {
  for (const name of headers.keys()) {
    if (REFUSED.test(name))
      throw new S3Error('NotImplemented', 'A header you provided implies functionality that is not implemented', {
        Header: name,
      })
  }
}

export function readAcl(headers: Headers): string {
  const acl = headers.get('x-amz-acl') ?? 'private'
  if (!CANNED_ACLS.has(acl))
    throw new S3Error('InvalidArgument', undefined, {ArgumentName: 'x-amz-acl', ArgumentValue: acl})
  return acl
}

/** Reads the `a=b&c=d` of x-amz-tagging. */
export function readTags(header: string | undefined): Tag[] {
  return checkTags([...new URLSearchParams(header ?? '')])
}

export function checkTags(tags: Tag[]): Tag[] {
  const fail = (message: string): never => {
    throw new S3Error('InvalidTag', message)
  }
  if (tags.length > 10) throw new S3Error('BadRequest', 'Object tags cannot be greater than 10')
  if (new Set(tags.map(([key]) => key)).size < tags.length) fail('Cannot provide multiple Tags with the same key')
  for (const [key, value] of tags) {
    if (key === '' || key.length > 128) fail('The TagKey you have provided is invalid')
    if (value.length > 256) fail('The TagValue you have provided is invalid')
  }
  return tags
}

function readKept(headers: Headers): Record<string, string> {
  const kept: Record<string, string> = {'content-type': headers.get('content-type') || 'binary/octet-stream'}
  for (const name of KEPT) {
    const value = headers.get(name)
    if (value !== undefined) kept[name] = value
  }
  // aws-chunked is how the body came, not what it is.
  const encoding = (headers.get('content-encoding') ?? '')
    .split(',')
    .map(each => each.trim())
    .filter(each => each !== '' && each !== 'aws-chunked')
  if (encoding.length > 0) kept['content-encoding'] = encoding.join(',')
  const storageClass = headers.get('x-amz-storage-class') ?? 'STANDARD'
  if (!CLASSES.has(storageClass))
    throw new S3Error('InvalidStorageClass', undefined, {StorageClassRequested: storageClass})
  if (storageClass !== 'STANDARD') kept['x-amz-storage-class'] = storageClass
  return checkForm({...kept, ...readEncryption(headers), ...readMetadata(headers)})
}

function readEncryption(headers: Headers): Record<string, string> {
  const encryption = headers.get(ENCRYPTION)
  if (encryption !== undefined && !ENCRYPTIONS.has(encryption)) {
    throw new S3Error('InvalidArgument', 'The encryption method specified is not supported', {
      ArgumentName: ENCRYPTION,
      ArgumentValue: encryption,
    })
  }
  return Object.fromEntries(
    ENCRYPTION_HEADERS.flatMap(name => (headers.has(name) ? [[name, headers.get(name) ?? '']] : [])),
  )
}

function readMetadata(headers: Headers): Record<string, string> {
  const metadata = [...headers].filter(([name]) => name.startsWith('x-amz-meta-'))
  const size = metadata.reduce((sum, [name, value]) => sum + name.length - 'x-amz-meta-'.length + value.length, 0)
  if (size > MAX_METADATA)
    throw new S3Error('MetadataTooLarge', undefined, {Size: String(size), MaxSizeAllowed: String(MAX_METADATA)})
  return Object.fromEntries(metadata)
}

/** The answer headers that confirm encryption on a PUT. */
export function encryptionHeaders(attributes: ObjectAttributes): Record<string, string> {
  return Object.fromEntries(Object.entries(attributes.headers).filter(([name]) => ENCRYPTION_HEADERS.includes(name)))
}

// What came by the query of a presigned URL, or by a form, was never through Node's header parser.
function checkForm(headers: Record<string, string>): Record<string, string> {
  for (const [name, value] of Object.entries(headers)) {
    if (!isHeaderName(name) || !isHeaderValue(value)) {
      throw new S3Error('InvalidArgument', 'A header has characters that headers cannot have.', {ArgumentName: name})
    }
  }
  return headers
}
