import {execFile} from 'node:child_process'
import {existsSync} from 'node:fs'
import {rm} from 'node:fs/promises'
import {join} from 'node:path'
import {promisify} from 'node:util'
import {expect} from 'chai'
import {parseSize} from '../../src/core/sizes.ts'
import {needSwift, startSwift} from '../servers/swift.ts'
import {closeAll, openSandbox} from '../sandbox/support.ts'
import {makeBucket} from '../stores/foreign-s3.ts'
import {compareFiles, makeRandomFile} from '../support/random-file.ts'
import {accessEnv, makeHome, readJson, runSkylift} from '../support/run-skylift.ts'
import type {Env, Home, S3Access} from '../support/run-skylift.ts'
import {skipUnless} from '../support/skip.ts'

const run = promisify(execFile)
/** `SKYLIFT_E2E_SIZE=1G` for the full figure. */
const SIZE = parseSize(process.env['SKYLIFT_E2E_SIZE'] ?? '64M') + 12_345

/** A big file by the built command, and back by clients that we did not write. */
function describeRoundTrip(name: string, open: (context: Mocha.Context) => Promise<S3Access>): void {
  describe(`a file of ${process.env['SKYLIFT_E2E_SIZE'] ?? '64M'} to ${name}`, function () {
    this.timeout(600_000)
    let home: Home
    let file: string
    let back: string
    let env: Env

    before(async function () {
      const access = await open(this)
      await makeBucket(access, 'round-trip')
      const {endpoint, accessKeyId, secretAccessKey, region} = access
      home = await makeHome(accessEnv(access))
      file = join(home.folder, 'big.bin')
      back = join(home.folder, 'back.bin')
      env = {
        ...home.env,
        AWS_DEFAULT_REGION: region,
        RCLONE_CONFIG: join(home.folder, 'rclone.conf'),
        RCLONE_CONFIG_STORE_TYPE: 's3',
        RCLONE_CONFIG_STORE_PROVIDER: 'Other',
        RCLONE_CONFIG_STORE_ENDPOINT: endpoint,
        RCLONE_CONFIG_STORE_REGION: region,
        RCLONE_CONFIG_STORE_ACCESS_KEY_ID: accessKeyId,
        RCLONE_CONFIG_STORE_SECRET_ACCESS_KEY: secretAccessKey,
      }
      await makeRandomFile(file, SIZE)
    })
    afterEach(() => rm(back ?? '', {force: true}))

    /** Both clients must read back what was sent. */
    async function expectSame(key: string): Promise<void> {
      const {AWS_ENDPOINT_URL: endpoint = ''} = home.env
      const from = `s3://round-trip/${key}`
      await run('/usr/bin/aws', ['--endpoint-url', endpoint, 's3', 'cp', '--no-progress', from, back], {env})
      expect(await compareFiles(file, back), 'aws').to.equal(-1)
      await rm(back)
      await run('/usr/bin/rclone', ['copyto', `store:round-trip/${key}`, back], {env})
      expect(await compareFiles(file, back), 'rclone').to.equal(-1)
    }

    for (const [what, flags] of [
      ['as it comes', []],
      ['with other parts and connections', ['-p', '7M', '-c', '3']],
      ['through the SDK', ['--engine', 'sdk']],
    ] as const) {
      it(`is the same when aws and rclone fetch it: ${what}`, async function () {
        skipUnless(
          this,
          existsSync('/usr/bin/aws') && existsSync('/usr/bin/rclone'),
          'aws or rclone is missing: apt-get install awscli rclone',
        )
        const key = `${what.replaceAll(' ', '-')}.bin`
        const ending = await runSkylift(['upload', file, `s3://round-trip/${key}`, '-q', '--json', ...flags], home)
        expect({status: ending.status, stderr: ending.stderr}).to.deep.equal({status: 0, stderr: ''})
        const {objects} = readJson<{objects: {size: number; verifiedBy: string}[]}>(ending)
        expect(objects).to.have.length(1)
        expect(objects[0]?.size).to.equal(SIZE)
        expect(objects[0]?.verifiedBy).to.be.oneOf(['crc32', 'md5'])
        await expectSame(key)
      })
    }
  })
}

describeRoundTrip('the sandbox', () => openSandbox())
after(closeAll)

describeRoundTrip("OpenStack Swift's S3 API", async context => {
  needSwift(context)
  return (await startSwift()).s3
})
