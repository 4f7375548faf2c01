import {send} from '../../http/send.ts'
import type {Wire} from '../../http/send.ts'
import type {Place} from './access.ts'
import {readRefusal, toFailure} from './failures.ts'
import {CLOSED, readQuirks} from './quirks.ts'
import type {Quirks} from './quirks.ts'

// https://docs.openstack.org/swift/latest/api/discoverability.html
/** Asks the cluster of an account what it can do; what is usual where it does not tell. Nobody need be signed in. */
export async function askInfo(wire: Wire, {origin, path}: Place, signal: AbortSignal): Promise<Quirks> {
  // Beside the versions: `/info`, or `/swift/info` at Ceph's gateway.
  const base = /^(?<base>.*?)\/v1(?:\.0)?(?:\/|$)/u.exec(path)?.groups?.['base'] ?? ''
  const answer = await send(wire, {method: 'GET', origin, path: `${base}/info`, headers: {}}, {signal})
  if (answer.status >= 500) throw toFailure(readRefusal(answer))
  return answer.status === 200 ? parseQuirks(answer.text) : CLOSED
}

function parseQuirks(text: string): Quirks {
  try {
    return readQuirks(JSON.parse(text) as Record<string, unknown>)
  } catch {
    // A page for people.
    return CLOSED
  }
}
