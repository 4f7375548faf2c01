import {abortMultipart, createUpload, uploadPart} from './handlers/multipart.ts'
import {createBucket, deleteBucket, getBucketLocation, headBucket, listBuckets} from './handlers/buckets.ts'
import {completeUpload} from './handlers/complete-upload.ts'
import {deleteObject, deleteObjects} from './handlers/delete-objects.ts'
import {getObject} from './handlers/get-object.ts'
import {putObject} from './handlers/put-object.ts'
import {documentRoutes} from './handlers/bucket-documents.ts'
import {getAcl, putAcl} from './handlers/acl.ts'
import {copyObject, copyPart} from './handlers/copy.ts'
import {listObjects} from './handlers/list-objects.ts'
import {listParts, listUploads} from './handlers/list-uploads.ts'
import {getObjectAttributes} from './handlers/object-attributes.ts'
import {postObject} from './handlers/post-object.ts'
import {deleteObjectTagging, getObjectTagging, putObjectTagging} from './handlers/tagging.ts'
import {S3Error} from './protocol/errors.ts'
import type {Handler, House} from './protocol/handler.ts'
import {isPublicToList, isPublicToRead} from './protocol/public-access.ts'
import type {Address, Headers} from './protocol/request.ts'

/** Query parameters that make a request another operation. */
const SUB_RESOURCES = new Set(
  `accelerate acl analytics append attributes cors delete encryption intelligent-tiering inventory legal-hold lifecycle
   location logging metadataConfiguration metadataTable metrics notification object-lock ownershipControls policy
   policyStatus publicAccessBlock renameObject replication requestPayment restore retention select session tagging
   torrent uploadId uploads versioning versions website`.split(/\s+/u),
)

interface Route {
  readonly handle: Handler
  /** Further query parameters that the operation reads or may pass over. */
  readonly query?: readonly string[]
  /** Whether a request without a signature may have it; without this none may. */
  readonly allowsAnyone?: (request: Address, house: House) => boolean
}

const RESPONSE = [
  'content-type',
  'content-language',
  'expires',
  'cache-control',
  'content-disposition',
  'content-encoding',
].map(name => `response-${name}`)
const READ = ['partNumber', 'versionId', ...RESPONSE]

const LIST = [
  'list-type',
  'prefix',
  'delimiter',
  'marker',
  'max-keys',
  'encoding-type',
  'continuation-token',
  'start-after',
  'fetch-owner',
]
const LIST_UPLOADS = ['prefix', 'delimiter', 'key-marker', 'upload-id-marker', 'max-uploads', 'encoding-type']

const isPublicObject: Route['allowsAnyone'] = (request, house) => {
  const bucket = house.storage.buckets.get(request.bucket)
  return bucket !== undefined && isPublicToRead(bucket, request.key)
}
const isPublicBucket: Route['allowsAnyone'] = (request, house) => {
  const bucket = house.storage.buckets.get(request.bucket)
  return bucket !== undefined && isPublicToList(bucket)
}

/** METHOD, scope, sub-resource; ` copy` with x-amz-copy-source. */
const ROUTES: Readonly<Record<string, Route>> = {
  ...documentRoutes,
  'GET bucket': {handle: listObjects, query: LIST, allowsAnyone: isPublicBucket},
  'GET bucket uploads': {handle: listUploads, query: LIST_UPLOADS},
  'GET bucket acl': {handle: getAcl},
  'PUT bucket acl': {handle: putAcl},
  // The form carries its own signature.
  'POST bucket': {handle: postObject, allowsAnyone: () => true},
  'PUT object copy': {handle: copyObject},
  'PUT object uploadId copy': {handle: copyPart, query: ['partNumber']},
  'GET object uploadId': {handle: listParts, query: ['max-parts', 'part-number-marker']},
  'GET object attributes': {handle: getObjectAttributes, query: ['versionId']},
  'GET object tagging': {handle: getObjectTagging, query: ['versionId']},
  'PUT object tagging': {handle: putObjectTagging, query: ['versionId']},
  'DELETE object tagging': {handle: deleteObjectTagging, query: ['versionId']},
  'GET object acl': {handle: getAcl, query: ['versionId']},
  'PUT object acl': {handle: putAcl, query: ['versionId']},
  'GET service': {handle: listBuckets, query: ['prefix', 'max-buckets', 'bucket-region']},
  'PUT bucket': {handle: createBucket},
  'HEAD bucket': {handle: headBucket},
  'DELETE bucket': {handle: deleteBucket},
  'GET bucket location': {handle: getBucketLocation},
  'POST bucket delete': {handle: deleteObjects},
  'PUT object': {handle: putObject},
  'GET object': {handle: getObject, query: READ, allowsAnyone: isPublicObject},
  'HEAD object': {handle: getObject, query: READ, allowsAnyone: isPublicObject},
  'DELETE object': {handle: deleteObject, query: ['versionId']},
  'POST object uploads': {handle: createUpload},
  'PUT object uploadId': {handle: uploadPart, query: ['partNumber']},
  'POST object uploadId': {handle: completeUpload},
  'DELETE object uploadId': {handle: abortMultipart},
}

/** Finds the operation that a request asks for; what the sandbox does not do fails `NotImplemented`, never becomes something else. */
export function findRoute(request: Address, headers: Headers): Route {
  const scope = request.bucket === '' ? 'service' : request.key === '' ? 'bucket' : 'object'
  const names = new Set(request.query.pairs.map(([name]) => name))
  const subs = [...names].filter(name => SUB_RESOURCES.has(name))
  const copy = request.method === 'PUT' && headers.has('x-amz-copy-source') ? ' copy' : ''
  const route = ROUTES[[request.method, scope, ...subs].join(' ') + copy]
  if (route === undefined) {
    const known = Object.keys(ROUTES).some(name => name.split(' ').slice(1).join(' ') === [scope, ...subs].join(' '))
    throw new S3Error(known && copy === '' ? 'MethodNotAllowed' : 'NotImplemented')
  }
  const version = request.query.get('versionId')
  if (version !== undefined && version !== 'null') throw new S3Error('NoSuchVersion', undefined, {VersionId: version})
  const allowed = new Set([...subs, ...(route.query ?? []), 'x-id'])
  const strange = [...names].find(name => !allowed.has(name) && !name.toLowerCase().startsWith('x-amz-'))
  if (strange !== undefined && !isHarmless(request, scope, strange)) {
    throw new S3Error(
      'NotImplemented',
      'A query parameter you provided implies functionality that is not implemented',
      {Parameter: strange},
    )
  }
  return route
}

// Web pages add `?v=3` to the address of an object, to get round a cache.
function isHarmless(request: Address, scope: string, name: string): boolean {
  return scope === 'object' && /^GET$|^HEAD$/u.test(request.method) && request.query.get(name) !== ''
}
