import {randomBytes} from 'node:crypto'
import {bufferBody} from '../../core/buffer-body.ts'
import type {Body} from '../store.ts'

export interface FormBody {
  readonly body: Body
  readonly contentType: string
  /** Bytes before the file. */
  readonly head: number
}

// https://www.rfc-editor.org/rfc/rfc7578
/** Wraps a file in a form: fields first, since what comes after the file is not read. */
export function wrapForm(
  fields: readonly (readonly [name: string, value: string])[],
  file: {readonly name: string; readonly type: string; readonly body: Body},
): FormBody {
  // Nobody can put it into a file before it is known.
  const boundary = `skylift-${randomBytes(18).toString('hex')}`
  const texts = fields.map(
    ([name, value]) => `--${boundary}\r\nContent-Disposition: form-data; name="${quote(name)}"\r\n\r\n${value}\r\n`,
  )
  const start = `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="${quote(file.name)}"\r\nContent-Type: ${file.type}\r\n\r\n`
  const head = Buffer.from(texts.join('') + start)
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`)
  return {
    body: joinBodies([bufferBody(head), file.body, bufferBody(tail)]),
    contentType: `multipart/form-data; boundary=${boundary}`,
    head: head.length,
  }
}

// https://html.spec.whatwg.org/multipage/form-control-infrastructure.html#multipart-form-data
function quote(text: string): string {
  return text.replaceAll('"', '%22').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}

function joinBodies(bodies: readonly Body[]): Body {
  const size = bodies.reduce((sum, each) => sum + each.size, 0)
  return {
    size,
    async read(into, position) {
      let filled = 0
      let start = 0
      for (const body of bodies) {
        const at = position + filled - start
        const wanted = Math.min(into.length - filled, body.size - at)
        if (at >= 0 && wanted > 0) {
          const got = await body.read(into.subarray(filled, filled + wanted), at)
          filled += got
          // Shorter than it was: told by whoever wanted a full window.
          if (got < wanted) return filled
        }
        start += body.size
      }
      return filled
    },
  }
}
