import {randomBytes} from 'node:crypto'
import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {expect} from 'chai'
import {needSwift, startSwift} from '../servers/swift.ts'
import {failureOf, newCall} from '../stores/contract/bench.ts'
import {ask, listNames, makeContainer, signIn} from '../stores/swift/foreign-swift.ts'
import type {SwiftAccess} from '../stores/swift/foreign-swift.ts'
import {openSwift} from '../stores/swift/open-swift.ts'
import {at, sendParts, textPieces} from '../stores/swift/upload-parts.ts'
import {callSkylift, makeHome, readJson} from '../support/run-skylift.ts'
import type {Ending, Home} from '../support/run-skylift.ts'

const GUEST = 'test:tester3'

describe('skylift doctor: the rights of a guest in a Swift container', function () {
  this.timeout(60_000)
  let owner: SwiftAccess
  let authUrl: string
  let home: Home
  let big: string

  before(async function () {
    this.timeout(120_000)
    needSwift(this)
    const {v1} = await startSwift()
    authUrl = v1.authUrl
    owner = await signIn(v1)
    home = await makeHome({ST_AUTH: authUrl, ST_USER: GUEST, ST_KEY: 'testing3'})
    big = join(home.folder, 'big.bin')
    await writeFile(big, randomBytes(3_000_000))
  })

  const call = (...argv: string[]): Promise<Ending> => callSkylift(argv, home)
  const post = async (container: string, acls: Record<string, string>): Promise<void> => {
    await makeContainer(owner, container)
    const headers = {'x-auth-token': owner.token, ...acls}
    expect((await ask(`${owner.storageUrl}/${container}`, {method: 'POST', headers})).status).to.equal(204)
  }
  const letWrite = async (box: string): Promise<void> => {
    for (const each of [box, `${box}_segments`]) await post(each, {'x-container-write': GUEST})
  }

  for (const rights of ['upload', 'resume', 'all']) {
    it(`gives by the policy what an upload in parts needs: ${rights}`, async () => {
      const box = `policy-${rights}`
      const {stdout} = await call('doctor', `swift://${box}`, '--policy', '--rights', rights)
      const lines = stdout.trim().split('\n')
      expect(lines).to.have.length(2)
      for (const line of lines) {
        const [, container = '', flags = ''] = /^swift post (\S+)(.*)$/u.exec(line) ?? []
        const acls = [...flags.matchAll(/--(?<kind>read|write)-acl '(?<acl>[^']+)'/gu)].map(({groups}) => [
          `x-container-${groups?.['kind']}`,
          groups?.['acl']?.replace('PROJECT_ID:USER_ID', GUEST) ?? '',
        ])
        await post(container, Object.fromEntries(acls) as Record<string, string>)
      }
      expect((await call('doctor', `swift://${box}`)).status).to.equal(0)
      const {status, stderr} = await call('upload', big, `swift://${box}/x`, '-q', '-p', '1M')
      expect(status, stderr).to.equal(0)
    })
  }

  it('finds that segments may be written and not read', async () => {
    await letWrite('unread')
    const ending = await call('doctor', 'swift://unread', '--json')
    expect(ending.status).to.equal(4)
    const {checks} = readJson<{checks: {name: string; status: string; message: string}[]}>(ending)
    expect(checks.find(({name}) => name === 'write')).to.include({status: 'ok'})
    const parts = checks.find(({name}) => name === 'multipart')
    expect(parts).to.include({status: 'failed'})
    expect(parts?.message).to.include('may not read the container "unread_segments"')
  })

  it('tells it before an upload in parts sends any', async () => {
    await letWrite('early')
    const {status, stderr} = await call('upload', big, 'swift://early/x', '-q', '-p', '1M')
    expect(status).to.equal(4)
    expect(stderr)
      .to.include('may not read the container "early_segments"')
      .and.to.include('skylift doctor TARGET --policy')
    expect(await listNames(owner, 'early_segments')).to.deep.equal([])
  })

  it('tells it of a manifest, where the right was taken away meanwhile', async () => {
    await letWrite('late')
    await post('late_segments', {'x-container-read': GUEST})
    const {store, close} = await openSwift({auth: {method: 'v1', authUrl, user: GUEST, key: 'testing3'}})
    const {session, receipts} = await sendParts(store, at('late', 'x'), textPieces('one', 'two'))
    await post('late_segments', {'x-container-read': ''})
    const failure = await failureOf(store.complete(session, receipts, newCall()), 'forbidden')
    expect(failure.message).to.include('may not read the container "late_segments"')
    close()
  })
})
