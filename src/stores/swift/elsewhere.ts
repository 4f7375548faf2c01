import {isFailure} from '../../core/failure.ts'
import type {Call, Target} from '../store.ts'
import type {SwiftConnection} from './client.ts'
import {encodeMetadata} from './encode.ts'
import {rememberWork} from './shared-work.ts'

/** Metadata of a container: some of its objects have their segments in the container named, which nobody would guess. */
const MARK = 'x-container-meta-skylift-segments'

/** Makes what writes the mark, once for a container. */
export function createElsewhereMark(connection: Pick<SwiftConnection, 'request'>) {
  const known = new Map<string, (signal: AbortSignal) => Promise<void>>()

  async function mark(container: string, segments: string, signal: AbortSignal): Promise<void> {
    const headers = {[MARK]: encodeMetadata(segments)}
    try {
      await connection.request({method: 'POST', target: {container, key: ''}, headers}, {signal})
    } catch (error) {
      // Only the owner may; without it the segments stay when a small object comes in the place of a large one.
      if (!isFailure(error, 'forbidden', 'usage')) throw error
    }
  }

  return ({container}: Target, segments: string, {signal}: Call): void | Promise<void> => {
    if (segments === `${container}_segments`) return
    const work = known.get(container) ?? rememberWork(one => mark(container, segments, one))
    known.set(container, work)
    return work(signal)
  }
}

export async function isMarkedElsewhere(
  connection: Pick<SwiftConnection, 'request'>,
  container: string,
  signal: AbortSignal,
): Promise<boolean> {
  const request = {method: 'HEAD', target: {container, key: ''}, accepts: [403, 404]}
  return ((await connection.request(request, {signal})).headers[MARK] ?? '') !== ''
}
