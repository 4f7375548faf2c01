import {parse} from 'content-disposition'
import {Failure} from '../../core/failure.ts'
import type {LinkOptions, Target, TempUrlOptions} from '../store.ts'
import {checkIpRange} from './ip-range.ts'
import {objectHeaders} from './object-headers.ts'

const UPLOAD_ONLY = ['contentType', 'contentLength', 'contentMd5', 'metadata', 'writeOnce', 'maxSize'] as const

function refuse(message: string, suggestion?: string): never {
  throw new Failure('usage', message, suggestion === undefined ? {} : {suggestion})
}

function lack(message: string, suggestion: string): never {
  throw new Failure('unsupported', message, {suggestion})
}

/** Fails `usage` where the options cannot be put into one URL, `unsupported` where Swift has no such URL. */
export function checkTempUrlOptions({container, key}: Target, options: TempUrlOptions): void {
  const {method, isPrefix, ipRange, expiresIn} = options
  if (container === '') refuse('A temp URL needs a container.')
  if (key === '' && isPrefix !== true) {
    refuse('A temp URL is for one object: the target needs a key.', 'For all keys that start alike take --prefix.')
  }
  if (!(Math.floor(expiresIn / 1000) >= 1)) refuse('A temp URL must last at least one second.')
  if (method !== 'PUT' && UPLOAD_ONLY.some(name => options[name] !== undefined && options[name] !== false)) {
    if (method === 'POST') lack('Forms (FormPost) are not supported yet.', 'Take -X PUT.')
    refuse(`Type, length, checksum, metadata, largest size and write-once belong to an upload, not to ${method}.`)
  }
  if (options.writeOnce === true) {
    lack(
      'A temp URL of Swift cannot be made good for one upload only: conditions are not signed.',
      'Take --random-key, so that the URL is for a key that nobody else uses, and a short --expires.',
    )
  }
  if (options.maxSize !== undefined) {
    lack(
      'A temp URL of Swift cannot limit the size of an upload.',
      'Set a quota on the container (--quota-bytes), or use an S3 store.',
    )
  }
  if (options.responseContentType !== undefined) {
    lack(
      'A temp URL of Swift cannot change the type of the answer.',
      'Upload the object with the right --content-type.',
    )
  }
  if (options.responseDisposition !== undefined && method !== 'GET') {
    refuse(`What the answer shall say can be fixed for GET only, not for ${method}.`)
  }
  if (ipRange !== undefined) checkIpRange(ipRange)
}

/** Returns the headers that go with an upload. Swift does not bind a URL to them. */
export function putHeaders({contentType, contentLength, contentMd5, metadata}: TempUrlOptions): Record<string, string> {
  const {'content-type': _, ...words} = objectHeaders(metadata === undefined ? {} : {metadata})
  return {
    ...(contentType === undefined ? {} : {'content-type': contentType}),
    ...(contentLength === undefined ? {} : {'content-length': String(contentLength)}),
    ...(contentMd5 === undefined ? {} : {etag: Buffer.from(contentMd5, 'base64').toString('hex')}),
    ...words,
  }
}

/** How a download is named: by two words of the query that Swift makes its Content-Disposition of. */
export interface Naming {
  readonly filename?: string
  readonly isInline?: boolean
}

/** Reads a Content-Disposition into what Swift can be asked for. Fails `unsupported`. */
export function readDisposition(text: string | undefined): Naming {
  if (text === undefined) return {}
  try {
    const {type, parameters} = parse(text)
    const {filename, 'filename*': _, ...others} = parameters
    if (['inline', 'attachment'].includes(type) && Object.keys(others).length === 0) {
      return {...(type === 'inline' ? {isInline: true} : {}), ...(filename === undefined ? {} : checkName(filename))}
    }
  } catch {
    // Told below.
  }
  return lack(
    'A temp URL of Swift knows "inline", "attachment" and a file name, and nothing else.',
    'Write it as: attachment; filename="name"',
  )
}

export function readNaming({filename, inline}: LinkOptions): Naming {
  return {...(inline === true ? {isInline: true} : {}), ...(filename === undefined ? {} : checkName(filename))}
}

function checkName(filename: string): {filename: string} {
  const suggestion = 'Choose another name with --filename.'
  if (filename === '' || filename === '.' || filename === '..')
    refuse(`"${filename}" is not a name for a file.`, suggestion)
  if (/\p{Cc}/u.test(filename)) refuse('A file name with control characters is not allowed.', suggestion)
  if (/\p{Cs}/u.test(filename)) refuse('The file name is not valid Unicode.', suggestion)
  return {filename}
}
