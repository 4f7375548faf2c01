import {crc32ToBase64, formatCrc32} from '../../core/crc32.ts'
import {isFailure} from '../../core/failure.ts'
import type {Failure} from '../../core/failure.ts'
import {loadSmall} from '../../core/buffer-body.ts'
import {digestBody, sumUp} from '../../http/digest.ts'
import type {Sums} from '../../http/hash-queue.ts'
import type {Answer} from '../../http/send.ts'
import type {Body, Call, ObjectInfo, ObjectOptions, StoredObject, Target, UploadStore} from '../store.ts'
import type {Trust} from './checksum.ts'
import {answeredCrc32, damaged, isMd5, noEtag, saysMd5, textHeader, unquote} from './checksum.ts'
import type {S3Exchange} from './client.ts'
import {createConditions} from './conditions.ts'
import {objectHeaders} from './object-headers.ts'

/** Makes `putWhole`: one PUT, checked by the store before the old object goes. */
export function createPutWhole(
  connection: S3Exchange,
  trust: Trust,
  head: (target: Target, call: Call) => Promise<ObjectInfo>,
): UploadStore['putWhole'] {
  const {guardWrite} = createConditions(connection, head)
  /** Bodies whose last answer was lost: what stands at the key may be ours. */
  const unclear = new WeakSet<Body>()
  /** Turns false where a CRC-32 beside the MD5 is refused: some stores refuse the words that they do not know. */
  let takesBoth = true

  return async function putWhole(target, body, options, call): Promise<StoredObject> {
    // The old object is gone by the time an ETag could be compared, so the store itself must check before.
    const loading = loadSmall(body)
    const loaded = loading instanceof Promise ? await loading : loading
    const summed = sumUp({body: loaded, withMd5: trust.verifiesCrc32() !== true, signal: call.signal})
    const sums = summed instanceof Promise ? await summed : summed
    let isTooMuch = false
    for (;;) {
      try {
        const stored = await putOnce(target, loaded, sums, options, call, {mayAsk: takesBoth && !isTooMuch})
        // Only now: another thing may have been refused.
        if (isTooMuch) takesBoth = false
        return stored
      } catch (error) {
        if (error === TOO_MUCH) {
          isTooMuch = true
          continue
        }
        if (isFailure(error, 'exists') && unclear.has(body)) {
          const stored = await settle(target, body, call)
          if (stored !== undefined) return stored
        }
        if (isFailure(error, 'network', 'busy')) unclear.add(body)
        throw error
      }
    }
  }

  async function putOnce(
    target: Target,
    body: Body,
    sums: Sums,
    options: ObjectOptions,
    call: Call,
    how: {readonly mayAsk: boolean; readonly refusal?: Failure},
  ): Promise<StoredObject> {
    const guarding = guardWrite({target, options, verb: 'conditionalPut'}, call, how.refusal)
    const guard = guarding instanceof Promise ? await guarding : guarding
    // A store that echoes it has shown what it can, and needs no MD5 from then on. One question at a time: a refusal does
    // not tell what it is about.
    const isQuestion =
      sums.md5 !== undefined && how.mayAsk && trust.verifiesCrc32() === undefined && options.noClobber !== true
    const hasCrc32 = sums.md5 === undefined || isQuestion
    const headers = objectHeaders(options)
    if (sums.md5 !== undefined) headers['content-md5'] = sums.md5.toString('base64')
    if (hasCrc32) headers['x-amz-checksum-crc32'] = crc32ToBase64(sums.crc)
    Object.assign(headers, guard.headers)
    let answer: Answer
    try {
      answer = await connection.request(
        {method: 'PUT', target, headers, body},
        {signal: call.signal, onSent: call.onSent, pace: call.pace},
      )
    } catch (error) {
      if (isQuestion && isFailure(error, 'unsupported', 'usage')) throw TOO_MUCH
      if (guard.isRefused(error)) return putOnce(target, body, sums, options, call, {...how, refusal: error})
      throw error
    }
    guard.succeed()
    const echoed = answeredCrc32(answer)
    // It was known to verify CRC-32 and does not any more: only the ETag can tell now.
    const isUnsure = sums.md5 === undefined && echoed === undefined
    const stored = judge(target, body, isUnsure ? await digestBody(body, call.signal) : sums, answer, echoed)
    // One that passes over it here may still verify it of parts.
    if (hasCrc32 && (echoed !== undefined || isUnsure)) trust.learn(echoed !== undefined)
    return guard.notes.length > 0 ? {...stored, notes: guard.notes} : stored
  }

  /** Asks what stands at the key; undefined when it is not ours, or may not be asked. */
  async function settle(target: Target, body: Body, call: Call): Promise<StoredObject | undefined> {
    const found = await head(target, call).catch(() => undefined)
    if (found === undefined || (found.size >= 0 && found.size !== body.size)) return undefined
    const {crc, md5: bytes} = await digestBody(body, call.signal)
    const [crc32, md5] = [formatCrc32(crc), bytes.toString('hex')]
    const by = saysMd5(found.etag, md5) ? 'md5' : found.crc32 === crc32 ? 'crc32' : undefined
    return by === undefined ? undefined : {target, size: body.size, etag: found.etag, crc32, md5, verified: {by}}
  }
}

/** Compares what the store says with what was sent. Fails `integrity`. */
function judge(
  target: Target,
  {size}: Body,
  {crc, md5}: Sums,
  answer: Answer,
  echoed: string | undefined,
): StoredObject {
  const etag = unquote(answer.headers.etag)
  if (etag === '') throw noEtag(target)
  const crc32 = formatCrc32(crc)
  if (echoed !== undefined && echoed !== crc32) throw damaged(target)
  const md5Hex = md5?.toString('hex')
  if (md5Hex !== undefined && comparesEtag(answer, etag) && !saysMd5(etag, md5Hex)) throw damaged(target)
  const versionId = textHeader(answer, 'x-amz-version-id')
  return {
    target,
    size,
    etag,
    crc32,
    ...(md5Hex === undefined ? {} : {md5: md5Hex}),
    verified: {by: echoed === undefined ? 'md5' : 'crc32'},
    ...(versionId === undefined ? {} : {versionId}),
  }
}

/** The store refused something that may be the CRC-32: the next try goes without. */
const TOO_MUCH = Symbol('too much')

/** With SSE-KMS an ETag has the form of an MD5 and is none. */
export function comparesEtag(answer: Answer, etag: string): boolean {
  return isMd5(etag) && !/kms/u.test(textHeader(answer, 'x-amz-server-side-encryption') ?? '')
}
