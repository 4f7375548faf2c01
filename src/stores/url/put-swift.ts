import {send} from '../../http/send.ts'
import type {Wire} from '../../http/send.ts'
import {encodeKey} from '../s3/sign.ts'
import type {SwiftConnection} from '../swift/client.ts'
import {createConditions} from '../swift/conditions.ts'
import {askInfo} from '../swift/info.ts'
import {readInfo} from '../swift/object-headers.ts'
import {rememberWork} from '../swift/shared-work.ts'
import {createPutWhole} from '../swift/whole.ts'
import type {Call, ObjectInfo, Target, UploadStore} from '../store.ts'
import {checkMd5, checkSize, checkTarget} from './check-use.ts'
import {explainSwift} from './explain-swift.ts'
import {pathFor} from './signed-url.ts'
import type {SwiftUrl} from './signed-url.ts'

/** Makes `putWhole` by a temp URL: as the Swift wing does it, the URL instead of a token. The same URL may HEAD. */
export function createSwiftPut(url: SwiftUrl, wire: Wire): UploadStore['putWhole'] {
  // Its length is the body's, and its ETag is compared with what will be sent.
  const {'content-length': _length, etag: _etag, host: _host, ...given} = url.headers
  const type = url.headers['content-type']

  const request: SwiftConnection['request'] = async ({method, target, headers = {}, body}, sending) => {
    if (headers['etag'] !== undefined) checkMd5(url, headers['etag'])
    const answer = await send(
      wire,
      {
        method,
        origin: url.origin,
        path: pathFor(url, target.key, encodeKey),
        headers: {host: new URL(url.origin).host, ...headers, ...(method === 'PUT' ? given : {})},
        ...(body === undefined ? {} : {body}),
      },
      sending,
    )
    if (answer.status >= 300) throw await explainSwift(url, answer, {method, target, wire, call: sending})
    return answer
  }

  const head = async (target: Target, {signal}: Call): Promise<ObjectInfo> =>
    readInfo(target, await request({method: 'HEAD', target}, {signal}))
  const quirks = rememberWork(async signal => askInfo(wire, url, signal))
  const putWhole = createPutWhole(
    {request},
    {
      // What is replaced can neither be seen nor cleared with a URL.
      replaced: {look: () => Promise.resolve(), clear: () => Promise.resolve([])},
      largeObjects: {mayHold: () => Promise.resolve(false), expect() {}},
      head,
      guardWrite: createConditions({quirks}, head).guardWrite,
    },
  )

  return async (target, body, options, call) => {
    checkTarget(url, target)
    checkSize(url, body.size)
    return putWhole(target, body, {...options, ...(type === undefined ? {} : {contentType: type})}, call)
  }
}
