import {crc32ToBase64, formatCrc32} from '../../core/crc32.ts'
import {digestBody} from '../../http/digest.ts'
import {send} from '../../http/send.ts'
import type {Answer, Wire} from '../../http/send.ts'
import {damaged, isMd5, noEtag, saysMd5, textHeader, unquote} from '../s3/checksum.ts'
import {isRefused} from '../s3/failures.ts'
import {comparesEtag} from '../s3/whole.ts'
import type {Body, StoredObject, Target, UploadStore} from '../store.ts'
import {checkMd5, checkSize, checkTarget} from './check-use.ts'
import {explainS3} from './explain-s3.ts'
import {bodyHeaders, s3Headers} from './s3-headers.ts'
import type {S3Url} from './signed-url.ts'

export interface Sums {
  readonly crc: number
  readonly md5: Buffer
}

/** Makes `putWhole` by a presigned PUT: with Content-MD5 wherever the signature allows it. */
export function createS3Put(url: S3Url, wire: Wire): UploadStore['putWhole'] {
  return async (target, body, options, call) => {
    checkTarget(url, target)
    checkSize(url, body.size)
    const headers = s3Headers(url, options)
    const sums = await digestBody(body, call.signal)
    checkMd5(url, sums.md5.toString('hex'))
    const checks = bodyHeaders(url, sums.md5, crc32ToBase64(sums.crc))
    const answer = await send(
      wire,
      {
        method: 'PUT',
        origin: url.origin,
        path: `${url.path}${url.query}`,
        headers: {host: new URL(url.origin).host, ...headers, ...checks},
        body,
      },
      {signal: call.signal, onSent: call.onSent, pace: call.pace},
    )
    if (isRefused(answer, 'PUT')) throw await explainS3(url, answer, {target, wire, call})
    return judgeAnswer(target, body, sums, answer, checks['content-md5'] !== undefined)
  }
}

/** Compares what the store says of the object with what was sent. Fails `integrity`. */
export function judgeAnswer(
  target: Target,
  body: Body,
  {crc, md5}: Sums,
  answer: Answer,
  isChecked: boolean,
): StoredObject {
  const etag = unquote(answer.headers.etag)
  if (etag === '') throw noEtag(target)
  const ours = md5.toString('hex')
  const tells = comparesEtag(answer, etag)
  if (tells && !saysMd5(etag, ours)) throw damaged(target)
  const versionId = textHeader(answer, 'x-amz-version-id')
  return {
    target,
    size: body.size,
    etag,
    crc32: formatCrc32(crc),
    md5: ours,
    verified:
      isChecked || (tells && isMd5(etag))
        ? {by: 'md5'}
        : {by: 'none', note: "the URL allows no checksum, and the store's ETag is none"},
    ...(versionId === undefined ? {} : {versionId}),
  }
}
