import {createHash} from 'node:crypto'
import {createReadStream} from 'node:fs'
import {readdir} from 'node:fs/promises'
import {join} from 'node:path'
import type {Readable} from 'node:stream'
import {CreateBucketCommand, GetObjectCommand, ListMultipartUploadsCommand, S3Client} from '@aws-sdk/client-s3'
import {startSandbox} from '../../src/sandbox/server.ts'
import {startFaultProxy} from './fault-proxy.ts'
import type {FaultProxy} from './fault-proxy.ts'
import {makeRandomFile} from './random-file.ts'
import {makeHome} from './run-skylift.ts'
import type {Env, Home} from './run-skylift.ts'
import {makeTempFolder} from './temp-folder.ts'

export const BUCKET = 'arena'

export interface S3Keys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly region: string
}

/** A store, a proxy that breaks what it is told to in front of it, and clients that are not ours to look behind both. */
export interface Arena {
  readonly keys: S3Keys
  /** Past every proxy. */
  readonly endpoint: string
  readonly port: number
  readonly proxy: FaultProxy
  readonly client: S3Client
  /** A new random file. */
  makeFile(size: number): Promise<string>
  /** A home whose environment has the credentials and the proxy as its endpoint. */
  makeHome(env?: Env): Promise<Home>
  /** SHA-256 of what the store holds, read by a foreign client; undefined where nothing stands. */
  hashStored(key: string): Promise<string | undefined>
  /** Keys of the uploads that the store shows as unfinished. */
  listUploads(): Promise<string[]>
  close(): Promise<void>
}

export async function openArena(): Promise<Arena> {
  const sandbox = await startSandbox({folder: await makeTempFolder()})
  const {accessKeyId, secretAccessKey, region, endpoint} = sandbox
  return createArena({accessKeyId, secretAccessKey, region}, endpoint, () => sandbox.close())
}

/** The same over a store that somebody else started. */
export async function createArena(keys: S3Keys, endpoint: string, end: () => Promise<void>): Promise<Arena> {
  const {accessKeyId, secretAccessKey, region} = keys
  const proxy = await startFaultProxy({upstream: endpoint})
  const folder = await makeTempFolder()
  const client = new S3Client({endpoint, region, credentials: keys, forcePathStyle: true})
  await client.send(new CreateBucketCommand({Bucket: BUCKET})).catch((error: unknown) => {
    if ((error as Error).name !== 'BucketAlreadyOwnedByYou') throw error
  })
  let files = 0
  return {
    keys,
    endpoint,
    port: Number(new URL(endpoint).port),
    proxy,
    client,
    async makeFile(size) {
      const path = join(folder, `file-${++files}`)
      await makeRandomFile(path, size, files)
      return path
    },
    makeHome: env =>
      makeHome({
        AWS_ACCESS_KEY_ID: accessKeyId,
        AWS_SECRET_ACCESS_KEY: secretAccessKey,
        AWS_REGION: region,
        AWS_ENDPOINT_URL: proxy.endpoint,
        ...env,
      }),
    async hashStored(key) {
      try {
        const {Body} = await client.send(new GetObjectCommand({Bucket: BUCKET, Key: key}))
        return await hashStream(Body as Readable)
      } catch (error) {
        if ((error as Error).name === 'NoSuchKey') return undefined
        throw error
      }
    },
    async listUploads() {
      const {Uploads = []} = await client.send(new ListMultipartUploadsCommand({Bucket: BUCKET}))
      return Uploads.map(({Key}) => Key ?? '')
    },
    async close() {
      client.destroy()
      await proxy.close()
      await end()
    },
  }
}

/** Names of the journals in a state folder. */
export async function listJournals(stateFolder: string): Promise<string[]> {
  const names = await readdir(join(stateFolder, 'uploads')).catch(() => [])
  return names.filter(name => name.endsWith('.ndjson'))
}

/** SHA-256 in hex of the bytes of a file. */
export async function hashPath(path: string): Promise<string> {
  return hashStream(createReadStream(path))
}

async function hashStream(stream: Readable): Promise<string> {
  const hash = createHash('sha256')
  for await (const piece of stream as AsyncIterable<Buffer>) hash.update(piece)
  return hash.digest('hex')
}
