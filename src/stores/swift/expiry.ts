import type {Call, ObjectOptions, PartReceipt, Session} from '../store.ts'
import type {SwiftConnection} from './client.ts'
import type {SegmentPlace} from './segments.ts'
import {segmentTarget, startOf} from './segments.ts'

/** Segments are sent before the object stands, and an object without its segments is broken: they live this much longer. */
const MARGIN_IN_SECONDS = 24 * 3600

/** Returns the expiry of a segment of an object that expires. */
export function segmentExpiry({deleteAfterInSeconds: after}: ObjectOptions): Record<string, string> {
  return after === undefined ? {} : {'x-delete-after': String(after + MARGIN_IN_SECONDS)}
}

/** Gives segments a later end where the upload took so long that they would go before their object. */
export async function expireLater(
  connection: SwiftConnection,
  {options, uploadId}: Session,
  place: SegmentPlace,
  receipts: readonly PartReceipt[],
  {signal}: Call,
): Promise<void> {
  const started = startOf(uploadId)?.getTime() ?? 0
  if (options.deleteAfterInSeconds === undefined || Date.now() - started < (MARGIN_IN_SECONDS * 1000) / 2) return
  const queue = receipts.values()
  async function work(): Promise<void> {
    for (const {number} of queue) {
      // A segment that is missing is told by the manifest.
      const request = {
        method: 'POST',
        target: segmentTarget(place, number),
        headers: segmentExpiry(options),
        accepts: [404],
      }
      await connection.request(request, {signal})
    }
  }
  await Promise.all(Array.from({length: 8}, work))
}
