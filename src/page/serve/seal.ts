import {createHmac, timingSafeEqual} from 'node:crypto'
import {Failure} from '../../core/failure.ts'

/** Hands out what the server would have to remember, so that it remembers nothing: only it can make one that opens. */
export interface Seals {
  seal(value: unknown): string
  /** Fails `forbidden` for what this run did not make. */
  open(text: string): unknown
}

export function createSeals(secret: Buffer): Seals {
  const sign = (body: string): string => createHmac('sha256', secret).update(body).digest('base64url')
  return {
    seal(value) {
      const body = Buffer.from(JSON.stringify(value)).toString('base64url')
      return `${body}.${sign(body)}`
    },
    open(text) {
      const [body = '', ...marks] = text.split('.')
      // Letter by letter: base64 has several spellings of the same bytes.
      const [given, true_] = [Buffer.from(marks.join('.')), Buffer.from(sign(body))]
      if (given.length !== true_.length || !timingSafeEqual(given, true_)) {
        throw new Failure('forbidden', 'This upload was not begun here.')
      }
      return JSON.parse(Buffer.from(body, 'base64url').toString('utf8')) as unknown
    },
  }
}
