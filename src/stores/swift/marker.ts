import type {Call, Target} from '../store.ts'
import {tryPage} from '../try-page.ts'
import type {SwiftConnection} from './client.ts'
import {putInto} from './segment-containers.ts'
import type {SegmentPlace} from './segments.ts'
import {MARKER, segmentTarget} from './segments.ts'

/** What the object says that stands for an upload until its manifest does. */
export interface Marker {
  /** Whose upload it is: a container of segments may serve several, and a long key is not in the segments' names. */
  readonly container: string
  readonly key: string
}

/** Writes the marker, and makes the container of the segments where it is missing. */
export async function putMarker(
  connection: Pick<SwiftConnection, 'request'>,
  place: SegmentPlace,
  {container, key}: Target,
  wish: {readonly headers: Readonly<Record<string, string>>; readonly policy: string | undefined},
  call: Call,
): Promise<void> {
  const text = JSON.stringify({container, key} satisfies Marker)
  await putInto(connection, segmentTarget(place, MARKER), {text, ...wish}, call)
}

/** Reads the marker of an upload; undefined where there is none, or one that is not ours. */
export async function readMarker(
  connection: Pick<SwiftConnection, 'request'>,
  place: SegmentPlace,
  call: Call,
): Promise<Marker | undefined> {
  const request = {method: 'GET', target: segmentTarget(place, MARKER), accepts: [404]}
  const answer = await tryPage(call, () => connection.request(request, {signal: call.signal}))
  return answer.status < 300 ? parseMarker(answer.text) : undefined
}

function parseMarker(text: string): Marker | undefined {
  try {
    const {container, key} = JSON.parse(text) as Partial<Marker>
    return typeof container === 'string' && typeof key === 'string' ? {container, key} : undefined
  } catch {
    return undefined
  }
}
