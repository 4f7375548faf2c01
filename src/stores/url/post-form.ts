import type {Body} from '../../core/body.ts'
import {formatCrc32} from '../../core/crc32.ts'
import {childText, parseXml} from '../../core/xml.ts'
import {digestBody} from '../../http/digest.ts'
import {send} from '../../http/send.ts'
import type {Answer, Wire} from '../../http/send.ts'
import {isWebPage} from '../s3/failures.ts'
import type {StoredObject, Target, UploadStore} from '../store.ts'
import {checkSize, checkTarget} from './check-use.ts'
import {explainS3} from './explain-s3.ts'
import {wrapForm} from './form-body.ts'
import {formFields} from './form-fields.ts'
import {judgeAnswer} from './put-s3.ts'
import type {Sums} from './put-s3.ts'
import type {FormUrl} from './signed-url.ts'

/** Makes `putWhole` by a form. No checksum may go with it, so only the ETag of the answer tells. */
export function createFormPost(url: FormUrl, wire: Wire): UploadStore['putWhole'] {
  return async (target, body, options, call) => {
    checkTarget(url, target)
    checkSize(url, body.size)
    const fields = formFields(url, options)
    const sums = await digestBody(body, call.signal)
    const name = url.target.takesName ? target.key.slice(url.target.key.length) : target.key.replace(/^.*\//su, '')
    const type = url.headers['content-type'] ?? options.contentType ?? 'application/octet-stream'
    const form = wrapForm(fields, {name, type, body})
    const answer = await send(
      wire,
      {
        method: 'POST',
        origin: url.origin,
        path: `${url.path}${url.query}`,
        headers: {host: new URL(url.origin).host, 'content-type': form.contentType},
        body: form.body,
      },
      {
        signal: call.signal,
        onSent: sent => call.onSent?.(Math.min(body.size, Math.max(0, sent - form.head))),
        pace: call.pace,
      },
    )
    // A form may ask that the browser be sent on to a page, which says how it went.
    const isDone = answer.status < 300 || answer.status === 303
    if (!isDone || isWebPage(answer.text)) throw await explainS3(url, answer, {target, wire, call})
    const etag = readEtag(answer)
    // The answer to a form that asks for no other; Ceph's gateway says nothing in it.
    if (etag === '' && answer.status === 204) return unseen(target, body, sums)
    return judgeAnswer(target, body, sums, {...answer, headers: {...answer.headers, etag}}, false)
  }
}

/** The store says it in a header, in the document of a 201, or in the address of the page that follows. */
function readEtag({headers, text}: Answer): string {
  const {etag, location = ''} = headers
  if (etag !== undefined) return etag
  const told = URL.canParse(location) ? new URL(location).searchParams.get('etag') : null
  return told ?? readDocument(text) ?? ''
}

function readDocument(text: string): string | undefined {
  try {
    return childText(parseXml(text), 'ETag')
  } catch {
    return undefined
  }
}

function unseen(target: Target, {size}: Body, {crc, md5}: Sums): StoredObject {
  const verified = {by: 'none', note: 'the store did not say what it stored'} as const
  return {target, size, etag: '', crc32: formatCrc32(crc), md5: md5.toString('hex'), verified}
}
