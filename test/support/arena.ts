import {createHash} from 'node:crypto'
import {createReadStream} from 'node:fs'
import {readdir} from 'node:fs/promises'
import {join} from 'node:path'
import type {Readable} from 'node:stream'
import {
  AbortMultipartUploadCommand,
  CreateBucketCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import type {MultipartUpload} from '@aws-sdk/client-s3'
import {startSandbox} from '../../src/sandbox/server.ts'
import {startFaultProxy} from './fault-proxy.ts'
import {makeRandomFile} from './random-file.ts'
import {makeHome} from './run-skylift.ts'
import {makeTempFolder} from './temp-folder.ts'
import {BUCKET} from './world.ts'
import type {World} from './world.ts'

export {BUCKET} from './world.ts'

export interface S3Keys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly region: string
}

/** A world that speaks S3. */
export interface Arena extends World {
  readonly keys: S3Keys
  readonly port: number
  readonly client: S3Client
}

export async function openArena(): Promise<Arena> {
  const sandbox = await startSandbox({folder: await makeTempFolder()})
  const {accessKeyId, secretAccessKey, region, endpoint} = sandbox
  return createArena({accessKeyId, secretAccessKey, region}, endpoint, () => sandbox.close(), true)
}

/** The same over a store that somebody else started; one that is not our sandbox is an endpoint that nobody knows. */
export async function createArena(
  keys: S3Keys,
  endpoint: string,
  end: () => Promise<void>,
  isSandbox = false,
): Promise<Arena> {
  const {accessKeyId, secretAccessKey, region} = keys
  const proxy = await startFaultProxy({upstream: endpoint})
  const folder = await makeTempFolder()
  const client = new S3Client({endpoint, region, credentials: keys, forcePathStyle: true})
  await client.send(new CreateBucketCommand({Bucket: BUCKET})).catch((error: unknown) => {
    if ((error as Error).name !== 'BucketAlreadyOwnedByYou') throw error
  })
  let files = 0

  async function listAll(): Promise<MultipartUpload[]> {
    const {Uploads = []} = await client.send(new ListMultipartUploadsCommand({Bucket: BUCKET}))
    return Uploads
  }
  async function uploadOf(key: string): Promise<{Bucket: string; Key: string; UploadId: string | undefined}> {
    const found = (await listAll()).find(({Key}) => Key === key)
    return {Bucket: BUCKET, Key: key, UploadId: found?.UploadId}
  }

  return {
    scheme: 's3',
    keys,
    endpoint,
    port: Number(new URL(endpoint).port),
    proxy,
    client,
    remoteAt: endpointUrl => ({
      provider: 's3',
      name: 's3',
      endpointUrl,
      region,
      keys: {accessKeyId, secretAccessKey},
      isSandbox,
    }),
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
    listUploads: async () => (await listAll()).map(({Key}) => Key ?? ''),
    async listLooseParts(which) {
      const loose: string[] = []
      for (const {Key, UploadId} of which === 'ofNobody' ? [] : await listAll()) {
        const {Parts = []} = await client.send(new ListPartsCommand({Bucket: BUCKET, Key, UploadId}))
        loose.push(...Parts.map(({PartNumber}) => `${Key} ${UploadId} ${PartNumber}`))
      }
      return loose
    },
    async dropUpload(key) {
      await client.send(new AbortMultipartUploadCommand(await uploadOf(key)))
    },
    async putPart(key, PartNumber, Body) {
      await client.send(new UploadPartCommand({...(await uploadOf(key)), PartNumber, Body}))
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

export async function hashStream(stream: Readable): Promise<string> {
  const hash = createHash('sha256')
  for await (const piece of stream as AsyncIterable<Buffer>) hash.update(piece)
  return hash.digest('hex')
}
