import {parseDate} from '../../core/dates.ts'
import {Failure, isFailure} from '../../core/failure.ts'
import {childText} from '../../core/xml.ts'
import type {XmlElement} from '../../core/xml.ts'
import {checkRange, rangeHeaders} from '../../http/range.ts'
import type {Answer, SendOptions} from '../../http/send.ts'
import type {Call, ObjectInfo, ObjectStore, PendingUpload, Target} from '../store.ts'
import {tryPage} from '../try-page.ts'
import {answeredCrc32, textHeader, unquote} from './checksum.ts'
import type {S3Connection} from './client.ts'
import {compareObject} from './compare.ts'
import {requestXml} from './multipart.ts'
import {decodeHeader} from './object-headers.ts'

const CHECKSUMS = {'x-amz-checksum-mode': 'ENABLED'}

export function createObjects(connection: S3Connection): ObjectStore {
  /** Turns false where the store refuses to be asked for checksums: some refuse the words that they do not know. */
  let asksChecksums = true

  async function head(target: Target, call: Call): Promise<ObjectInfo> {
    const ask = (headers: Record<string, string>): Promise<Answer> =>
      connection.request({method: 'HEAD', target, headers}, {signal: call.signal})
    if (!asksChecksums) return readInfo(target, await ask({}))
    try {
      return readInfo(target, await ask(CHECKSUMS))
    } catch (error) {
      if (!isRefused(error)) throw error
    }
    try {
      const info = readInfo(target, await ask({}))
      asksChecksums = false
      return info
    } catch (error) {
      // Whatever else it says may be about another thing.
      if (isFailure(error, 'not-found')) asksChecksums = false
      throw error
    }
  }

  return {
    head,

    async compare(target, body, hint, call) {
      return compareObject(connection, await head(target, call), body, hint, call)
    },

    async read(target, range, onBytes, call) {
      const take: SendOptions['onBytes'] = (bytes, answer) => {
        checkRange(range, answer)
        return onBytes(bytes)
      }
      const answer = await connection.request(
        {method: 'GET', target, headers: rangeHeaders(range)},
        {signal: call.signal, onBytes: take},
      )
      return readInfo(target, answer)
    },

    async *list(prefix, call, after) {
      const first = {'list-type': '2', prefix: prefix.key, 'encoding-type': 'url'}
      let page: Record<string, string> = after === undefined ? first : {...first, 'start-after': after}
      for (;;) {
        const request = {method: 'GET', target: {...prefix, key: ''}, query: page}
        const {element} = await tryPage(call, () => requestXml(connection, request, call, 'ListBucketResult'))
        const decode = keyDecoder(element)
        const found = element.children
          .filter(({name}) => name === 'Contents')
          .map(each => readListed(prefix, each, decode))
        const last = found.at(-1)?.target.key
        // One that goes by neither word would name the first page for ever.
        if (last !== undefined && last === page['marker']) throw endless()
        yield* found
        if (childText(element, 'IsTruncated') !== 'true') return
        const token = childText(element, 'NextContinuationToken')
        if (token ? token === page['continuation-token'] : last === undefined) throw endless()
        // A store of the older listing has no token, and takes a marker.
        page = token
          ? {...first, 'continuation-token': token}
          : {...first, 'start-after': last ?? '', marker: last ?? ''}
      }
    },

    async deleteObject(target, call) {
      await connection.request({method: 'DELETE', target}, {signal: call.signal}).catch((error: unknown) => {
        // Most stores say nothing of it; some say that there is no such key.
        if (!isFailure(error, 'not-found') || error.context.providerCode !== 'NoSuchKey') throw error
      })
    },

    async *listUploads(prefix, call) {
      let markers: Record<string, string> = {}
      let wish: Record<string, string> = {'encoding-type': 'url'}
      for (;;) {
        const query = {uploads: '', prefix: prefix.key, ...wish, ...markers}
        const request = {method: 'GET', target: {...prefix, key: ''}, query}
        const {element} = await tryPage(call, () => requestXml(connection, request, call, 'ListMultipartUploadsResult'))
        const uploads = element.children.filter(({name}) => name === 'Upload')
        const isTold = childText(element, 'EncodingType') === 'url'
        // Ceph's gateway encodes them and does not say so; nobody does who was not asked.
        if (
          'encoding-type' in wish &&
          !isTold &&
          uploads.some(each => childText(each, 'Key')?.includes('%') === true)
        ) {
          wish = {}
          continue
        }
        const decode = keyDecoder(element)
        const found = uploads.map(each => readUpload(prefix, each, decode))
        yield* found
        if (childText(element, 'IsTruncated') !== 'true') return
        const keyMarker = childText(element, 'NextKeyMarker')
        const last = found.at(-1)
        const next = {
          'key-marker': keyMarker ? decode(keyMarker) : (last?.target.key ?? ''),
          'upload-id-marker': (keyMarker ? childText(element, 'NextUploadIdMarker') : last?.uploadId) ?? '',
        }
        if (
          next['key-marker'] === (markers['key-marker'] ?? '') &&
          next['upload-id-marker'] === (markers['upload-id-marker'] ?? '')
        )
          throw endless()
        markers = next
      }
    },
  }
}

/** An answer to HEAD has no words: it does not tell what is refused, and a redirect is none. */
function isRefused(error: unknown): boolean {
  return isFailure(error, 'unsupported', 'usage') && [400, 501].includes(error.context.status ?? 0)
}

/** A store that says "truncated" and names the same page again would keep us here for ever. */
function endless(): Failure {
  return new Failure('network', 'The listing of the store does not go on: it names the same page again.')
}

/** Reads what HEAD and GET say of an object. */
export function readInfo(target: Target, answer: Answer): ObjectInfo {
  const {headers} = answer
  const metadata = Object.entries(headers)
    .filter(([name]) => name.startsWith('x-amz-meta-'))
    .map(([name, value]): [string, string] => [name.slice('x-amz-meta-'.length), decodeHeader(String(value))])
  const total = /\/(\d+)$/u.exec(headers['content-range'] ?? '')?.[1]
  const etag = unquote(headers.etag)
  const parts = /-(\d+)$/u.exec(etag)?.[1]
  const isWhole = textHeader(answer, 'x-amz-checksum-type') !== 'COMPOSITE'
  return {
    target,
    size: sizeOf(total ?? headers['content-length']),
    etag,
    metadata: Object.fromEntries(metadata),
    ...optional('modified', parseDate(headers['last-modified'])),
    ...optional('contentType', headers['content-type']),
    ...optional('contentDisposition', headers['content-disposition']),
    ...optional('crc32', isWhole ? answeredCrc32(answer) : undefined),
    ...optional('versionId', textHeader(answer, 'x-amz-version-id')),
    ...optional('parts', parts === undefined ? undefined : Number(parts)),
    ...(/kms/u.test(textHeader(answer, 'x-amz-server-side-encryption') ?? '') ? {isEtagOpaque: true} : {}),
  }
}

function optional<Name extends string, Value>(name: Name, value: Value | undefined): {[key in Name]?: Value} {
  return (value === undefined ? {} : {[name]: value}) as {[key in Name]?: Value}
}

/** Below zero where nothing is said. */
function sizeOf(text: string | undefined): number {
  const size = Number(text ?? -1)
  return Number.isSafeInteger(size) && size >= 0 ? size : -1
}

function readListed(prefix: Target, element: XmlElement, decode: (text: string) => string): ObjectInfo {
  return {
    target: {...prefix, key: decode(childText(element, 'Key') ?? '')},
    size: Math.max(0, sizeOf(childText(element, 'Size'))),
    etag: unquote(childText(element, 'ETag')),
    ...optional('modified', parseDate(childText(element, 'LastModified'))),
  }
}

function readUpload(prefix: Target, element: XmlElement, decode: (text: string) => string): PendingUpload {
  return {
    target: {...prefix, key: decode(childText(element, 'Key') ?? '')},
    uploadId: childText(element, 'UploadId') ?? '',
    ...optional('started', parseDate(childText(element, 'Initiated'))),
  }
}

/** With `encoding-type=url` keys come percent-encoded, `+` for a space; a store that does not know it does not say so. */
function keyDecoder(listing: XmlElement): (text: string) => string {
  return childText(listing, 'EncodingType') === 'url' ? decodeKey : text => text
}

function decodeKey(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', '%20'))
  } catch {
    // It says so and does not encode after all.
    return text
  }
}
