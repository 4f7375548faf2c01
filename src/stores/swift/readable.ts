import {Failure, isFailure} from '../../core/failure.ts'
import {printable} from '../../core/printable.ts'
import type {Call} from '../store.ts'
import type {SwiftConnection} from './client.ts'
import {rememberWork} from './shared-work.ts'
import {deleteAll, MARKER, segmentTarget} from './segments.ts'
import type {SegmentPlace} from './segments.ts'

/** Fails `forbidden` where these credentials may write segments and not read them, before any is sent. */
export type ReadCheck = (place: SegmentPlace, call: Call) => Promise<void>

/**
 * Makes the check: a look at the mark of an upload that begins, once for a container. Swift reads each segment by the
 * rights of whoever writes the manifest, and says so only then, when all bytes are there.
 */
export function createReadCheck(connection: SwiftConnection): ReadCheck {
  const known = new Map<string, (signal: AbortSignal) => Promise<void>>()

  async function look(place: SegmentPlace, signal: AbortSignal): Promise<void> {
    const mark = segmentTarget(place, MARKER)
    // What stands before a store may refuse one of them for reasons of its own.
    for (const method of ['HEAD', 'GET']) {
      const {status} = await connection.request({method, target: mark, accepts: [403, 404]}, {signal})
      if (status !== 403) return
    }
    throw unreadable(place.container)
  }

  return async (place, {signal}) => {
    const check = known.get(place.container) ?? rememberWork(one => look(place, one))
    known.set(place.container, check)
    try {
      await check(signal)
    } catch (error) {
      // No other failure is one of the upload, which has begun by now.
      if (!isFailure(error, 'forbidden')) return
      // The look may have been for another upload: each has a mark of its own.
      await deleteAll(connection, [segmentTarget(place, MARKER)], {signal})
      throw error
    }
  }
}

export function unreadable(container: string): Failure {
  const name = printable(container)
  return new Failure(
    'forbidden',
    `These credentials may not read the container "${name}" of the segments, and the store joins only what its writer may read.`,
    {
      context: {container, status: 403},
      suggestion: 'Have its owner give a read ACL, as this prints: skylift doctor TARGET --policy',
    },
  )
}
