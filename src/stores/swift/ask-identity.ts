import {bufferBody} from '../../core/buffer-body.ts'
import {send} from '../../http/send.ts'
import type {Answer, Wire} from '../../http/send.ts'
import {Failure} from '../../core/failure.ts'
import {printable} from '../../core/printable.ts'
import {placeOf} from './access.ts'

export interface IdentityRequest {
  readonly method: 'GET' | 'POST'
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly document?: unknown
  /** Must appear in no failure, whatever the server says. */
  readonly secrets: readonly string[]
}

/** Sends one request of a sign-in. Fails `auth` where it is refused, `config` where nobody there signs people in. */
export async function askIdentity(wire: Wire, request: IdentityRequest, signal: AbortSignal): Promise<Answer> {
  const {method, url, headers = {}, document, secrets} = request
  if (!URL.canParse(url) || !/^https?:$/u.test(new URL(url).protocol)) {
    throw new Failure('config', 'The address to sign in at is not an http or https URL.', {
      suggestion: 'Check OS_AUTH_URL, ST_AUTH, or auth_url in clouds.yaml.',
    })
  }
  const {origin, path} = placeOf(url)
  const answer = await send(
    wire,
    {
      method,
      origin,
      path: path === '' ? '/' : path,
      headers: {
        accept: 'application/json',
        ...headers,
        ...(document === undefined ? {} : {'content-type': 'application/json'}),
      },
      ...(document === undefined ? {} : {body: bufferBody(Buffer.from(JSON.stringify(document)))}),
    },
    {signal},
  )
  if (answer.status >= 300) throw refusedBy(origin, answer, secrets)
  return answer
}

function refusedBy(origin: string, {status, text}: Answer, secrets: readonly string[]): Failure {
  const {host} = new URL(origin)
  const context = {status}
  const words = maskSecrets(readWords(text), secrets)
  const said = words === '' ? '' : `: ${printable(words).replace(/\.$/u, '')}`
  if (status === 401 || status === 403) {
    return new Failure('auth', `The sign-in at ${host} was refused: user, project or secret is wrong.`, {context})
  }
  if (status >= 500 || status === 429 || status === 498) {
    return new Failure('busy', `The sign-in at ${host} is not available for now (status ${status}).`, {
      context,
      retryable: true,
    })
  }
  if (status === 400) {
    return new Failure('config', `The sign-in at ${host} was not understood${said}.`, {context})
  }
  return new Failure('config', `What answers at ${host} does not sign anybody in (status ${status}).`, {
    context,
    suggestion: 'Check OS_AUTH_URL, ST_AUTH, or auth_url in clouds.yaml, and its version: /v3, /v2.0 or /auth/v1.0.',
  })
}

function readWords(text: string): string {
  try {
    const {error} = JSON.parse(text) as {error?: {message?: unknown}}
    return typeof error?.message === 'string' ? error.message.slice(0, 300) : ''
  } catch {
    return ''
  }
}

export function maskSecrets(text: string, secrets: readonly string[]): string {
  return secrets.filter(secret => secret !== '').reduce((masked, secret) => masked.replaceAll(secret, '***'), text)
}

/** Reads the JSON of a sign-in; its text holds a token and appears in no failure. */
export function readDocument(answer: Answer, url: string): object {
  try {
    const document = JSON.parse(answer.text) as unknown
    if (typeof document === 'object' && document !== null) return document
  } catch {
    // Told below.
  }
  throw new Failure('config', `What answers at ${new URL(url).host} does not sign anybody in: it sent no JSON.`)
}
