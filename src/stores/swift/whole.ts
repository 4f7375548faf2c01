import {formatCrc32} from '../../core/crc32.ts'
import {Failure, isFailure} from '../../core/failure.ts'
import {loadSmall} from '../../core/buffer-body.ts'
import {digestBody} from '../../http/digest.ts'
import type {Body, Call, ObjectInfo, ObjectOptions, StoredObject, Target, UploadStore} from '../store.ts'
import type {SwiftConnection} from './client.ts'
import type {Conditions, Guard} from './conditions.ts'
import {nameOf} from './failures.ts'
import {objectHeaders, unquote} from './object-headers.ts'
import type {LargeObjectCheck, Replaced} from './replaced.ts'

interface Sums {
  readonly crc32: string
  readonly md5: string
}

/** Makes `putWhole`: one PUT that the store checks by its ETag before the old object goes. */
export function createPutWhole(
  connection: Pick<SwiftConnection, 'request'>,
  {
    replaced,
    largeObjects,
    head,
    guardWrite,
  }: {
    readonly replaced: Pick<Replaced, 'look' | 'clear'>
    readonly largeObjects: LargeObjectCheck
    readonly head: (target: Target, call: Call) => Promise<ObjectInfo>
    readonly guardWrite: Conditions['guardWrite']
  },
): UploadStore['putWhole'] {
  /** Bodies whose last answer was lost: what stands at the key may be ours. */
  const unclear = new WeakSet<Body>()

  async function lookFirst(target: Target, options: ObjectOptions, call: Call): Promise<void> {
    if (options.noClobber === true || options.keepOldSegments === true) return
    if (await largeObjects.mayHold(target, call)) await replaced.look(target, options, call)
  }

  /** Asks what stands at the key; undefined when it is not ours, or may not be asked. */
  async function settle(
    target: Target,
    body: Body,
    options: ObjectOptions,
    sums: Sums,
    call: Call,
  ): Promise<StoredObject | undefined> {
    const found = await head(target, call).catch(() => undefined)
    if (found === undefined || found.etag !== sums.md5) return undefined
    if (found.size >= 0 && found.size !== body.size) return undefined
    return isDressed(found, options) ? storedOf(target, body, sums) : undefined
  }

  return async function putWhole(target, body, options, call) {
    const headers = objectHeaders(options)
    const loaded = await loadSmall(body)
    const [digests] = await Promise.all([digestBody(loaded, call.signal), lookFirst(target, options, call)])
    const sums: Sums = {crc32: formatCrc32(digests.crc), md5: digests.md5.toString('hex')}
    let stored: StoredObject | undefined
    let guard: Guard | undefined
    try {
      guard = await guardWrite(target, options, call)
      const answer = await connection.request(
        {method: 'PUT', target, headers: {...headers, ...guard.headers, etag: sums.md5}, body: loaded},
        {signal: call.signal, onSent: call.onSent, pace: call.pace},
      )
      checkEtag(target, unquote(answer.headers.etag), sums)
      stored = storedOf(target, body, sums)
    } catch (error) {
      call.signal.throwIfAborted()
      // Swift may say 503 of what it has stored all the same.
      const isHalfTold = guard !== undefined && isFailure(error, 'busy') && error.context.status === 503
      if (isHalfTold || (isFailure(error, 'exists') && unclear.has(body))) {
        stored = await settle(target, body, options, sums, call)
      }
      if (guard !== undefined && isFailure(error, 'network', 'busy')) unclear.add(body)
      if (stored === undefined) throw error
    }
    const notes = [...(guard?.notes ?? []), ...(await replaced.clear(target, undefined, call))]
    return notes.length > 0 ? {...stored, notes} : stored
  }
}

function storedOf(target: Target, {size}: Body, {crc32, md5}: Sums): StoredObject {
  return {target, size, etag: md5, crc32, md5, verified: {by: 'md5'}}
}

function checkEtag(target: Target, etag: string, {md5}: Sums): void {
  if (etag === md5) return
  const {container, key} = target
  const message =
    etag === ''
      ? `The store did not say what it stored at ${nameOf(container, key)}.`
      : `The store holds other bytes at ${nameOf(container, key)} than were sent.`
  throw new Failure('integrity', message, {context: {container, key}, retryable: true})
}

/** The same bytes could have stood there before, as another type. */
function isDressed({contentType, contentDisposition, metadata = {}}: ObjectInfo, options: ObjectOptions): boolean {
  const wished = Object.entries(options.metadata ?? {})
  return (
    contentType === (options.contentType ?? 'application/octet-stream') &&
    contentDisposition === options.contentDisposition &&
    wished.length === Object.keys(metadata).length &&
    wished.every(([name, value]) => metadata[name.toLowerCase()] === value)
  )
}
