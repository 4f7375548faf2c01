import type {Call, ObjectInfo, ObjectStore, Target} from '../stores/store.ts'
import {createLookup} from './lookup.ts'
import type {Lookup} from './lookup.ts'

export interface ListedKey {
  readonly order: string
  readonly info: ObjectInfo
}

/** The bytes of a key in UTF-8, a character each: compared so, keys have the order in which stores list them. */
export function orderOf(key: string): string {
  // oxlint-disable-next-line no-control-regex
  return /^[\u0000-\u007F]*$/u.test(key) ? key : Buffer.from(key).toString('latin1')
}

/**
 * Asks a store for keys in ascending order by listing it: a request for a thousand keys that lie close. A store that
 * lists in another order only hides keys, and what is hidden is sent.
 */
export function lookUpListing(store: Pick<ObjectStore, 'list'>, prefix: Target, call: Call): Lookup<ListedKey> {
  async function* list(order: string): AsyncGenerator<ListedKey> {
    for await (const info of store.list(prefix, call, keyBefore(order, prefix.key))) {
      yield {order: orderOf(info.target.key), info}
    }
  }
  return createLookup(list, true)
}

/** A key that sorts before this one with few others between: a listing begins behind what it is told. */
function keyBefore(order: string, prefix: string): string | undefined {
  const key = Buffer.from(order, 'latin1').toString()
  const shorter = Array.from(key.slice(prefix.length)).slice(0, -1).join('')
  return shorter === '' ? undefined : prefix + shorter
}
