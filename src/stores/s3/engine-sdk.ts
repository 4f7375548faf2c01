import {createHash} from 'node:crypto'
import {Readable} from 'node:stream'
import type {PutObjectCommandInput, S3Client} from '@aws-sdk/client-s3'
import {fillWindow} from '../../core/body.ts'
import {DEFAULT_WAITS} from '../../http/waits.ts'
import {MIB} from '../../core/sizes.ts'
import type {Body, ObjectOptions, PartReceipt, UploadStore, Verified} from '../store.ts'
import {multipartEtag, unquote} from './checksum.ts'
import type {S3Connection} from './client.ts'
import {asRefused, clientConfig} from './control.ts'
import {encodeTags} from './object-headers.ts'
import {loadClient, loadSender} from './sdk.ts'

const SEND_PARTS = 4
const EMPTY_MD5 = 'd41d8cd98f00b204e9800998ecf8427e'

/**
 * The same upload through `@aws-sdk/lib-storage` and the SDK's own sender: the way out where a proxy or a store does not
 * like ours. To the engine every object goes whole; no resume, and the SDK retries its own parts.
 */
export function createSdkUpload(
  connection: S3Connection,
  partSize = 16 * MIB,
): Pick<UploadStore, 'limits' | 'putWhole'> {
  const {limits} = connection.settings.quirks
  return {
    limits: () => Promise.resolve({...withoutParts(limits), whole: limits.object}),
    async putWhole(target, body, options, call) {
      const [sdk, {Upload}] = await Promise.all([loadClient(), loadSender()])
      const {container, key} = target
      return connection.attempt({container, key}, async identity => {
        const {origin} = connection.origin('', identity.region)
        const {agents, waits = DEFAULT_WAITS} = connection.settings.wire
        // The SDK cannot be asked to try again with them.
        agents.addRoots()
        const agent = await agents.agentFor(origin)
        const {connect, stall} = waits
        const client = new sdk.S3Client({
          ...clientConfig(connection, identity),
          maxAttempts: 5,
          requestHandler: {
            httpAgent: agent,
            httpsAgent: agent,
            connectionTimeout: connect,
            socketTimeout: Math.max(stall, 60_000),
            expectContinueHeader: false,
          } as never,
        })
        const sending = new Set<Promise<unknown>>()
        const size = Math.max(partSize, Math.ceil(body.size / 10_000))
        const sums: PartReceipt[] = []
        const upload = new Upload({
          client: cutBy(client, call.signal, sending),
          params: {...toParams(options), Bucket: container, Key: key, Body: Readable.from(readAll(body, size, sums))},
          queueSize: SEND_PARTS,
          partSize: size,
          leavePartsOnError: true,
        })
        upload.on('httpUploadProgress', ({loaded}) => call.onSent?.(loaded ?? 0))
        try {
          const done = await upload.done()
          const etag = unquote(done.ETag)
          const isSame = etag === multipartEtag(sums) || (sums.length < 2 && etag === (sums[0]?.etag ?? EMPTY_MD5))
          const verified: Verified = isSame ? {by: 'md5'} : {by: 'none', note: 'its ETag is not made from MD5s'}
          return {target, size: body.size, etag, verified}
        } catch (error) {
          // lib-storage would tell the store while parts are still on their way, and such parts stay for ever.
          await Promise.allSettled(sending)
          const {uploadId: UploadId} = upload
          if (UploadId)
            await client
              .send(new sdk.AbortMultipartUploadCommand({Bucket: container, Key: key, UploadId}))
              .catch(() => {})
          call.signal.throwIfAborted()
          throw asRefused(error)
        }
      })
    },
  }
}

/** A client that cuts what it sends when the signal says so, and knows what is on its way. */
function cutBy(client: S3Client, abortSignal: AbortSignal, sending: Set<Promise<unknown>>): S3Client {
  const send = (command: never): Promise<unknown> => {
    const running = client.send(command, {abortSignal})
    sending.add(running)
    const done = (): void => void sending.delete(running)
    void (running as Promise<unknown>).then(done, done)
    return running
  }
  return Object.create(client, {send: {value: send}}) as S3Client
}

/** Reads a body as pieces for a stream, and sums it part by part as lib-storage will cut it. */
async function* readAll(body: Body, partSize: number, sums: PartReceipt[]): AsyncGenerator<Buffer> {
  for (let offset = 0; offset < body.size; offset += partSize) {
    const end = Math.min(body.size, offset + partSize)
    const md5 = createHash('md5')
    for (let position = offset; position < end;) {
      const piece = Buffer.allocUnsafe(Math.min(MIB, end - position))
      const bytes = await fillWindow(body, piece, position)
      md5.update(bytes)
      yield bytes
      position += bytes.length
    }
    sums.push({number: sums.length + 1, size: end - offset, etag: md5.digest('hex'), crc32: ''})
  }
}

function withoutParts<T extends {part?: unknown}>({part: _, ...rest}: T): Omit<T, 'part'> {
  return rest
}

function toParams(options: ObjectOptions): Partial<PutObjectCommandInput> {
  const {contentType, cacheControl, contentDisposition, contentEncoding, metadata, tags, storageClass, acl, sse} =
    options
  const params = {
    ContentType: contentType,
    CacheControl: cacheControl,
    ContentDisposition: contentDisposition,
    ContentEncoding: contentEncoding,
    Metadata: metadata,
    Tagging: tags === undefined ? undefined : encodeTags(tags),
    StorageClass: storageClass,
    ACL: acl,
    ServerSideEncryption: sse,
    SSEKMSKeyId: options.sseKmsKeyId,
    IfNoneMatch: options.noClobber === true ? '*' : undefined,
  }
  return Object.fromEntries(Object.entries(params).filter(([, value]) => value !== undefined))
}
