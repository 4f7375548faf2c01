/** An origin taken apart. */
export interface Origin {
  readonly isTls: boolean
  readonly host: string
  readonly hostname: string
  readonly port: number
}

const origins = new Map<string, Origin>()

/** Scheme, host and port. A run knows few origins and sends many requests to them. */
export function readOrigin(origin: string): Origin {
  const known = origins.get(origin)
  if (known !== undefined) return known
  const {protocol, host, hostname, port} = new URL(origin)
  const isTls = protocol === 'https:'
  // A literal IPv6 address stands in brackets in a URL and without them for the socket.
  const name = hostname.replace(/^\[(.*)\]$/u, '$1')
  const read = {isTls, host, hostname: name, port: port === '' ? (isTls ? 443 : 80) : Number(port)}
  origins.set(origin, read)
  return read
}
