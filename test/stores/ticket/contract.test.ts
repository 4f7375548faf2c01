import {startSandbox} from '../../../src/sandbox/server.ts'
import type {Assemble} from '../../../src/stores/open.ts'
import {needSwift, startSwift} from '../../servers/swift.ts'
import {makeTempFolder} from '../../support/temp-folder.ts'
import type {Lack, OpenedStore} from '../contract.ts'
import {describeStore} from '../contract.ts'
import {makeBucket, openForeign, openSdk} from '../foreign-s3.ts'
import {openS3} from '../open-s3.ts'
import type {S3Access} from '../open-s3.ts'
import * as swift from '../swift/foreign-swift.ts'
import {openSwift} from '../swift/open-swift.ts'
import {ownerOf, storeOfTickets} from './open-tickets.ts'

const CONTAINER = 'skylift-tickets'

/** What a ticket has no word for, and what the owner's own suite covers. */
const LACKS: readonly Lack[] = ['noClobber', 'metadata', 'containers', 'pages', 'wrongKey']

async function openS3Tickets(access: S3Access, end: () => Promise<void>, isSandbox = false): Promise<OpenedStore> {
  await makeBucket(access, CONTAINER)
  const owner = await openS3(access, {isSandbox})
  const tickets = storeOfTickets(ownerOf(owner.store))
  const sdk = openSdk(access)
  return {
    store: tickets.store,
    container: CONTAINER,
    foreign: openForeign(sdk, CONTAINER),
    async close() {
      tickets.close()
      owner.close()
      sdk.destroy()
      await end()
    },
  }
}

describeStore(
  'tickets for the sandbox',
  async () => {
    const sandbox = await startSandbox({folder: await makeTempFolder()})
    return openS3Tickets(sandbox, () => sandbox.close(), true)
  },
  {lacks: LACKS},
)

describeStore(
  "tickets for OpenStack Swift's S3 API",
  async context => {
    needSwift(context)
    const {s3} = await startSwift()
    return openS3Tickets(s3, () => Promise.resolve())
  },
  {
    lacks: LACKS,
    // In parts: it has no room for the longest, and leaves the others half deleted.
    brokenKeys: ['/', '//', 'x'.repeat(1024)],
  },
)

async function openSwiftTickets(context: Mocha.Context, assemble: Assemble): Promise<OpenedStore> {
  needSwift(context)
  const {v1} = await startSwift()
  const access = await swift.signIn(v1)
  const container = `${CONTAINER}-${assemble}-ü 1`
  await swift.makeContainer(access, container)
  const {authUrl, user, key} = v1
  const owner = await openSwift({auth: {method: 'v1', authUrl, user, key}})
  await owner.store.setTempUrlKey({remote: 'test', container: '', key: ''}, 'key', 'a key of the account', {
    signal: new AbortController().signal,
  })
  const tickets = storeOfTickets(ownerOf(owner.store), assemble)
  return {
    store: tickets.store,
    container,
    foreign: swift.openForeign(access, container),
    close() {
      tickets.close()
      owner.close()
      return Promise.resolve()
    },
  }
}

/** TempURL takes no name that is made of slashes alone. */
const REFUSED = ['/', '//']

describeStore('tickets for OpenStack Swift, whole', context => openSwiftTickets(context, 'whole'), {
  lacks: [...LACKS, 'parts'],
  refusedKeys: REFUSED,
})
describeStore('tickets for OpenStack Swift, owner', context => openSwiftTickets(context, 'owner'), {
  lacks: LACKS,
  refusedKeys: REFUSED,
})
describeStore('tickets for OpenStack Swift, open', context => openSwiftTickets(context, 'open'), {
  lacks: [...LACKS, 'hidden', 'replace', 'list', 'listUploads'],
  refusedKeys: REFUSED,
})
