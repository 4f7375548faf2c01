import {crc32ToBase64, formatCrc32} from '../../core/crc32.ts'
import {isFailure} from '../../core/failure.ts'
import {loadSmall} from '../../core/buffer-body.ts'
import {crc32Body, digestBody} from '../../http/digest.ts'
import type {Answer} from '../../http/send.ts'
import type {Body, Call, ObjectInfo, ObjectOptions, StoredObject, Target, UploadStore} from '../store.ts'
import type {Trust} from './checksum.ts'
import {answeredCrc32, damaged, isMd5, noEtag, textHeader, unquote} from './checksum.ts'
import type {S3Exchange} from './client.ts'
import {createConditions} from './conditions.ts'
import {objectHeaders} from './object-headers.ts'

interface Sums {
  readonly crc: number
  readonly md5?: Buffer
}

/** Makes `putWhole`: one PUT, checked by the store before the old object goes. */
export function createPutWhole(
  connection: S3Exchange,
  trust: Trust,
  head: (target: Target, call: Call) => Promise<ObjectInfo>,
): UploadStore['putWhole'] {
  const guardWrite = createConditions(connection, head)
  /** Bodies whose last answer was lost: what stands at the key may be ours. */
  const unclear = new WeakSet<Body>()
  /** Turns false where a CRC-32 beside the MD5 is refused: some stores refuse the words that they do not know. */
  let takesBoth = true

  return async function putWhole(target, body, options, call): Promise<StoredObject> {
    // The old object is gone by the time an ETag could be compared, so the store itself must check before.
    const loaded = await loadSmall(body)
    const sums: Sums =
      trust.verifiesCrc32() === true
        ? {crc: await crc32Body(loaded, call.signal)}
        : await digestBody(loaded, call.signal)
    for (;;) {
      try {
        return await putOnce(target, loaded, sums, options, call)
      } catch (error) {
        if (error === AGAIN) continue
        if (isFailure(error, 'exists') && unclear.has(body)) {
          const stored = await settle(target, body, call)
          if (stored !== undefined) return stored
        }
        if (isFailure(error, 'network', 'busy')) unclear.add(body)
        throw error
      }
    }
  }

  async function putOnce(target: Target, body: Body, sums: Sums, options: ObjectOptions, call: Call) {
    const guard = await guardWrite(target, options, 'conditionalPut', call)
    // A store that echoes it has shown what it can, and needs no MD5 from then on. One question at a time: a refusal does
    // not tell what it is about.
    const mayAsk = takesBoth && trust.verifiesCrc32() === undefined && options.noClobber !== true
    const hasBoth = sums.md5 !== undefined && mayAsk
    const headers = objectHeaders(options)
    if (sums.md5 !== undefined) headers['content-md5'] = sums.md5.toString('base64')
    if (sums.md5 === undefined || hasBoth) headers['x-amz-checksum-crc32'] = crc32ToBase64(sums.crc)
    const answer = await connection
      .request(
        {method: 'PUT', target, headers: {...headers, ...guard.headers}, body},
        {signal: call.signal, onSent: call.onSent, pace: call.pace},
      )
      .catch((error: unknown) => {
        const isTooMuch = hasBoth && isFailure(error, 'unsupported', 'usage')
        if (isTooMuch) takesBoth = false
        throw isTooMuch || guard.isRefused(error) ? AGAIN : error
      })
    const stored = await checkAnswer(target, body, sums, answer, call)
    return guard.notes.length > 0 ? {...stored, notes: guard.notes} : stored
  }

  async function checkAnswer(
    target: Target,
    body: Body,
    sums: Sums,
    answer: Answer,
    call: Call,
  ): Promise<StoredObject> {
    const etag = unquote(answer.headers.etag)
    if (etag === '') throw noEtag(target)
    const crc32 = formatCrc32(sums.crc)
    const echoed = answeredCrc32(answer)
    if (echoed !== undefined && echoed !== crc32) throw damaged(target)
    // Without an echo, one that was known to verify it does not any more; of others a part may still show that they do.
    if (echoed !== undefined || sums.md5 === undefined) trust.learn(echoed !== undefined)
    // Only the ETag can tell then.
    const md5 = sums.md5 ?? (echoed === undefined ? (await digestBody(body, call.signal)).md5 : undefined)
    if (md5 !== undefined && comparesEtag(answer, etag) && md5.toString('hex') !== etag) throw damaged(target)
    const versionId = textHeader(answer, 'x-amz-version-id')
    return {
      target,
      size: body.size,
      etag,
      crc32,
      ...(md5 === undefined ? {} : {md5: md5.toString('hex')}),
      verified: {by: echoed === undefined ? 'md5' : 'crc32'},
      ...(versionId === undefined ? {} : {versionId}),
    }
  }

  /** Asks what stands at the key; undefined when it is not ours, or may not be asked. */
  async function settle(target: Target, body: Body, call: Call): Promise<StoredObject | undefined> {
    const found = await head(target, call).catch(() => undefined)
    if (found === undefined || found.size !== body.size) return undefined
    const {crc, md5: bytes} = await digestBody(body, call.signal)
    const [crc32, md5] = [formatCrc32(crc), bytes.toString('hex')]
    const by = found.etag === md5 ? 'md5' : found.crc32 === crc32 ? 'crc32' : undefined
    return by === undefined ? undefined : {target, size: body.size, etag: found.etag, crc32, md5, verified: {by}}
  }
}

/** The store did not know the condition; the next try goes without. */
const AGAIN = Symbol('again')

/** With SSE-KMS an ETag has the form of an MD5 and is none. */
export function comparesEtag(answer: Answer, etag: string): boolean {
  return isMd5(etag) && !/kms/u.test(textHeader(answer, 'x-amz-server-side-encryption') ?? '')
}
