import {Failure} from '../../core/failure.ts'

export interface PageRequest {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE'
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Blob | string
  /** Absolute. */
  readonly onSent?: (bytes: number) => void
  readonly signal: AbortSignal
}

export interface PageReply {
  readonly status: number
  readonly text: string
  /** Null where the store's CORS rules do not show it. */
  header(name: string): string | null
}

/** An upload that stands still for so long is begun anew; a slow one that moves is left alone. */
const STALL = 60_000

/**
 * Sends one request; any answer is a reply. XMLHttpRequest, since `fetch` tells nothing of the bytes on their way.
 * Fails `network`: a browser hides why, be it the network, a certificate, or CORS.
 */
export function sendRequest({method, url, headers = {}, body, onSent, signal}: PageRequest): Promise<PageReply> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    let timer: ReturnType<typeof setTimeout>
    const moved = (): void => {
      clearTimeout(timer)
      timer = setTimeout(() => request.abort(), STALL)
    }
    const abort = (): void => request.abort()
    function lost(): void {
      reject(new Failure('network', 'The connection to the store was lost.', {retryable: true}))
    }
    request.open(method, url)
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value)
    request.upload.addEventListener('progress', ({loaded}) => {
      moved()
      onSent?.(loaded)
    })
    request.addEventListener('progress', moved)
    request.addEventListener('load', () =>
      resolve({
        status: request.status,
        text: request.responseText,
        header: name => request.getResponseHeader(name),
      }),
    )
    request.addEventListener('error', lost)
    request.addEventListener('abort', () => (signal.aborted ? reject(asError(signal.reason)) : lost()))
    request.addEventListener('loadend', () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', abort)
    })
    if (signal.aborted) return reject(asError(signal.reason))
    signal.addEventListener('abort', abort, {once: true})
    moved()
    request.send(body ?? null)
  })
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason))
}
