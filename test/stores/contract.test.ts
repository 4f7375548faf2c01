import {startSandbox} from '../../src/sandbox/server.ts'
import {SANDBOX, UNKNOWN} from '../../src/stores/s3/quirks.ts'
import {needSwift, startSwift} from '../servers/swift.ts'
import {createMemoryStore} from '../support/memory-store.ts'
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
    {lacks: ['createContainer', 'foreign', 'wrongKey']},
  )
}

/** Opens an S3 store, its twin with a wrong secret, and the SDK beside them. */
function openAll(access: S3Access, container: string, quirks?: typeof SANDBOX): OpenedStore {
  const ours = openS3(access, quirks)
  const wrong = openS3({...access, secretAccessKey: 'wrong'}, quirks)
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

async function openSandboxStore(quirks: typeof SANDBOX): Promise<OpenedStore> {
  const sandbox = await startSandbox({folder: await makeTempFolder()})
  const access = pickAccess(sandbox)
  await makeBucket(openSdk(access), CONTAINER)
  const opened = openAll(access, CONTAINER, quirks)
  return {
    ...opened,
    async close() {
      await opened.close()
      await sandbox.close()
    },
  }
}

describeStore('sandbox', () => openSandboxStore(SANDBOX), {lacks: ['createContainer']})
describeStore('sandbox, as an S3 store that nobody knows', () => openSandboxStore(UNKNOWN), {
  lacks: ['createContainer', 'pages'],
})

describeStore(
  "OpenStack Swift's S3 API",
  async context => {
    needSwift(context)
    const access = pickAccess((await startSwift()).s3)
    await makeBucket(openSdk(access), CONTAINER)
    return openAll(access, CONTAINER)
  },
  {lacks: ['createContainer', 'pages']},
)

const {STORE_ENDPOINT, STORE_BUCKET, STORE_REGION, STORE_ACCESS_KEY_ID, STORE_SECRET_ACCESS_KEY} = process.env
if (STORE_ENDPOINT && STORE_BUCKET && STORE_ACCESS_KEY_ID && STORE_SECRET_ACCESS_KEY) {
  const access = {
    endpoint: STORE_ENDPOINT,
    region: STORE_REGION ?? 'us-east-1',
    accessKeyId: STORE_ACCESS_KEY_ID,
    secretAccessKey: STORE_SECRET_ACCESS_KEY,
  }
  describeStore(`${STORE_ENDPOINT} of STORE_ENDPOINT`, () => Promise.resolve(openAll(access, STORE_BUCKET)), {
    lacks: ['createContainer', 'pages'],
  })
}

function pickAccess({endpoint, region, accessKeyId, secretAccessKey}: S3Access): S3Access {
  return {endpoint, region, accessKeyId, secretAccessKey}
}
