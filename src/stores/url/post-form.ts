import {digestBody} from '../../http/digest.ts'
import {send} from '../../http/send.ts'
import type {Answer, Wire} from '../../http/send.ts'
import {isWebPage} from '../s3/failures.ts'
import type {UploadStore} from '../store.ts'
import {checkSize, checkTarget} from './check-use.ts'
import {explainS3} from './explain-s3.ts'
import {wrapForm} from './form-body.ts'
import {formFields} from './form-fields.ts'
import {judgeAnswer} from './put-s3.ts'
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
    return judgeAnswer(target, body, sums, withEtag(answer), false)
  }
}

function withEtag(answer: Answer): Answer {
  const {etag, location = ''} = answer.headers
  if (etag !== undefined || !URL.canParse(location)) return answer
  const told = new URL(location).searchParams.get('etag')
  return told === null ? answer : {...answer, headers: {...answer.headers, etag: told}}
}
