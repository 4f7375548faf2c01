import {trimEndSlashes} from '../../core/slashes.ts'

/** What a sign-in gives: where the account is, and the token that opens it. */
export interface Access {
  readonly storageUrl: string
  /** Absent where only a storage URL is known. */
  readonly token?: string
  /** When the token ends, and whose it is, as far as the sign-in told. */
  readonly ends?: Date
  readonly who?: string
}

/** Reads the end of a token; an answer without one, or with another date than ISO's, tells nothing. */
export function endOf(text: string | undefined): {ends?: Date} {
  const ends = new Date(text ?? '')
  return Number.isNaN(ends.getTime()) ? {} : {ends}
}

/** Where an account is: `http://host:8080`, and `/v1/AUTH_test` as it goes over the wire. */
export interface Place {
  readonly origin: string
  readonly path: string
}

export function placeOf(storageUrl: string): Place {
  const url = new URL(storageUrl)
  // Raw, since `URL` would fold and re-encode.
  const path = /^[a-z]+:\/\/[^/]*(?<path>\/[^?#]*)?/iu.exec(storageUrl)?.groups?.['path'] ?? ''
  return {origin: url.origin, path: trimEndSlashes(path)}
}
