import {formatCrc32} from '../../core/crc32.ts'
import {Failure, isFailure} from '../../core/failure.ts'
import {sumBeside} from '../../http/digest.ts'
import type {SendOptions} from '../../http/send.ts'
import type {Call, Part, Session, UploadStore} from '../store.ts'
import type {SwiftConnection, SwiftRequest} from './client.ts'
import {segmentExpiry} from './expiry.ts'
import {nameOf} from './failures.ts'
import {unquote} from './object-headers.ts'
import {createSegmentContainer, findPolicy} from './segment-containers.ts'
import type {SegmentPlace} from './segments.ts'
import {segmentTarget} from './segments.ts'

export const BINARY = {'content-type': 'application/octet-stream'}

/** Makes `putPart`: a segment is summed while it leaves, and compared with the store's ETag. */
export function createPutPart(
  connection: Pick<SwiftConnection, 'request'>,
  placeOf: (session: Session) => SegmentPlace,
): UploadStore['putPart'] {
  async function sendSegment(
    session: Session,
    request: SwiftRequest,
    call: Call,
    onWindow: SendOptions['onWindow'],
  ): Promise<string> {
    const sending = {signal: call.signal, onSent: call.onSent, pace: call.pace, onWindow}
    const answer = await connection.request({...request, accepts: [404]}, sending)
    if (answer.status < 300) return unquote(answer.headers.etag)
    const policy = await findPolicy(connection, session.target, call)
    await createSegmentContainer(connection, request.target.container, policy, call)
    return unquote((await connection.request(request, sending)).headers.etag)
  }

  /** Swift may say 503 of what it has stored all the same; nothing but this part can have this name and these bytes. */
  async function isStored(target: SwiftRequest['target'], {size}: Part, md5: string, call: Call): Promise<boolean> {
    const found = await connection.request({method: 'HEAD', target}, {signal: call.signal}).catch(() => undefined)
    return (
      found !== undefined && unquote(found.headers.etag) === md5 && Number(found.headers['content-length']) === size
    )
  }

  return async function putPart(session, part, body, call) {
    const {container, key} = session.target
    const target = segmentTarget(placeOf(session), part.number)
    const request = {method: 'PUT', target, headers: {...BINARY, ...segmentExpiry(session.options)}, body}
    const beside = sumBeside(body, call.signal, onWindow => sendSegment(session, request, call, onWindow))
    let etag: string | undefined
    try {
      etag = await beside.sent
    } catch (error) {
      call.signal.throwIfAborted()
      const isHalfTold = isFailure(error, 'busy') && error.context.status === 503
      const isThere = isHalfTold && (await isStored(target, part, (await beside.sums()).md5.toString('hex'), call))
      if (!isThere) throw atPart(error, session, part)
    }
    const sums = await beside.sums()
    const md5 = sums.md5.toString('hex')
    if (etag !== undefined && etag !== md5) {
      throw new Failure('integrity', `Part ${part.number} of ${nameOf(container, key)} was damaged on the way.`, {
        context: {container, key, part: part.number},
        retryable: true,
      })
    }
    return {number: part.number, size: part.size, etag: md5, crc32: formatCrc32(sums.crc)}
  }
}

function atPart(error: unknown, {target: {container, key}}: Session, {number}: Part): unknown {
  if (!isFailure(error)) return error
  const {code, message, retryable, retryAfter, suggestion, context} = error
  return new Failure(code, message, {
    retryable,
    cause: error,
    ...(retryAfter === undefined ? {} : {retryAfter}),
    ...(suggestion === undefined ? {} : {suggestion}),
    context: {...context, container, key, part: number},
  })
}
