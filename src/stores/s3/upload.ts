import {crc32ToBase64, formatCrc32, parseCrc32} from '../../core/crc32.ts'
import {isFailure} from '../../core/failure.ts'
import type {Failure} from '../../core/failure.ts'
import {crc32Body, digestBody, sumBeside} from '../../http/digest.ts'
import type {Answer, SendOptions} from '../../http/send.ts'
import type {
  Body,
  Call,
  ChecksumMode,
  ObjectInfo,
  Part,
  PartReceipt,
  Session,
  StoredObject,
  Target,
  UploadStore,
} from '../store.ts'
import {
  answeredCrc32,
  crc32FromBase64,
  createTrust,
  damaged,
  incomplete,
  noEtag,
  partDamaged,
  saysMd5,
  unquote,
  wholeCrc32,
} from './checksum.ts'
import type {S3Exchange} from './client.ts'
import {createConditions} from './conditions.ts'
import type {Write} from './conditions.ts'
import {isOurs, judge} from './judge.ts'
import {createMultipart} from './multipart.ts'
import {objectHeaders} from './object-headers.ts'
import {comparesEtag, createPutWhole} from './whole.ts'

const CRC32_UPLOAD = {'x-amz-checksum-algorithm': 'CRC32', 'x-amz-checksum-type': 'FULL_OBJECT'}

/** Makes the upload verbs of S3. https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html */
export function createUpload(
  connection: S3Exchange,
  head: (target: Target, call: Call) => Promise<ObjectInfo>,
): UploadStore {
  const {quirks} = connection.settings
  const multipart = createMultipart(connection)
  const {guardWrite, lookAhead} = createConditions(connection, head)
  const trust = createTrust(connection)
  /** Uploads whose Complete was not heard: what stands at the key may be ours. */
  const unclear = new Set<string>()
  /** Turns false where ETags of parts turn out to be no MD5s; from then on the store must check Content-MD5. */
  let etagsAreMd5 = true

  /** One reading to sum, a second to send; the store compares, and says so. */
  async function putPartCrc32(session: Session, part: Part, body: Body, call: Call): Promise<PartReceipt> {
    const {target} = session
    const crc = await crc32Body(body, call.signal)
    const headers = {'x-amz-checksum-crc32': crc32ToBase64(crc)}
    const answer = await connection.request({...partRequest(session, part, body), headers}, sending(call))
    const etag = unquote(answer.headers.etag)
    const echoed = answeredCrc32(answer)
    if (etag === '') throw noEtag(target, part.number)
    if (echoed !== undefined && echoed !== formatCrc32(crc)) throw partDamaged(target, part.number)
    if (echoed === undefined && !saysMd5(etag, (await digestBody(body, call.signal)).md5.toString('hex'))) {
      etagsAreMd5 = comparesEtag(answer, etag)
      // Neither an echo nor an MD5: only Content-MD5 makes the store check, from the next attempt on.
      if (!etagsAreMd5) trust.learn(false)
      throw partDamaged(target, part.number)
    }
    trust.learn(echoed !== undefined)
    return {number: part.number, size: part.size, etag, crc32: formatCrc32(crc)}
  }

  /** Summed while it leaves and compared with the ETag, or summed before and checked by the store. */
  async function putPartMd5(session: Session, part: Part, body: Body, call: Call): Promise<PartReceipt> {
    const {target} = session
    const request = partRequest(session, part, body)
    const known = etagsAreMd5 ? undefined : await digestBody(body, call.signal)
    const headers: Record<string, string> = known === undefined ? {} : {'content-md5': known.md5.toString('base64')}
    const send = (onWindow: SendOptions['onWindow']): Promise<Answer> =>
      connection.request({...request, headers}, {...sending(call), onWindow})
    const {sent, sums} =
      known === undefined
        ? sumBeside(body, call.signal, send)
        : {sent: send(undefined), sums: () => Promise.resolve(known)}
    const answer = await sent
    const etag = unquote(answer.headers.etag)
    if (etag === '') throw noEtag(target, part.number)
    const {md5, crc} = await sums()
    if (known === undefined && !saysMd5(etag, md5.toString('hex'))) {
      etagsAreMd5 = comparesEtag(answer, etag)
      throw partDamaged(target, part.number)
    }
    return {number: part.number, size: part.size, etag, crc32: formatCrc32(crc)}
  }

  function checksumOf(session: Session): ChecksumMode {
    return session.checksum === 'crc32' && trust.verifiesCrc32() !== false ? 'crc32' : 'md5'
  }

  async function completeOnce(
    session: Session,
    receipts: readonly PartReceipt[],
    call: Call,
    refusal?: Failure,
  ): Promise<StoredObject> {
    const {target, uploadId} = session
    const checksum = checksumOf(session)
    const crc = checksum === 'crc32' ? wholeCrc32(receipts) : undefined
    const guard = await guardWrite(writeOf(session), call, refusal)
    const parts = receipts.map(({number, etag, crc32}) => ({
      number,
      etag,
      ...(crc === undefined ? {} : {crc32: crc32ToBase64(parseCrc32(crc32))}),
    }))
    const whole: Record<string, string> =
      crc === undefined ? {} : {'x-amz-checksum-crc32': crc32ToBase64(crc), 'x-amz-checksum-type': 'FULL_OBJECT'}
    try {
      const done = await multipart.complete(target, uploadId, {parts, headers: {...guard.headers, ...whole}}, call)
      guard.succeed()
      const found = done.etag === '' ? await confirm(session, receipts, call) : undefined
      const stored = judge(session, receipts, found?.etag ?? done.etag, crc32FromBase64(done.crc32), checksum)
      return {
        ...stored,
        ...(done.versionId === undefined ? {} : {versionId: done.versionId}),
        ...(guard.notes.length > 0 ? {notes: guard.notes} : {}),
      }
    } catch (error) {
      if (guard.isRefused(error)) return completeOnce(session, receipts, call, error)
      throw error
    }
  }

  /** True where the failure does not tell: a forgotten upload may be a finished one, of a process that was killed too. */
  async function mayBeDone(error: unknown, session: Session, call: Call): Promise<boolean> {
    if (isFailure(error, 'not-found')) return true
    // What Swift's S3 API says to a second Complete; it goes on listing the parts, too.
    if (isFailure(error) && error.context.providerCode === 'MalformedXML') return true
    if (isFailure(error, 'exists')) {
      if (unclear.has(session.uploadId)) return true
      // Found by looking, which has no status: of what a killed process had finished nobody else tells.
      return error.context.status === undefined && isForgotten(session, call)
    }
    return isFailure(error, 'network', 'busy') && isForgotten(session, call)
  }

  /** While the store still knows the upload, the same bytes at the key are those of an earlier one. */
  async function isForgotten({target, uploadId}: Session, call: Call): Promise<boolean> {
    return multipart.listParts(target, uploadId, call).then(
      () => false,
      (error: unknown) => isFailure(error, 'not-found'),
    )
  }

  /** Asks what stands at the key; undefined when it is not ours, or may not be asked. */
  async function settle(
    session: Session,
    receipts: readonly PartReceipt[],
    call: Call,
  ): Promise<ObjectInfo | undefined> {
    const found = await head(session.target, call).catch(() => undefined)
    return found !== undefined && isOurs(found, session, receipts) === true ? found : undefined
  }

  /** Asks after a Complete that named nothing; undefined when it may not be asked. Fails `integrity` for what is not ours. */
  async function confirm(
    session: Session,
    receipts: readonly PartReceipt[],
    call: Call,
  ): Promise<ObjectInfo | undefined> {
    const found = await head(session.target, call).catch((error: unknown) => {
      if (isFailure(error, 'not-found')) throw noEtag(session.target)
      return undefined
    })
    if (found !== undefined && isOurs(found, session, receipts) === false) throw damaged(session.target)
    return found
  }

  return {
    endpoint: connection.endpointName,
    limits: () => Promise.resolve(quirks.limits),
    putWhole: createPutWhole(connection, trust, head),

    async begin(target, options, {size, partSize}, call) {
      const headers = objectHeaders(options)
      const session = {target, options, size, partSize}
      // One look may save the sending of all parts; the end is guarded all the same.
      const looking = lookAhead(writeOf(session), call)
      if (looking instanceof Promise) await looking
      if (trust.verifiesCrc32() !== false) {
        try {
          const uploadId = await multipart.create(target, {...headers, ...CRC32_UPLOAD}, call)
          return {...session, uploadId, checksum: 'crc32'}
        } catch (error) {
          // Some stores refuse the words that they do not know instead of passing over them.
          if (!isFailure(error, 'unsupported', 'usage')) throw error
        }
      }
      return {...session, uploadId: await multipart.create(target, headers, call), checksum: 'md5'}
    },

    putPart(session, part, body, call) {
      return (checksumOf(session) === 'crc32' ? putPartCrc32 : putPartMd5)(session, part, body, call)
    },

    listParts: (session, call) => multipart.listParts(session.target, session.uploadId, call),

    async complete(session, receipts, call) {
      // A store joins whatever it is told to: a list that is too short would make a shorter object.
      if (receipts.reduce((sum, {size}) => sum + size, 0) !== session.size) throw incomplete(session.target)
      try {
        return await completeOnce(session, receipts, call)
      } catch (error) {
        const isLost = isFailure(error, 'network', 'busy')
        if (await mayBeDone(error, session, call)) {
          const found = await settle(session, receipts, call)
          if (found !== undefined) return judge(session, receipts, found.etag, found.crc32, checksumOf(session))
        }
        if (isLost) unclear.add(session.uploadId)
        throw error
      }
    },

    async abort(session, call) {
      await multipart.abort(session.target, session.uploadId, call).catch((error: unknown) => {
        if (!isFailure(error, 'not-found')) throw error
      })
    },
  }
}

function writeOf({target, options}: Pick<Session, 'target' | 'options'>): Write {
  return {target, options, verb: 'conditionalComplete'}
}

function partRequest({target, uploadId}: Session, part: Part, body: Body) {
  return {method: 'PUT', target, query: {partNumber: String(part.number), uploadId}, body}
}

function sending(call: Call): SendOptions {
  return {signal: call.signal, onSent: call.onSent, pace: call.pace}
}
