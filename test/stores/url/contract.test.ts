import {startSandbox} from '../../../src/sandbox/server.ts'
import type {Store} from '../../../src/stores/store.ts'
import {needSwift, startSwift} from '../../servers/swift.ts'
import {makeTempFolder} from '../../support/temp-folder.ts'
import type {Lack, OpenedStore} from '../contract.ts'
import {describeStore} from '../contract.ts'
import {makeBucket, openForeign, openSdk} from '../foreign-s3.ts'
import {openS3} from '../open-s3.ts'
import type {S3Access} from '../open-s3.ts'
import * as swift from '../swift/foreign-swift.ts'
import {openSwift} from '../swift/open-swift.ts'
import {mintPrefix, mintPut, storeOfUrls} from './open-urls.ts'
import type {Mint} from './open-urls.ts'

const CONTAINER = 'skylift-urls'

/** What the owner's own suite covers. */
const OWNERS: readonly Lack[] = ['parts', 'containers', 'pages', 'listUploads']

async function openS3Urls(access: S3Access, end: () => Promise<void>): Promise<OpenedStore> {
  await makeBucket(access, CONTAINER)
  const [owner, wrong] = await Promise.all([openS3(access), openS3({...access, secretAccessKey: 'wrong'})])
  const [urls, wrongUrls] = [owner, wrong].map(({store}) => storeOfUrls(store, mintPut(store)))
  const sdk = openSdk(access)
  if (urls === undefined || wrongUrls === undefined) throw new Error('unreachable')
  return {
    store: urls.store,
    wrongKey: wrongUrls.store,
    container: CONTAINER,
    foreign: openForeign(sdk, CONTAINER),
    async close() {
      for (const each of [urls, wrongUrls, owner, wrong]) each.close()
      sdk.destroy()
      await end()
    },
  }
}

// Conditions: the URL does not tell whether the store knows them.
const S3_LACKS: readonly Lack[] = [...OWNERS, 'noClobber']

describeStore(
  'presigned URLs for the sandbox',
  async () => {
    const sandbox = await startSandbox({folder: await makeTempFolder()})
    return openS3Urls(sandbox, () => sandbox.close())
  },
  {lacks: S3_LACKS},
)

describeStore(
  "presigned URLs for OpenStack Swift's S3 API",
  async context => {
    needSwift(context)
    const {s3} = await startSwift()
    return openS3Urls(s3, () => Promise.resolve())
  },
  {lacks: S3_LACKS},
)

async function openSwiftUrls(context: Mocha.Context, mintBy: (store: Store) => Mint): Promise<OpenedStore> {
  needSwift(context)
  const {v1} = await startSwift()
  const auth = {method: 'v1', authUrl: v1.authUrl, user: v1.user, key: v1.key} as const
  const account = await swift.signIn(v1)
  await swift.makeContainer(account, CONTAINER)
  const [owner, wrong] = await Promise.all([openSwift({auth}), openSwift({auth, tempUrlKey: 'wrong'})])
  const call = {signal: new AbortController().signal}
  await owner.store.setTempUrlKey({remote: 'test', container: '', key: ''}, 'key', 'a key of its own', call)
  const urls = storeOfUrls(owner.store, mintBy(owner.store))
  const wrongUrls = storeOfUrls(wrong.store, mintBy(wrong.store))
  return {
    store: urls.store,
    wrongKey: wrongUrls.store,
    container: CONTAINER,
    foreign: swift.openForeign(account, CONTAINER),
    close() {
      for (const each of [urls, wrongUrls, owner, wrong]) each.close()
      return Promise.resolve()
    },
  }
}

// Swift takes no temp URL for names of slashes alone.
const SWIFT = {lacks: OWNERS, brokenKeys: ['/', '//']}

describeStore('temp URLs for OpenStack Swift', context => openSwiftUrls(context, store => mintPut(store)), SWIFT)
describeStore('a temp URL for a prefix of OpenStack Swift', context => openSwiftUrls(context, mintPrefix), SWIFT)
