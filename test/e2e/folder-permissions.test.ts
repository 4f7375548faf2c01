import {spawnSync} from 'node:child_process'
import {chmod, mkdir, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {CreateBucketCommand, ListObjectsV2Command} from '@aws-sdk/client-s3'
import type {S3Client} from '@aws-sdk/client-s3'
import {expect} from 'chai'
import {closeAll, openClient, openSandbox} from '../sandbox/support.ts'
import {accessEnv, BIN, makeHome, runSkylift} from '../support/run-skylift.ts'
import type {Ending, Home} from '../support/run-skylift.ts'
import {skipUnless} from '../support/skip.ts'

/** Mode bits stop everybody but root. */
const AS_NOBODY = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--']

describe('a folder that may not all be read', () => {
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
    for (const name of ['closed/a', 'open/b', 'open/secret', 'open/deep/c']) {
      await mkdir(join(home.folder, 'tree', name, '..'), {recursive: true})
      await writeFile(join(home.folder, 'tree', name), name)
    }
    await chmod(join(home.folder, 'tree/closed'), 0o700)
    await chmod(join(home.folder, 'tree/open/secret'), 0o600)
  })
  after(closeAll)

  const call = (...argv: string[]): Promise<Ending> =>
    runSkylift(['upload', ...argv], {env: home.env, cwd: home.folder, through})

  it('is uploaded but for what is closed, each of which is told', async () => {
    const {status, stderr} = await call('tree', '-r', 's3://box/')
    expect(status).to.equal(4)
    expect(stderr).to.match(/^The folder "tree\/closed" may not be read by you\.$/mu)
    expect(stderr).to.match(/"tree\/open\/secret" may not be read by you\.$/mu)
    const {Contents = []} = await client.send(new ListObjectsV2Command({Bucket: 'box'}))
    expect(Contents.map(({Key}) => Key)).to.deep.equal(['open/b', 'open/deep/c'])
  })

  it('fails at once where nothing of it can be read', async () => {
    const {status, stderr} = await call('tree/closed', 'tree/open', '-r', 's3://box/never/')
    expect(status).to.equal(4)
    expect(stderr).to.match(/^The folder "tree\/closed" may not be read by you\.\n/u)
    const {KeyCount} = await client.send(new ListObjectsV2Command({Bucket: 'box', Prefix: 'never/'}))
    expect(KeyCount).to.equal(0)
  })

  it('costs nothing but the going on after a kill where the state folder is closed too', async () => {
    await chmod(home.folder, 0o755)
    const {status, stderr} = await call('tree/open', '-r', 's3://box/again/', '--exclude', 'secret')
    expect(status, stderr).to.equal(0)
    expect(stderr).to.match(/This run cannot go on after a kill: EACCES/u)
  })
})
