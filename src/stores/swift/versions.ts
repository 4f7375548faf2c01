import type {Call, Target} from '../store.ts'
import type {SwiftConnection} from './client.ts'
import {rememberWork} from './shared-work.ts'

/** How long an answer is believed: versions may be switched on at any time, and what is deleted then is lost. */
const BELIEVED_FOR = 10_000

/** Tells whether an object of a container may live on as an old version, and its segments with it. */
export type VersionCheck = (target: Pick<Target, 'container'>, call: Call) => Promise<boolean>

// https://docs.openstack.org/swift/latest/middleware.html#object-versioning
/**
 * Makes the check. True where versions are kept, or were: the header stays, with another value, when they are switched
 * off. Also where these credentials may not look, since nobody can tell then.
 */
export function createVersionCheck(connection: Pick<SwiftConnection, 'request'>): VersionCheck {
  const known = new Map<string, {readonly until: number; readonly find: (signal: AbortSignal) => Promise<boolean>}>()

  async function look(container: string, signal: AbortSignal): Promise<boolean> {
    const request = {method: 'HEAD', target: {container, key: ''}, accepts: [403, 404]}
    const {status, headers} = await connection.request(request, {signal})
    return status === 403 || HEADERS.some(name => (headers[name] ?? '') !== '')
  }

  return ({container}, {signal}) => {
    const now = performance.now()
    let found = known.get(container)
    if (found === undefined || found.until < now) {
      found = {until: now + BELIEVED_FOR, find: rememberWork(one => look(container, one))}
      known.set(container, found)
    }
    return found.find(signal)
  }
}

/** The present way, and the two older ones: a container of their own for the versions, with or without deletions. */
const HEADERS = ['x-versions-enabled', 'x-versions-location', 'x-history-location']
