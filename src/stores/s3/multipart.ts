import {bufferBody} from '../../core/buffer-body.ts'
import {COMPLETE_WAIT} from '../../http/waits.ts'
import {Failure, isFailure} from '../../core/failure.ts'
import {child, childText, parseXml} from '../../core/xml.ts'
import type {XmlElement} from '../../core/xml.ts'
import type {Call, PartReceipt, Target} from '../store.ts'
import {unquote} from './checksum.ts'
import type {S3Exchange, S3Request} from './client.ts'
import {toFailure} from './failures.ts'

/** The four verbs of a multipart upload, as the wire has them; what they mean stands in `upload`. */
export interface Multipart {
  /** Returns the upload ID. */
  create(target: Target, headers: Record<string, string>, call: Call): Promise<string>
  listParts(target: Target, uploadId: string, call: Call): Promise<PartReceipt[]>
  complete(target: Target, uploadId: string, request: CompleteRequest, call: Call): Promise<Completed>
  abort(target: Target, uploadId: string, call: Call): Promise<void>
}

export interface CompleteRequest {
  readonly parts: readonly {readonly number: number; readonly etag: string; readonly crc32?: string}[]
  readonly headers: Readonly<Record<string, string>>
}

export interface Completed {
  /** Empty on some stores. */
  readonly etag: string
  readonly crc32?: string
  readonly versionId?: string
}

export interface XmlWish {
  /** How long the answer may take. */
  readonly answer?: number
  /** Whoever asks again leaves something behind: an answer that cannot be read is no reason to go on asking. */
  readonly isOnce?: boolean
}

/** Sends and reads XML; an answer that is not S3's fails `config`, one with an error inside fails as that error. */
export async function requestXml(
  connection: S3Exchange,
  request: S3Request,
  call: Call,
  root: string,
  {answer: wait, isOnce = false}: XmlWish = {},
): Promise<{element: XmlElement; headers: Record<string, unknown>}> {
  const answer = await connection.request(request, {
    signal: call.signal,
    ...(wait === undefined ? {} : {answer: wait}),
  })
  const {container, key} = request.target
  const element = readElement(answer.text, answer.headers['content-type'], isOnce)
  if (element.name === root) return {element, headers: answer.headers}
  // CompleteMultipartUpload says 200 before it knows; the verdict is in the body.
  if (element.name === 'Error') {
    const refusal = {
      status: 500,
      providerCode: childText(element, 'Code') ?? 'InternalError',
      message: childText(element, 'Message') ?? '',
      headers: answer.headers,
    }
    throw toFailure(refusal, {container, key})
  }
  throw new Failure('config', `What answers at this endpoint does not speak S3: it sent <${element.name}>.`, {
    suggestion: 'Check --endpoint-url: it must be the address of the S3 API.',
  })
}

function readElement(text: string, contentType: string | undefined, isOnce: boolean): XmlElement {
  try {
    return parseXml(text.trimStart())
  } catch (error) {
    if (/^\s*<(?:!doctype html|html)/iu.test(text) || contentType?.includes('html')) {
      throw new Failure('config', 'What answers at this endpoint does not look like an S3 store: it sent a web page.', {
        suggestion: 'Check --endpoint-url (or AWS_ENDPOINT_URL): it must be the address of the S3 API.',
        cause: error,
      })
    }
    if (isOnce) throw unclear('The answer of the store is damaged.', error)
    // Cut on the way, more often than not.
    throw new Failure('network', 'The answer of the store is damaged.', {cause: error, retryable: true})
  }
}

/** What was begun and has no name stays behind: each attempt leaves one more. */
function unclear(message: string, cause?: unknown): Failure {
  const suggestion = 'An unfinished upload may be left: skylift pending list TARGET shows it.'
  return new Failure('network', message, {cause, suggestion})
}

export function createMultipart(connection: S3Exchange): Multipart {
  async function createOnce(target: Target, headers: Record<string, string>, call: Call): Promise<string> {
    const request = {method: 'POST', target, query: {uploads: ''}, headers}
    const {element} = await requestXml(connection, request, call, 'InitiateMultipartUploadResult', {isOnce: true})
    const uploadId = childText(element, 'UploadId')
    if (!uploadId) throw unclear('The store began an upload without naming it.')
    return uploadId
  }

  return {
    async create(target, headers, call) {
      try {
        return await createOnce(target, headers, call)
      } catch (error) {
        // Half an answer may be a moment's trouble. What comes twice comes always.
        if (!isFailure(error, 'network') || error.retryable) throw error
        return createOnce(target, headers, call)
      }
    },

    async listParts(target, uploadId, call) {
      const receipts = new Map<number, PartReceipt>()
      for (let marker = '0'; ;) {
        const query = {uploadId, 'part-number-marker': marker, 'max-parts': '1000'}
        const {element} = await requestXml(connection, {method: 'GET', target, query}, call, 'ListPartsResult')
        for (const part of element.children.filter(each => each.name === 'Part')) {
          const number = Number(childText(part, 'PartNumber'))
          const size = Number(childText(part, 'Size'))
          if (Number.isInteger(number) && Number.isSafeInteger(size))
            receipts.set(number, {number, size, etag: unquote(childText(part, 'ETag')), crc32: ''})
        }
        const next = childText(element, 'NextPartNumberMarker') || Math.max(0, ...receipts.keys()).toString()
        // A store that says "truncated" and names no new marker would keep us here for ever.
        if (childText(element, 'IsTruncated') !== 'true' || Number(next) <= Number(marker))
          return [...receipts.values()]
        marker = next
      }
    },

    async complete(target, uploadId, {parts, headers}, call) {
      const body = bufferBody(Buffer.from(completeXml(parts)))
      const request = {
        method: 'POST',
        target,
        query: {uploadId},
        headers: {'content-type': 'application/xml', ...headers},
        body,
      }
      const wait = {answer: connection.settings.wire.waits?.complete ?? COMPLETE_WAIT}
      const answer = await requestXml(connection, request, call, 'CompleteMultipartUploadResult', wait)
      const crc32 = childText(answer.element, 'ChecksumCRC32')
      const versionId = answer.headers['x-amz-version-id']
      return {
        etag: unquote(child(answer.element, 'ETag')?.text),
        ...(crc32 === undefined ? {} : {crc32}),
        ...(typeof versionId === 'string' ? {versionId} : {}),
      }
    },

    async abort(target, uploadId, call) {
      await connection.request({method: 'DELETE', target, query: {uploadId}}, {signal: call.signal})
    },
  }
}

function completeXml(parts: CompleteRequest['parts']): string {
  const lines = parts.map(({number, etag, crc32}) => {
    const checksum = crc32 === undefined ? '' : `<ChecksumCRC32>${crc32}</ChecksumCRC32>`
    return `<Part><PartNumber>${number}</PartNumber><ETag>&quot;${escapeXml(etag)}&quot;</ETag>${checksum}</Part>`
  })
  return `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${lines.join('')}</CompleteMultipartUpload>`
}

function escapeXml(text: string): string {
  return text.replaceAll(/[<>&"]/gu, char => `&#${char.codePointAt(0)};`)
}
