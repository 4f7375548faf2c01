import {execFile, spawnSync} from 'node:child_process'
import {promisify} from 'node:util'
import {expect} from 'chai'
import {startSandbox} from '../../../src/sandbox/server.ts'
import type {GivenUrl} from '../../../src/stores/open.ts'
import {needSwift, startSwift} from '../../servers/swift.ts'
import {skipUnless} from '../../support/skip.ts'
import {makeTempFolder} from '../../support/temp-folder.ts'
import {makeBucket} from '../foreign-s3.ts'
import {makeContainer, openForeign, signIn} from '../swift/foreign-swift.ts'
import {openSwift} from '../swift/open-swift.ts'
import {at, call, openDrivers} from '../s3/open-drivers.ts'
import {putByUrl} from './open-urls.ts'

const run = promisify(execFile)
const MD5_OF_HELLO = '5d41402abc4b2a76b9719d911017c592'

/** Debian's aws-cli has botocore in a folder of its own. */
const IMPORT = `
try:
    import botocore.session as session; from botocore.config import Config
except ImportError:
    import awscli.botocore.session as session; from awscli.botocore.config import Config
`

const SIGN = `${IMPORT}
import json, sys
wish = json.loads(sys.argv[1])
s = session.Session()
s.set_credentials(wish['accessKeyId'], wish['secretAccessKey'])
config = Config(signature_version='s3v4', s3={'addressing_style': 'path'})
c = s.create_client('s3', region_name=wish['region'], endpoint_url=wish['endpoint'], config=config)
print(json.dumps({
  'put': c.generate_presigned_url('put_object', Params={'Bucket': 'box', 'Key': 'a dir/k ü~*.txt'}, ExpiresIn=600),
  'dressed': c.generate_presigned_url('put_object', ExpiresIn=600, Params={
    'Bucket': 'box', 'Key': 'dressed', 'ContentType': 'x/y', 'Metadata': {'who': 'me'}, 'CacheControl': 'no-store'}),
  'form': c.generate_presigned_post('box', 'in/\${filename}', ExpiresIn=600,
    Fields={'success_action_status': '201'},
    Conditions=[{'success_action_status': '201'}, ['content-length-range', 1, 10], ['starts-with', '$Content-Type', '']]),
}))
`

interface Signed {
  readonly put: string
  readonly dressed: string
  readonly form: GivenUrl
}

describe('URLs that boto signed', function () {
  this.timeout(60_000)
  let sandbox: Awaited<ReturnType<typeof startSandbox>>
  let store: ReturnType<typeof openDrivers>
  let signed: Signed

  before(async function () {
    const python = ['/usr/bin/python3', 'python3'].find(each => spawnSync(each, ['-c', IMPORT]).status === 0)
    skipUnless(this, python !== undefined, 'botocore is not installed (Debian: apt-get install awscli)')
    sandbox = await startSandbox({folder: await makeTempFolder()})
    await makeBucket(sandbox, 'box')
    store = openDrivers(sandbox)
    const {endpoint, region, accessKeyId, secretAccessKey} = sandbox
    const wish = JSON.stringify({endpoint, region, accessKeyId, secretAccessKey})
    signed = JSON.parse((await run(python ?? '', ['-c', SIGN, wish])).stdout) as Signed
  })
  after(async () => {
    store?.close()
    await sandbox?.close()
  })

  it('take an object', async () => {
    const {etag} = await putByUrl({url: signed.put}, 'hello', {options: {contentType: 'text/guess'}})
    expect(etag).to.equal(MD5_OF_HELLO)
    const found = await store.head(at('box', 'a dir/k ü~*.txt'), call)
    expect(found).to.deep.include({size: 5, contentType: 'text/guess'})
  })

  it('take what they were signed with, once it is said', async () => {
    const given = {url: signed.dressed, headers: {'content-type': 'x/y'}}
    await putByUrl(given, 'hello', {options: {metadata: {who: 'me'}, cacheControl: 'no-store'}})
    const found = await store.head(at('box', 'dressed'), call)
    expect(found).to.deep.include({contentType: 'x/y', metadata: {who: 'me'}})
  })

  it('take a form, with the type that its policy leaves open', async () => {
    const options = {contentType: 'text/guess'}
    expect((await putByUrl(signed.form, 'hello', {name: 'ü.txt', options})).etag).to.equal(MD5_OF_HELLO)
    expect((await store.head(at('box', 'in/ü.txt'), call)).contentType).to.equal('text/guess')
  })
})

describe('temp URLs that python-swiftclient signed', function () {
  this.timeout(60_000)
  const KEY = 'signed elsewhere'
  let origin: string
  let account: Awaited<ReturnType<typeof signIn>>

  before(async function () {
    this.timeout(120_000)
    needSwift(this)
    const isThere = spawnSync('/usr/bin/swift', ['--version']).status === 0
    skipUnless(this, isThere, 'python-swiftclient is not installed (Debian: apt-get install python3-swiftclient)')
    const {v1} = await startSwift()
    account = await signIn(v1)
    origin = new URL(account.storageUrl).origin
    await makeContainer(account, 'foreign')
    const {store, close} = await openSwift({auth: {method: 'v1', authUrl: v1.authUrl, user: v1.user, key: v1.key}})
    await store.setTempUrlKey(at(''), 'key', KEY, call)
    close()
  })

  const sign = async (key: string, ...more: string[]): Promise<GivenUrl> => {
    const path = `${new URL(account.storageUrl).pathname}/foreign/${key}`
    const {stdout} = await run('/usr/bin/swift', ['tempurl', ...more, 'PUT', '600', path, KEY])
    return {url: `${origin}${stdout.trim()}`}
  }
  const read = async (key: string) => String((await openForeign(account, 'foreign').read(key))?.bytes)

  for (const more of [[], ['--iso8601'], ['--digest', 'sha1'], ['--ip-range', '127.0.0.1']]) {
    it(`take an object ${more.join(' ')}`, async () => {
      await putByUrl(await sign('one', ...more), `hello ${more.join(' ')}`)
      expect(await read('one')).to.equal(`hello ${more.join(' ')}`)
    })
  }

  it('take any name under a prefix', async () => {
    await putByUrl(await sign('in/', '--prefix-based'), 'hello', {name: 'my ü?.txt'})
    expect(await read('in/my ü?.txt')).to.equal('hello')
  })
})
