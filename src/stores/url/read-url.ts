import {Failure} from '../../core/failure.ts'
import type {UrlPieces} from './cut-url.ts'
import {cutUrl, HOW_TO_MAKE, refuse} from './cut-url.ts'
import {readForm} from './read-form.ts'
import {readS3} from './read-s3.ts'
import {readSwift} from './read-swift.ts'
import type {GivenUrl, SignedUrl} from './signed-url.ts'

/**
 * Reads what is signed, without asking anybody. Fails `usage` for what is no URL to upload with, `unsupported` for one of
 * a kind that Skylift does not speak. No message names the URL: it holds a signature.
 */
export function readUrl(given: GivenUrl): SignedUrl {
  const pieces = cutUrl(given)
  const {parameters} = pieces
  if (given.fields !== undefined) return readForm(pieces, given.fields)
  refuseMethod(given.method)
  if (parameters.has('temp_url_sig')) return readSwift(pieces)
  if (parameters.has('X-Amz-Signature') || parameters.has('Signature')) return readS3(pieces)
  return refuseUnsigned(pieces)
}

function refuseMethod(method: string | undefined): void {
  if (method === undefined || method === 'PUT') return
  refuse(`The URL is for ${method}, and an upload needs PUT.`, HOW_TO_MAKE)
}

function refuseUnsigned({parameters}: UrlPieces): never {
  // What a shell leaves of a URL without quotes: it ends at the first ampersand.
  const isCut = [...parameters.keys()].some(name => /^(?:X-Amz-|temp_url_|AWSAccessKeyId|Expires$)/u.test(name))
  if (isCut)
    refuse('The URL is cut off: its signature is missing.', "Put it in quotes: 'https://…', or use --url-file.")
  if (parameters.has('sig') && parameters.has('sv')) lack('That is a URL of Azure (SAS)', 'azcopy uploads with those.')
  if (parameters.has('X-Goog-Signature')) {
    lack("That is a URL for Google's own API", 'Ask for one that is signed for its S3 API (HMAC keys).')
  }
  refuse('There is no signature in the URL.', `A presigned URL or a temp URL is wanted. ${HOW_TO_MAKE}`)
}

function lack(what: string, suggestion: string): never {
  throw new Failure('unsupported', `${what}, which Skylift does not speak.`, {suggestion})
}
