/** What a sign-in gives: where the account is, and the token that opens it. */
export interface Access {
  readonly storageUrl: string
  /** Absent where only a storage URL is known. */
  readonly token?: string
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
  return {origin: url.origin, path: path.replace(/\/+$/u, '')}
}
