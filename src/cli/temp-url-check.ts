import {randomUUID} from 'node:crypto'
import type {Wire} from '../http/send.ts'
import {isFailure} from '../core/failure.ts'
import {checkUrl} from '../stores/open.ts'
import type {TempUrlCheck} from '../stores/open.ts'
import type {Call, TempUrl} from '../stores/store.ts'

/** Uses a URL for many keys with one that nobody has, where that is wished. Fails where it is of no use. */
export async function checkMadePrefix(
  isWished: boolean,
  wire: Wire,
  made: TempUrl,
  call: Call,
): Promise<TempUrlCheck | undefined> {
  if (!isWished) return undefined
  // All before the query is percent-encoded.
  const url = made.url.replace('?', `skylift-check-${randomUUID()}?`)
  try {
    return await checkUrl(wire, {...made, url}, call)
  } catch (error) {
    if (made.method === 'PUT' || !isFailure(error, 'not-found')) throw error
    return {works: true, status: 404, headers: {}, notes: ['The URL works: it was used for a key that nobody has.']}
  }
}
