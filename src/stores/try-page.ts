import type {Call} from './store.ts'

/**
 * Asks for one page of a listing, again where the layers say so. A generator that threw is over, so a listing cannot be
 * tried again from outside without beginning anew.
 */
export function tryPage<T>(call: Call, ask: () => Promise<T>): Promise<T> {
  return call.retryPage === undefined ? ask() : call.retryPage(ask)
}
