import {Failure} from '../core/failure.ts'
import {isOutOfHandles, tooManyOpen} from '../core/open-handles.ts'

const SENTENCES: Record<string, string> = {
  ECONNREFUSED: 'refused the connection',
  ECONNRESET: 'cut the connection',
  EPIPE: 'cut the connection',
  ECONNABORTED: 'cut the connection',
  ERR_STREAM_PREMATURE_CLOSE: 'cut the connection',
  ERR_SSL_WRONG_VERSION_NUMBER: 'does not speak TLS on that port',
  EPROTO: 'does not speak TLS as expected',
  ENOTFOUND: 'is not known to DNS',
  EAI_AGAIN: 'cannot be looked up in DNS for now',
  EHOSTUNREACH: 'cannot be reached',
  ENETUNREACH: 'cannot be reached: there is no network',
  ENETDOWN: 'cannot be reached: the network is down',
  ETIMEDOUT: 'did not answer in time',
}

/** OpenSSL's words for a certificate that cannot be trusted: trying again does not help. */
const CERTIFICATE =
  /^(?:CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|ERR_TLS_CERT_ALTNAME_INVALID|HOSTNAME_MISMATCH|INVALID_CA|PATH_LENGTH_EXCEEDED|INVALID_PURPOSE)/u

/** These say that nobody was reached at all: nothing of the request can have arrived. */
const UNREACHED = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENETDOWN',
  'ENFILE',
])

/**
 * Translates an error of a socket; `network` and retryable, or `config` for what is wrong here: a certificate, too many
 * connections.
 */
export function networkFailure(error: unknown, host: string): Failure {
  if (error instanceof Failure) return error
  const code = errorCode(error)
  if (isUntrusted(error)) {
    return new Failure('config', `The certificate of ${host} cannot be trusted (${code}).`, {
      cause: error,
      suggestion: 'Name the certificate authority with --ca-bundle, or take --no-verify-ssl for a test.',
    })
  }
  if (code.startsWith('ERR_SSL_') || code === 'EPROTO') {
    return new Failure('config', `${host} does not speak TLS as expected (${code}).`, {
      cause: error,
      suggestion: 'Check whether the endpoint wants http:// instead of https://.',
    })
  }
  // What others have open is theirs to close; what this process has would only be tried for again.
  if (isOutOfHandles(code)) return tooManyOpen(`${host} cannot be reached`, error, code === 'ENFILE')
  const message = error instanceof Error ? error.message : String(error)
  // Node refuses it before anything is sent, and would again.
  if (code === 'ERR_INVALID_CHAR' || code === 'ERR_INVALID_HTTP_TOKEN') {
    return new Failure('usage', `The request cannot be written: ${message}.`, {cause: error})
  }
  if (code.startsWith('HPE_')) {
    return new Failure('network', `${host} does not answer in HTTP (${code}).`, {cause: error, retryable: true})
  }
  const known = Object.hasOwn(SENTENCES, code) ? SENTENCES[code] : undefined
  const words = known ?? (message === 'socket hang up' ? 'cut the connection' : undefined)
  const sentence = words === undefined ? `The connection to ${host} failed: ${message}.` : `${host} ${words}.`
  return new Failure('network', sentence, {cause: error, retryable: true})
}

/** True where a certificate is the reason. */
export function isUntrusted(error: unknown): boolean {
  return CERTIFICATE.test(errorCode(error))
}

/** True where the failure says that the host was never reached. */
export function isUnreached(failure: Failure): boolean {
  return UNREACHED.has(errorCode(failure.cause))
}

/** Happy Eyeballs throws an AggregateError whose parts have the code. */
function errorCode(error: unknown): string {
  if (typeof error !== 'object' || error === null) return ''
  if ('code' in error && typeof error.code === 'string') return error.code
  if ('errors' in error && Array.isArray(error.errors)) return errorCode(error.errors[0])
  return ''
}
