import type {Wire} from '../http/send.ts'
import {Failure, isFailure} from '../core/failure.ts'
import {formatTarget} from '../core/target.ts'
import {checkUrl} from '../stores/open.ts'
import type {TempUrlCheck} from '../stores/open.ts'
import type {Call, Store, Target, TempUrl} from '../stores/store.ts'

/** Uses what was made where that is wished. Fails where it is of no use. */
export async function checkMade(
  isWished: boolean,
  wire: Wire,
  made: TempUrl,
  call: Call,
): Promise<TempUrlCheck | undefined> {
  return isWished ? checkUrl(wire, made, call) : undefined
}

export interface PublicUrl {
  readonly url: string
  readonly check: TempUrlCheck
}

/** Returns the plain address of an object that everybody can read; it was read without a signature. Fails `forbidden`. */
export async function findPublicUrl(store: Store, target: Target, wire: Wire, call: Call): Promise<PublicUrl> {
  const url = await store.publicUrl(target, call)
  try {
    return {url, check: await checkUrl(wire, {url, method: 'GET', headers: {}}, call)}
  } catch (error) {
    if (!isFailure(error, 'auth', 'forbidden', 'not-found', 'usage', 'unsupported')) throw error
    // A store that hides what is there from strangers says "not found", or asks for a signature.
    throw new Failure('forbidden', `${formatTarget(target)} cannot be read without a signature.`, {
      context: error.context,
      cause: error,
      suggestion: 'Leave --public away: a link with a signature works without opening the container.',
    })
  }
}
