import {startSandbox} from '../../src/sandbox/server.ts'
import {needSwift, startSwift} from '../servers/swift.ts'
import {createMemoryStore} from '../support/memory-store.ts'
import type {Session, Store} from '../../src/stores/store.ts'
import {makeTempFolder} from '../support/temp-folder.ts'
import type {OpenedStore} from './contract.ts'
import {describeStore} from './contract.ts'
import {makeBucket, openForeign, openSdk} from './foreign-s3.ts'
import type {S3Access} from './open-s3.ts'
import {openS3} from './open-s3.ts'

const CONTAINER = 'skylift-contract'

for (const checksum of ['crc32', 'md5'] as const) {
  describeStore(
    `memory, ${checksum}`,
    async () => ({
      store: createMemoryStore({checksum, containers: [CONTAINER]}),
      container: CONTAINER,
      close: () => Promise.resolve(),
    }),
    {lacks: ['containers', 'foreign', 'wrongKey']},
  )
}

/** Opens an S3 store, its twin with a wrong secret, and the SDK beside them. */
async function openAll(access: S3Access, container: string, isSandbox = false): Promise<OpenedStore> {
  const ours = await openS3(access, {isSandbox})
  const wrong = await openS3({...access, secretAccessKey: 'wrong'}, {isSandbox})
  const sdk = openSdk(access)
  return {
    store: ours.store,
    container,
    foreign: openForeign(sdk, container),
    wrongKey: wrong.store,
    close: () => {
      for (const each of [ours, wrong]) each.close()
      sdk.destroy()
      return Promise.resolve()
    },
  }
}

async function openSandboxStore(isKnown: boolean): Promise<OpenedStore> {
  const sandbox = await startSandbox({folder: await makeTempFolder()})
  await makeBucket(sandbox, CONTAINER)
  const opened = await openAll(sandbox, CONTAINER, isKnown)
  return {
    ...opened,
    async close() {
      await opened.close()
      await sandbox.close()
    },
  }
}

describeStore('sandbox', () => openSandboxStore(true))
describeStore('sandbox, as an S3 store that nobody knows', () => openSandboxStore(false), {lacks: ['pages']})

describeStore(
  "OpenStack Swift's S3 API",
  async context => {
    needSwift(context)
    const {s3} = await startSwift()
    await makeBucket(s3, CONTAINER)
    return openAll(s3, CONTAINER)
  },
  {lacks: ['pages']},
)

const {STORE_ENDPOINT, STORE_BUCKET, STORE_REGION, STORE_ACCESS_KEY_ID, STORE_SECRET_ACCESS_KEY} = process.env
if (STORE_ENDPOINT && STORE_BUCKET && STORE_ACCESS_KEY_ID && STORE_SECRET_ACCESS_KEY) {
  const access = {
    endpoint: STORE_ENDPOINT,
    region: STORE_REGION ?? 'us-east-1',
    accessKeyId: STORE_ACCESS_KEY_ID,
    secretAccessKey: STORE_SECRET_ACCESS_KEY,
  }
  describeStore(
    `the store at STORE_ENDPOINT (${STORE_ENDPOINT})`,
    async () => {
      const opened = await openAll(access, STORE_BUCKET)
      return {
        ...opened,
        async close() {
          await removeTraces(opened)
          await opened.close()
        },
      }
    },
    {lacks: ['containers', 'pages']},
  )
}

/** Leaves somebody else's container as it was; the odd keys were deleted by their own test. */
async function removeTraces({store: opened, container}: OpenedStore): Promise<void> {
  const store = opened as Store
  const call = {signal: AbortSignal.timeout(60_000)}
  const prefix = {remote: 'test', container, key: 'contract-'}
  for await (const {target} of store.list(prefix, call)) await store.deleteObject(target, call)
  for await (const {target, uploadId} of store.listUploads(prefix, call)) {
    const session: Session = {target, uploadId, options: {}, size: 0, partSize: 0, checksum: 'md5'}
    await store.abort(session, call)
  }
}
