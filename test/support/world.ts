import type {Remote} from '../../src/stores/remote.ts'
import type {FaultProxy} from './fault-proxy.ts'
import type {Env, Home} from './run-skylift.ts'

/** The container of every world. */
export const BUCKET = 'arena'

/** A store, a proxy that breaks what it is told to in front of it, and a client that is not ours to look behind both. */
export interface World {
  /** Of its targets, as in `s3://`. */
  readonly scheme: 's3' | 'swift'
  /** Past every proxy. */
  readonly endpoint: string
  readonly proxy: FaultProxy
  /** The store at its own address, or at that of a proxy. */
  remoteAt(endpoint: string): Remote
  /** A new random file. */
  makeFile(size: number): Promise<string>
  /** A home whose environment has the credentials and the proxy as its endpoint. */
  makeHome(env?: Env): Promise<Home>
  /** SHA-256 of what the store holds, read by a foreign client; undefined where nothing stands. */
  hashStored(key: string): Promise<string | undefined>
  /** Keys of the uploads that the store shows as unfinished. */
  listUploads(): Promise<string[]>
  /** Names of stored parts that are no object's; with `ofNobody`, only those that no unfinished upload has either. */
  listLooseParts(which?: 'ofNobody'): Promise<string[]>
  /** Forgets an unfinished upload, as somebody else would. */
  dropUpload(key: string): Promise<void>
  /** Sends one part of an unfinished upload, as somebody else would. */
  putPart(key: string, number: number, bytes: Buffer): Promise<void>
  close(): Promise<void>
}
