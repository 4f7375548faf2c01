import type {S3Url} from './signed-url.ts'
import type {UrlPieces} from './cut-url.ts'
import {decodePath, HOW_TO_MAKE, refuse} from './cut-url.ts'

/** Parameters of requests that are no PUT of an object. */
const OTHER_REQUESTS = ['acl', 'tagging', 'uploads', 'delete', 'restore', 'retention', 'legal-hold', 'versionId']

// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
/** Reads a presigned URL of S3, by signature version 4 or 2. */
export function readS3(pieces: UrlPieces): S3Url {
  const {origin, scheme, host, path, query, parameters, headers} = pieces
  refuseOtherRequests(pieces)
  const key = decodePath(path.slice(1))
  if (key === '') refuse('The URL names no object.', HOW_TO_MAKE)
  const read = parameters.has('X-Amz-Signature') ? readVersion4(parameters) : readVersion2(parameters)
  return {
    kind: 's3',
    origin,
    path,
    query,
    target: {remote: scheme, container: host, key, takesName: false},
    headers: {...(read.version === 2 ? readHeaders(parameters) : {}), ...headers},
    hasChecksum: [...parameters.keys()].some(name => /^x-amz-checksum-/iu.test(name)),
    ...read,
  }
}

function readVersion4(parameters: URLSearchParams): Pick<S3Url, 'version' | 'signed' | 'begins' | 'expires'> {
  const [, date, time] = /^(\d{8})T(\d{6})Z$/u.exec(parameters.get('X-Amz-Date') ?? '') ?? []
  const begins = Date.parse(`${group(date, [4, 2, 2], '-')}T${group(time, [2, 2, 2], ':')}Z`)
  const seconds = Number(parameters.get('X-Amz-Expires'))
  const signed = (parameters.get('X-Amz-SignedHeaders') ?? '').toLowerCase().split(';')
  const expires = new Date(begins + seconds * 1000)
  const isTold = !Number.isNaN(expires.getTime()) && seconds > 0
  return {
    version: 4,
    signed: signed.filter(name => !['', 'host'].includes(name)),
    ...(isTold ? {begins: new Date(begins), expires} : {}),
  }
}

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/RESTAuthentication.html
function readVersion2(parameters: URLSearchParams): Pick<S3Url, 'version' | 'signed' | 'expires'> {
  if (!parameters.has('AWSAccessKeyId')) {
    refuse('The URL is signed for something other than an S3 store.', HOW_TO_MAKE)
  }
  const seconds = Number(parameters.get('Expires'))
  const expires = new Date(seconds * 1000)
  return {version: 2, signed: [], ...(seconds > 0 && !Number.isNaN(expires.getTime()) ? {expires} : {})}
}

/** Some signers put beside a signature of version 2 which headers it covers. */
function readHeaders(parameters: URLSearchParams): Record<string, string> {
  const named = [...parameters].map(([name, value]) => [name.toLowerCase(), value] as const)
  return Object.fromEntries(named.filter(([name]) => /^(?:content-(?:type|md5)|x-amz-.+)$/u.test(name)))
}

function refuseOtherRequests({parameters}: UrlPieces): void {
  const names = [...parameters.keys()]
  const operation = parameters.get('x-id')
  if (names.includes('partNumber') || names.includes('uploadId')) {
    refuse('The URL is for one part of an upload, not for a whole object.', HOW_TO_MAKE)
  }
  if (names.some(name => name.startsWith('response-')) || operation === 'GetObject') {
    refuse('The URL is for downloading (GET), not for uploading (PUT).', HOW_TO_MAKE)
  }
  if ((operation !== null && operation !== 'PutObject') || names.some(name => OTHER_REQUESTS.includes(name))) {
    refuse('The URL is not for storing an object.', HOW_TO_MAKE)
  }
}

function group(digits = '', sizes: readonly number[], separator: string): string {
  let at = 0
  return sizes.map(size => digits.slice(at, (at += size))).join(separator)
}
