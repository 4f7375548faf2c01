import {randomBytes} from 'node:crypto'
import {setTimeout as sleep} from 'node:timers/promises'
import {parse} from 'content-disposition'
import type {FailureCode} from '../../core/failure.ts'
import {Failure} from '../../core/failure.ts'
import type {Body} from '../../core/body.ts'
import {bufferBody} from '../../core/buffer-body.ts'
import {send} from '../../http/send.ts'
import type {Answer, SendOptions, Wire} from '../../http/send.ts'
import type {Call, TempUrl} from '../store.ts'
import {readRefusal, toFailure} from '../s3/failures.ts'

/** What a harmless use of a temp URL showed. */
export interface TempUrlCheck {
  /** Absent: it could not be found out without harm, and `notes` say why. */
  readonly works?: true
  readonly status?: number
  /** What a browser goes by: type, disposition, length and the like. */
  readonly headers: Readonly<Record<string, string>>
  /** The name under which a browser saves the object, where the answer has one. */
  readonly filename?: string
  /** Each one sentence. */
  readonly notes: readonly string[]
}

type Use = Pick<TempUrl, 'url' | 'method' | 'headers'>

/** A body larger than this is not made up for a check. */
const MOST = 1024 * 1024
/** How long a store may take to refuse a PUT by its headers. */
const PATIENCE = 3000

const SHOWN = [
  'content-type',
  'content-disposition',
  'content-encoding',
  'content-language',
  'cache-control',
  'etag',
  'last-modified',
]

/**
 * Uses a temp URL so that nothing changes: reads one byte, or asks to write with a checksum that is wrong. Fails
 * `expired`, `forbidden` or `not-found` where the URL is of no use, and as `send`.
 */
export async function checkTempUrl(wire: Wire, temp: Use, call: Call): Promise<TempUrlCheck> {
  const ask: Asking = (headers, body, options) => use(wire, temp, headers, body, {...options, signal: call.signal})
  switch (temp.method) {
    case 'GET':
      return checkGet(temp, ask)
    case 'HEAD':
      return describe(succeed(await ask({}), temp), 'The URL works.')
    case 'PUT':
      return checkPut(temp, ask)
    default:
      return unclear(`A URL for ${temp.method} was not tried: using it changes what stands there.`)
  }
}

type Asking = (
  headers: Readonly<Record<string, string>>,
  body?: Body,
  options?: Omit<SendOptions, 'signal'>,
) => Promise<Answer>

async function checkGet(temp: Use, ask: Asking): Promise<TempUrlCheck> {
  let size = 0
  const onBytes = (bytes: Buffer): void => {
    size += bytes.length
    if (size > MOST) throw new Failure('unsupported', 'The store sends the whole object where one byte was asked for.')
  }
  const first = await ask({range: 'bytes=0-0'}, undefined, {onBytes})
  // Of an empty object there is no first byte.
  const answer = first.status === 416 ? await ask({}, undefined, {onBytes}) : first
  return describe(succeed(answer, temp), 'The URL works: one byte was read.')
}

/** The wrong checksum is looked at after the signature: the store says that it differs, and stores nothing. */
async function checkPut(temp: Use, ask: Asking): Promise<TempUrlCheck> {
  const fixed = temp.headers['content-length']
  const size = Number(fixed ?? 1)
  if (size > MOST) return checkLargePut(size, temp, ask)
  if (size === 0 && temp.headers['content-md5'] !== undefined) {
    return unclear('The URL was not tried: it is for an empty object, and using it would store one.')
  }
  const body = bufferBody(randomBytes(size))
  const wrong = {
    ...(temp.headers['content-md5'] === undefined ? {'content-md5': randomBytes(16).toString('base64')} : {}),
    // Swift looks at this one instead.
    ...(isSwift(temp.url) ? {etag: randomBytes(16).toString('hex')} : {}),
  }
  // A second lock: what stands there already is not replaced, even by a store that looks at no checksum.
  const locked = await ask({...wrong, 'if-none-match': '*'}, body)
  const isLockUnknown = translate(locked, temp).code === 'unsupported' && temp.headers['if-none-match'] === undefined
  return judgePut(temp, isLockUnknown ? await ask(wrong, body) : locked)
}

function judgePut(temp: Use, answer: Answer): TempUrlCheck {
  const {status} = answer
  if (status < 300) {
    throw new Failure('integrity', 'The store took the check for an upload, although its checksum was wrong.', {
      context: {status},
      suggestion: 'Delete the object that stands there now.',
    })
  }
  const code = status === 422 ? 'integrity' : translate(answer, temp).code
  if (code === 'integrity') return {works: true, status, headers: {}, notes: ['The URL may write; nothing was stored.']}
  if (code === 'exists') {
    return {works: true, status, headers: {}, notes: ['The URL may write; an object stands there already.']}
  }
  throw refusal(answer, temp)
}

/** Only announced: a body that never comes cannot be stored. */
async function checkLargePut(size: number, temp: Use, ask: Asking): Promise<TempUrlCheck> {
  const silence = new Failure('unexpected', 'The store waits for the body.')
  const pace = async (): Promise<never> => {
    await sleep(PATIENCE, undefined, {ref: false})
    throw silence
  }
  try {
    return judgePut(temp, await ask({}, {size, read: into => Promise.resolve(into.length)}, {pace}))
  } catch (error) {
    if (error !== silence) throw error
    return unclear('The store did not refuse the URL; more cannot be shown without sending the whole body.')
  }
}

async function use(
  wire: Wire,
  {url, method, headers}: Use,
  added: Readonly<Record<string, string>>,
  body: Body | undefined,
  options: SendOptions,
): Promise<Answer> {
  const [, origin = '', path = ''] = /^(https?:\/\/[^/?#]+)([^#]*)/iu.exec(url) ?? []
  // Its length, where it was signed, is the body's.
  const {'content-length': _length, ...signed} = headers
  const sent = {host: new URL(origin).host, ...signed, ...added}
  return send(wire, {method, origin, path, headers: sent, ...(body === undefined ? {} : {body})}, options)
}

function succeed(answer: Answer, temp: Use): Answer {
  if (answer.status >= 300) throw refusal(answer, temp)
  return answer
}

const SENTENCES: Partial<Record<FailureCode, string>> = {
  expired: 'The temp URL has expired.',
  auth: 'The store does not accept this temp URL: it was changed, or made with other keys.',
  forbidden: 'The store does not accept this temp URL: who made it may not do this, or it was changed.',
  'not-found': 'The store accepts the temp URL, but nothing stands there.',
  unsupported: 'The store cannot do what this temp URL is for.',
}

/** Swift has one answer for all of these. */
const VAGUE = 'The store does not accept this temp URL: it has expired, was changed, or its key was replaced.'

function translate(answer: Answer, {url}: Use): Failure {
  const refused = readRefusal(answer)
  // A page for people is no sign of a wrong address there.
  return toFailure(isSwift(url) || answer.headers['x-trans-id'] !== undefined ? {...refused, isHtml: false} : refused)
}

/** Says what is wrong without naming the URL, which holds a signature. */
function refusal(answer: Answer, temp: Use): Failure {
  const failure = translate(answer, temp)
  const isVague = failure.code === 'auth' && isSwift(temp.url)
  const message = isVague ? VAGUE : (SENTENCES[failure.code] ?? failure.message)
  const {context, retryable} = failure
  const isBound = isVague && /[?&]temp_url_ip_range=/u.test(temp.url)
  const suggestion = isBound ? 'It is bound to addresses, and this machine may not be among them.' : undefined
  return new Failure(failure.code, message, {context, retryable, ...(suggestion === undefined ? {} : {suggestion})})
}

function describe(answer: Answer, note: string): TempUrlCheck {
  const {status, headers} = answer
  const shown = SHOWN.flatMap(name => (headers[name] === undefined ? [] : [[name, String(headers[name])]]))
  const size = /\/(\d+)$/u.exec(headers['content-range'] ?? '')?.[1] ?? headers['content-length']
  const disposition = headers['content-disposition']
  const filename = disposition === undefined ? undefined : parse(disposition).parameters['filename']
  return {
    works: true,
    status,
    headers: Object.fromEntries([...shown, ...(size === undefined ? [] : [['content-length', size]])]) as Record<
      string,
      string
    >,
    ...(filename === undefined ? {} : {filename}),
    notes: [note],
  }
}

function unclear(note: string): TempUrlCheck {
  return {headers: {}, notes: [note]}
}

function isSwift(url: string): boolean {
  return /[?&]temp_url_sig=/u.test(url)
}
