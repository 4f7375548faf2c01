import {existsSync} from 'node:fs'
import type {Peer} from './peer.ts'
import {S3_PEERS} from './s3-peers.ts'
import type {Sink} from './sink.ts'
import {SWIFT_PEERS} from './swift-peers.ts'

export type {Peer, Protocol, Setting} from './peer.ts'

export const PEERS: readonly Peer[] = [...S3_PEERS, ...SWIFT_PEERS]

/** What keeps a peer from running here; undefined when nothing does. */
export function findObstacle(peer: Peer, sink: Sink): string | undefined {
  const missing = peer.needs.find(path => !existsSync(path))
  if (missing) return `${missing} is missing`
  if (peer.needsDefaultPorts && !sink.hasDefaultPorts) return 'it needs the sink on ports 80 and 443'
  return undefined
}
