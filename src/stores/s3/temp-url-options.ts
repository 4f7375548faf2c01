import {Failure} from '../../core/failure.ts'
import type {Target, TempUrlOptions} from '../store.ts'
import {objectHeaders} from './object-headers.ts'

/** What of the options belongs to which method; anything else is asked wrongly. */
const PUT_ONLY = ['contentType', 'contentLength', 'contentMd5', 'metadata', 'writeOnce', 'maxSize'] as const
const GET_ONLY = ['responseDisposition', 'responseContentType'] as const

function refuse(message: string, suggestion?: string): never {
  throw new Failure('usage', message, suggestion === undefined ? {} : {suggestion})
}

/** Fails `usage` where the options cannot be put into one URL for this key, `unsupported` where S3 has no such URL. */
export function checkTempUrlOptions({key}: Target, options: TempUrlOptions): void {
  const {method, contentType, contentLength, contentMd5, maxSize} = options
  const isForm = method === 'POST' || maxSize !== undefined
  refuseSwift(options)
  if (key === '') refuse('A temp URL is for one object: the target needs a key.')
  if (
    !['PUT', 'POST'].includes(method) &&
    PUT_ONLY.some(name => options[name] !== undefined && options[name] !== false)
  ) {
    refuse(`Type, length, checksum, metadata, largest size and write-once belong to an upload, not to ${method}.`)
  }
  if (method !== 'GET' && GET_ONLY.some(name => options[name] !== undefined)) {
    refuse(`What the answer shall say can be fixed for GET only, not for ${method}.`)
  }
  checkNumber(contentLength, 'content length')
  checkNumber(maxSize, 'largest size')
  checkHeader(contentType, 'content type')
  checkHeader(options.responseContentType, 'content type')
  const odd = Object.keys(options.metadata ?? {}).find(name => !/^[\w!#$%&'*+.^`|~-]+$/u.test(name))
  if (odd !== undefined) refuse(`"${odd}" is not a name for metadata.`)
  if (contentMd5 !== undefined && !isDigest(contentMd5)) {
    refuse('The MD5 is not 16 bytes in base64.', 'Make it with: openssl md5 -binary FILE | base64')
  }
  if (isForm) checkForm(key, options)
}

/** Better told than left out: without them the URL would open more than was meant. */
function refuseSwift({digest, isPrefix, ipRange}: TempUrlOptions): void {
  const lack = (message: string, suggestion: string): never => {
    throw new Failure('unsupported', message, {suggestion})
  }
  if (isPrefix === true) lack('S3 has no temp URL for all keys that start alike.', 'Make one URL for each object.')
  if (ipRange !== undefined) {
    lack(
      'S3 cannot bind a temp URL to addresses.',
      'Leave --ip out, or limit addresses in the policy of the container.',
    )
  }
  if (digest !== undefined) lack('S3 has one digest for temp URLs, SHA-256.', 'Leave --digest out.')
}

function checkForm(key: string, {contentLength, contentMd5, maxSize, writeOnce}: TempUrlOptions): void {
  if (contentMd5 !== undefined)
    refuse('A form cannot fix the MD5 of its file.', 'Leave the largest size away, and use PUT.')
  if (maxSize !== undefined && contentLength !== undefined && contentLength > maxSize) {
    refuse('The content length is above the largest size.')
  }
  if (key.includes('${filename}')) refuse('In a form, "${filename}" in the key is replaced by the name of the file.')
  if (writeOnce === true) {
    throw new Failure('unsupported', 'S3 has no form that can be used only once.', {
      suggestion: 'Use PUT with --content-length instead of --max-size, or --random-key.',
    })
  }
}

function checkNumber(value: number | undefined, name: string): void {
  if (value !== undefined && !(Number.isSafeInteger(value) && value >= 0))
    refuse(`The ${name} must be a number of bytes.`)
}

function checkHeader(value: string | undefined, name: string): void {
  if (value !== undefined && !/^[\u0021-\u007E](?:[\u0020-\u007E]*[\u0021-\u007E])?$/u.test(value)) {
    refuse(`The ${name} must be printable ASCII.`)
  }
}

function isDigest(text: string): boolean {
  const bytes = Buffer.from(text, 'base64')
  return bytes.length === 16 && bytes.toString('base64') === text
}

/** Returns the headers that a PUT must carry exactly so, since the signature covers them. */
export function putHeaders(options: TempUrlOptions): Record<string, string> {
  const {contentType, contentLength, contentMd5, writeOnce} = options
  return {
    ...(contentType === undefined ? {} : {'content-type': contentType}),
    ...(contentLength === undefined ? {} : {'content-length': String(contentLength)}),
    ...(contentMd5 === undefined ? {} : {'content-md5': contentMd5}),
    ...metadataHeaders(options),
    ...(writeOnce === true ? {'if-none-match': '*'} : {}),
  }
}

export function formFields(options: TempUrlOptions): Record<string, string> {
  const {contentType} = options
  return {...(contentType === undefined ? {} : {'Content-Type': contentType}), ...metadataHeaders(options)}
}

function metadataHeaders({metadata = {}}: TempUrlOptions): Record<string, string> {
  const {'content-type': _, ...headers} = objectHeaders({metadata})
  return headers
}

/** What whoever holds the URL can do with it. */
export function securityNote({method, maxSize, writeOnce}: TempUrlOptions): string {
  const what: Record<TempUrlOptions['method'], string> = {
    GET: 'download this object',
    HEAD: "see this object's size and metadata",
    DELETE: 'delete this object',
    POST: 'write this object, and write over it,',
    PUT:
      writeOnce === true && maxSize === undefined
        ? 'write this object where none stands, but replace none,'
        : 'write this object, and write over it,',
  }
  return `Whoever holds this URL can ${what[method]} until it ends.`
}

/** Every usual client folds dot segments in a URL; the store then sees another key than was signed. */
export function keyNotes(key: string): string[] {
  return key.split('/').some(segment => segment === '.' || segment === '..')
    ? ['The key has "." or ".." between slashes: browsers cannot use this URL, and curl needs --path-as-is.']
    : []
}
