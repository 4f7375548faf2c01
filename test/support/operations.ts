/** What a request asks of a store; `connect` is a connection before its first request. */
export type Operation =
  | 'connect'
  | 'create'
  | 'part'
  | 'listParts'
  | 'complete'
  | 'abort'
  | 'put'
  | 'post'
  | 'head'
  | 'get'
  | 'delete'
  | 'list'
  | 'listUploads'
  | 'bucket'
  | 'buckets'
  | 'account'
  | 'auth'
  | 'info'
  | 'preflight'
  | 'other'

const swiftObject = /^\/v1\/((?:AUTH|KEY)_[^/]+)(?:\/([^/]*)(?:\/(.*))?)?$/s
const segmentPlace = /(?:[_+.-]?segments?|\.parts)(?:\/|$)/i
/** What our uploads of Swift are made of: a mark that one has begun, its parts, and what a listing of them begins with. */
const mark = /\/0{8}$/
const uploadPrefix = /\/skylift-[^/]+\/$/
const bucketQueries = [
  'cors',
  'versioning',
  'location',
  'lifecycle',
  'acl',
  'policy',
  'tagging',
  'encryption',
  'object-lock',
]

/** Names the operation of a path-style S3 request or a Swift one, from nothing but its method and raw URL. */
export function recogniseOperation(method: string, url: string): Operation {
  const at = url.indexOf('?')
  const path = at < 0 ? url : url.slice(0, at)
  const query = new URLSearchParams(at < 0 ? '' : url.slice(at + 1))
  if (method === 'OPTIONS') return 'preflight'
  if (/^\/auth\/v1(\.0)?\/?$/.test(path) || /^\/v3(\/|$)/.test(path)) return 'auth'
  if (path === '/info') return 'info'
  const swift = swiftObject.exec(path)
  return swift ? recogniseSwift(method, query, swift[2], swift[3]) : recogniseS3(method, query, path)
}

function recogniseS3(method: string, query: URLSearchParams, path: string): Operation {
  const slash = path.indexOf('/', 1)
  const key = slash < 0 ? '' : path.slice(slash + 1)
  if (path === '/') return 'buckets'
  if (key === '') {
    if (method === 'POST') return query.has('delete') ? 'delete' : 'post'
    if (method !== 'GET' || bucketQueries.some(name => query.has(name))) return 'bucket'
    return query.has('uploads') ? 'listUploads' : 'list'
  }
  if (query.has('uploadId')) {
    const verbs: Record<string, Operation> = {PUT: 'part', GET: 'listParts', POST: 'complete', DELETE: 'abort'}
    return verbs[method] ?? 'other'
  }
  if (method === 'POST') return query.has('uploads') ? 'create' : 'post'
  return recognisePlain(method)
}

/** Swift knows of no uploads: it is the place of an object that makes it a part. */
function recogniseSwift(method: string, query: URLSearchParams, container?: string, object?: string): Operation {
  if (!container) return method === 'GET' ? 'buckets' : query.has('bulk-delete') ? 'delete' : 'account'
  const isSegment = segmentPlace.test(container) || segmentPlace.test(object ?? '')
  if (!object) {
    if (method !== 'GET') return 'bucket'
    if (!isSegment) return 'list'
    return uploadPrefix.test(query.get('prefix') ?? '') ? 'listParts' : 'listUploads'
  }
  if (isSegment && method === 'DELETE') return 'abort'
  if (method !== 'PUT') return recognisePlain(method)
  if (query.get('multipart-manifest') === 'put') return 'complete'
  if (!isSegment) return 'put'
  return mark.test(object) ? 'create' : 'part'
}

function recognisePlain(method: string): Operation {
  const verbs: Record<string, Operation> = {PUT: 'put', POST: 'post', HEAD: 'head', GET: 'get', DELETE: 'delete'}
  return verbs[method] ?? 'other'
}
