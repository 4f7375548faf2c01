import type {Answer, SendOptions} from '../../http/send.ts'
import type {S3Request} from './client.ts'
import {isRefused, readRefusal} from './failures.ts'
import type {Refusal} from './refusal-rows.ts'

type Ask = (request: S3Request, options: SendOptions) => Promise<Answer>

/** Finds out what a refusal means that has no words. */
export type ExplainHead = (request: S3Request, answer: Answer, options: SendOptions, ask: Ask) => Promise<Refusal>

/**
 * An answer to HEAD has no body, so a wrong region, a clock that is off and credentials that ended look like any bad
 * request or missing right. The same is asked once more by GET, whose code tells; where it tells nothing, what HEAD said
 * stands.
 */
export function createExplainHead(): ExplainHead {
  /** Containers whose objects may not be looked at: a key that may only write is asked about once, not for each object. */
  const denied = new Set<string>()

  return async (request, answer, {signal}, ask) => {
    const refusal = readRefusal(answer)
    const {container} = request.target
    const isBare = request.method === 'HEAD' && refusal.region === undefined
    const isUnclear = refusal.status === 400 || (refusal.status === 403 && !denied.has(container))
    if (!isBare || !isUnclear) return refusal
    const told = await readByGet(request, signal, ask)
    signal.throwIfAborted()
    if (refusal.status === 403 && (told === undefined || told.providerCode === 'AccessDenied')) denied.add(container)
    return told ?? refusal
  }
}

/** Undefined where it has no code either, or succeeds, or has no answer. */
async function readByGet(request: S3Request, signal: AbortSignal, ask: Ask): Promise<Refusal | undefined> {
  try {
    const answer = await ask(asGet(request), {signal, onBytes: stop})
    const refusal = isRefused(answer, 'GET') ? readRefusal(answer) : undefined
    return refusal?.providerCode && refusal.status < 500 ? refusal : undefined
  } catch {
    return undefined
  }
}

/** Of an object one byte, of a container one name. */
function asGet(request: S3Request): S3Request {
  return request.target.key === ''
    ? {...request, method: 'GET', query: {'list-type': '2', 'max-keys': '1'}}
    : {...request, method: 'GET', headers: {...request.headers, range: 'bytes=0-0'}}
}

/** What succeeds tells nothing more, and may be the whole object. */
function stop(): never {
  throw new Error('it may be read')
}
