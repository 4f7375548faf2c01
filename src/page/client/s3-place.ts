import {Failure, isFailure} from '../../core/failure.ts'
import {child, childText, parseXml} from '../../core/xml.ts'
import {partUrl} from '../../stores/ticket/ticket.ts'
import type {S3Ticket} from '../../stores/ticket/ticket.ts'
import {isHidden} from './diagnose.ts'
import {createMd5} from './md5.ts'
import {placeOf} from './place.ts'
import type {HeldPart, Place, SentPart} from './place.ts'
import {readEtag, readReply} from './replies.ts'
import {sendRequest} from './send.ts'

/** Returns the URL of a part. */
export type SignPart = (number: number, signal: AbortSignal) => Promise<string>

/** One multipart upload by its presigned URLs; those that the ticket does not hold are signed by `sign`. */
export function createS3Place(ticket: S3Ticket, sign?: SignPart): Place {
  return {
    ...placeOf(ticket),

    async held(_plan, signal) {
      try {
        return await listParts(ticket, signal)
      } catch (error) {
        // Whoever may only put cannot make URLs that list, and Swift's S3 API shows a browser what it says of parts, but not
        // their listing.
        const isUnknown =
          isFailure(error, 'forbidden') || (isFailure(error, 'network') && (await isHidden(placeOf(ticket))))
        if (!isUnknown) throw error
        return new Map()
      }
    },

    async put({part, blob, md5, onSent, signal}) {
      const headers = {'content-md5': toBase64(md5)}
      const reply = await sendRequest({
        method: 'PUT',
        url: (await sign?.(part.number, signal)) ?? partUrl(ticket, part.number),
        headers,
        body: blob,
        onSent,
        signal,
      })
      const failure = readReply(reply)
      if (failure !== undefined) throw failure
      // The store has compared the MD5; where CORS hides its ETag, it is that very sum on all stores that give one.
      const etag = readEtag(reply) ?? md5
      if (/^[\da-f]{32}$/u.test(etag) && etag !== md5) {
        throw new Failure('integrity', 'Some bytes were damaged on their way.', {retryable: true})
      }
      return {size: part.size, etag}
    },

    async complete(parts, signal) {
      const body = completeBody(parts)
      try {
        const reply = await sendRequest({method: 'POST', url: ticket.complete, body, signal})
        const failure = readReply(reply)
        if (failure !== undefined) throw failure
        if (child(parseXml(reply.text), 'ETag') === undefined)
          throw new Failure('busy', 'No end came.', {retryable: true})
      } catch (error) {
        // The answer may have been lost while the store did as it was told.
        if (!isFailure(error, 'network', 'busy', 'not-found') || !(await stands(ticket, parts, signal))) throw error
      }
    },
  }
}

async function listParts(ticket: S3Ticket, signal: AbortSignal): Promise<Map<number, HeldPart>> {
  const parts = new Map<number, HeldPart>()
  for (const url of ticket.list) {
    const reply = await sendRequest({method: 'GET', url, signal})
    const failure = readReply(reply)
    if (failure !== undefined) throw failure
    const root = parseXml(reply.text)
    for (const part of root.children.filter(({name}) => name === 'Part')) {
      const etag = (childText(part, 'ETag') ?? '').replaceAll('"', '')
      parts.set(Number(childText(part, 'PartNumber')), {size: Number(childText(part, 'Size')), etag})
    }
    if (childText(root, 'IsTruncated') !== 'true') break
  }
  return parts
}

async function stands(ticket: S3Ticket, parts: readonly SentPart[], signal: AbortSignal): Promise<boolean> {
  const reply = await sendRequest({method: 'HEAD', url: ticket.head, signal})
  return reply.status === 200 && readEtag(reply)?.toLowerCase() === etagOf(parts)
}

/** The ETag of an object that was made of these parts: the MD5 of their MD5s, and how many they are. */
export function etagOf(parts: readonly Pick<SentPart, 'md5'>[]): string {
  const sum = createMd5()
  for (const {md5} of parts) sum.update(fromHex(md5))
  const hex = [...sum.digest()].map(byte => byte.toString(16).padStart(2, '0')).join('')
  return `${hex}-${parts.length}`
}

function completeBody(parts: readonly SentPart[]): string {
  const items = parts.map(
    ({number, etag}) => `<Part><PartNumber>${number}</PartNumber><ETag>"${escapeXml(etag)}"</ETag></Part>`,
  )
  return `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${items.join('')}</CompleteMultipartUpload>`
}

function escapeXml(text: string): string {
  return text.replaceAll(/[<>&"']/gu, char => `&#${char.codePointAt(0)};`)
}

function fromHex(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../gu) ?? [], pair => Number.parseInt(pair, 16))
}

function toBase64(hex: string): string {
  return btoa(String.fromCodePoint(...fromHex(hex)))
}
