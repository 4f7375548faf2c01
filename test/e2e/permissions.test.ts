import {spawnSync} from 'node:child_process'
import {chmod} from 'node:fs/promises'
import {join} from 'node:path'
import {CreateBucketCommand, HeadObjectCommand} from '@aws-sdk/client-s3'
import type {S3Client} from '@aws-sdk/client-s3'
import {expect} from 'chai'
import {closeAll, openClient, openSandbox} from '../sandbox/support.ts'
import {makeRandomFile} from '../support/random-file.ts'
import {accessEnv, BIN, makeHome, runSkylift} from '../support/run-skylift.ts'
import type {Ending, Home} from '../support/run-skylift.ts'
import {skipUnless} from '../support/skip.ts'

const MIB = 1024 * 1024
/** Mode bits stop everybody but root. */
const AS_NOBODY = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--']

describe('somebody without permissions', () => {
  let client: S3Client
  let home: Home
  let through: readonly string[]

  before(async function () {
    skipUnless(this, process.getuid !== undefined, 'Windows has no mode bits')
    through = process.getuid?.() === 0 ? AS_NOBODY : []
    const help = [...through, process.execPath, BIN, 'help']
    skipUnless(
      this,
      spawnSync(help[0] ?? '', help.slice(1)).status === 0,
      'Permissions are tried as nobody: needs setpriv (util-linux), and node and this folder readable by all',
    )
    const sandbox = await openSandbox()
    client = openClient(sandbox)
    await client.send(new CreateBucketCommand({Bucket: 'box'}))
    home = await makeHome(accessEnv(sandbox))
    await makeRandomFile(join(home.folder, 'secret'), 10)
    await makeRandomFile(join(home.folder, 'open'), 20 * MIB)
    await chmod(join(home.folder, 'secret'), 0o000)
    await chmod(join(home.folder, 'open'), 0o444)
    // Nothing can be kept here: neither journals nor what was learned.
    await chmod(home.folder, 0o555)
  })
  after(async () => {
    if (home !== undefined) await chmod(home.folder, 0o755)
    await closeAll()
  })

  const upload = (...argv: string[]): Promise<Ending> =>
    runSkylift(['upload', ...argv], {...home, cwd: home.folder, through})

  it('is told that a file may not be read', async () => {
    const {status, stdout, stderr} = await upload('secret', 's3://box/', '-q')
    expect({status, stdout}).to.deep.equal({status: 4, stdout: ''})
    expect(stderr).to.equal('"secret" may not be read by you.\n  Check its mode.\n')
    const head = client.send(new HeadObjectCommand({Bucket: 'box', Key: 'secret'}))
    expect(await head.catch((error: Error) => error.name)).to.equal('NotFound')
  })

  it('uploads although the state folder cannot be written, and is told that a kill would cost the upload', async () => {
    const {status, stderr} = await upload('open', 's3://box/', '--progress', 'lines')
    expect(status).to.equal(0)
    expect(stderr).to.match(/This upload cannot be resumed after a kill: /u)
    expect((await client.send(new HeadObjectCommand({Bucket: 'box', Key: 'open'}))).ContentLength).to.equal(20 * MIB)
  })
})
