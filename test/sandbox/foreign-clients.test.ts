import {execFile} from 'node:child_process'
import {existsSync} from 'node:fs'
import {mkdir, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {promisify} from 'node:util'
import {expect} from 'chai'
import type {Sandbox} from '../../src/sandbox/server.ts'
import {compareFiles, makeRandomFile} from '../support/random-file.ts'
import {skipUnless} from '../support/skip.ts'
import {makeTempFolder} from '../support/temp-folder.ts'
import {closeAll, openSandbox, presign} from './support.ts'

const MIB = 1024 * 1024
const run = promisify(execFile)

describe('sandbox and clients that we did not write', () => {
  let sandbox: Sandbox
  let folder: string
  let big: string
  let env: NodeJS.ProcessEnv

  before(async () => {
    sandbox = await openSandbox()
    folder = await makeTempFolder()
    big = join(folder, 'big.bin')
    await makeRandomFile(big, 64 * MIB + 7)
    env = {
      PATH: process.env['PATH'],
      HOME: folder,
      AWS_ACCESS_KEY_ID: sandbox.accessKeyId,
      AWS_SECRET_ACCESS_KEY: sandbox.secretAccessKey,
      AWS_DEFAULT_REGION: sandbox.region,
      AWS_EC2_METADATA_DISABLED: 'true',
      RCLONE_CONFIG_SB_TYPE: 's3',
      RCLONE_CONFIG_SB_PROVIDER: 'Other',
      RCLONE_CONFIG_SB_ENDPOINT: sandbox.endpoint,
      RCLONE_CONFIG_SB_ACCESS_KEY_ID: sandbox.accessKeyId,
      RCLONE_CONFIG_SB_SECRET_ACCESS_KEY: sandbox.secretAccessKey,
      RCLONE_CONFIG_SB_REGION: sandbox.region,
    }
    const tree = join(folder, 'tree', 'with space', 'ünï')
    await mkdir(tree, {recursive: true})
    await writeFile(join(folder, 'tree', 'empty'), '')
    await writeFile(join(folder, 'tree', 'with space', 'a+b&c=d.txt'), 'odd name')
    await makeRandomFile(join(tree, 'nine.bin'), 9 * MIB)
  })
  after(closeAll)

  const call = async (program: string, ...args: string[]) =>
    (await run(program, args, {env, timeout: 120_000, maxBuffer: 16 * MIB})).stdout

  it('aws: multipart up and down, sync, presign, ranges, tags', async function () {
    this.timeout(120_000)
    skipUnless(this, existsSync('/usr/bin/aws'), 'the aws client is missing: apt-get install awscli')
    const aws = async (...args: string[]) => call('/usr/bin/aws', '--endpoint-url', sandbox.endpoint, ...args)
    await aws('s3', 'mb', 's3://aws')
    await aws('s3', 'cp', '--no-progress', '--metadata', 'a=b', big, 's3://aws/dir/big.bin')
    await aws('s3', 'cp', '--no-progress', 's3://aws/dir/big.bin', join(folder, 'back.bin'))
    expect(await compareFiles(big, join(folder, 'back.bin'))).to.equal(-1)
    const head = JSON.parse(await aws('s3api', 'head-object', '--bucket', 'aws', '--key', 'dir/big.bin')) as Record<
      string,
      unknown
    >
    expect(head).to.deep.include({ContentLength: 64 * MIB + 7, Metadata: {a: 'b'}})
    expect(head['ETag']).to.match(/^"[\da-f]{32}-9"$/u)
    await aws('s3', 'sync', '--no-progress', join(folder, 'tree'), 's3://aws/tree')
    expect(await aws('s3', 'sync', '--no-progress', join(folder, 'tree'), 's3://aws/tree')).to.equal('')
    await aws('s3', 'sync', '--no-progress', 's3://aws/tree', join(folder, 'tree-back'))
    await run('diff', ['-r', join(folder, 'tree'), join(folder, 'tree-back')])
    const url = (await aws('s3', 'presign', 's3://aws/tree/with space/a+b&c=d.txt')).trim()
    expect(await (await fetch(url)).text()).to.equal('odd name')
    await aws('s3', 'cp', '--no-progress', 's3://aws/dir/big.bin', 's3://aws/copy.bin')
    await aws('s3', 'mv', '--no-progress', 's3://aws/copy.bin', 's3://aws/moved.bin')
    const summary = await aws('s3', 'ls', '--recursive', '--summarize', 's3://aws')
    expect(summary).to.match(/Total Objects: 5\n/u)
    await aws('s3', 'rb', '--force', 's3://aws')
  })

  it('rclone: copy, check every byte, server-side move, purge', async function () {
    this.timeout(120_000)
    skipUnless(this, existsSync('/usr/bin/rclone'), 'rclone is missing: apt-get install rclone')
    await call('rclone', 'mkdir', 'sb:rclone')
    await call(
      'rclone',
      'copy',
      '--s3-chunk-size',
      '5M',
      '--s3-upload-cutoff',
      '8M',
      folder,
      'sb:rclone/all',
      '--include',
      '/big.bin',
      '--include',
      '/tree/**',
    )
    await call('rclone', 'check', '--download', join(folder, 'tree'), 'sb:rclone/all/tree')
    await call('rclone', 'check', join(folder, 'tree'), 'sb:rclone/all/tree')
    await call('rclone', 'moveto', 'sb:rclone/all/big.bin', 'sb:rclone/moved.bin')
    await call('rclone', 'copyto', 'sb:rclone/moved.bin', join(folder, 'rclone.bin'))
    expect(await compareFiles(big, join(folder, 'rclone.bin'))).to.equal(-1)
    await call('rclone', 'purge', 'sb:rclone')
    expect(await call('rclone', 'lsd', 'sb:')).not.to.include('rclone')
  })

  it('s3cmd: put in parts, info, get, delete', async function () {
    this.timeout(120_000)
    skipUnless(this, existsSync('/usr/bin/s3cmd'), 's3cmd is missing: apt-get install s3cmd')
    const host = `127.0.0.1:${sandbox.port}`
    const options = [
      '--no-ssl',
      `--host=${host}`,
      `--host-bucket=${host}`,
      `--access_key=${sandbox.accessKeyId}`,
      `--secret_key=${sandbox.secretAccessKey}`,
      '--region=us-east-1',
      '--no-progress',
    ]
    const s3cmd = async (...args: string[]) => call('s3cmd', ...options, ...args)
    await s3cmd('mb', 's3://s3cmd')
    await s3cmd('put', '--multipart-chunk-size-mb=15', '--acl-public', big, 's3://s3cmd/ü/big.bin')
    expect(await s3cmd('info', 's3://s3cmd/ü/big.bin')).to.include(`File size: ${64 * MIB + 7}`)
    await s3cmd('get', 's3://s3cmd/ü/big.bin', join(folder, 's3cmd.bin'))
    expect(await compareFiles(big, join(folder, 's3cmd.bin'))).to.equal(-1)
    expect((await fetch(`${sandbox.endpoint}/s3cmd/%C3%BC/big.bin`, {method: 'HEAD'})).status).to.equal(200)
    await s3cmd('setacl', '--acl-private', 's3://s3cmd/ü/big.bin')
    expect((await fetch(`${sandbox.endpoint}/s3cmd/%C3%BC/big.bin`, {method: 'HEAD'})).status).to.equal(403)
    await s3cmd('info', 's3://s3cmd')
    await s3cmd('rb', '--force', '--recursive', 's3://s3cmd')
  })

  it('curl: a presigned PUT of 64 MiB, with Expect', async function () {
    skipUnless(this, existsSync('/usr/bin/curl'), 'curl is missing: apt-get install curl')
    const bucket = await presign(sandbox, {method: 'PUT', path: '/curl'})
    await call('curl', '-sf', '-X', 'PUT', `${sandbox.endpoint}${bucket}`)
    const put = await presign(sandbox, {method: 'PUT', path: '/curl/big'})
    await call('curl', '-sf', '-T', big, '-H', 'Expect: 100-continue', `${sandbox.endpoint}${put}`)
    const get = await presign(sandbox, {path: '/curl/big'})
    await call('curl', '-sf', '-o', join(folder, 'curl.bin'), `${sandbox.endpoint}${get}`)
    expect(await compareFiles(big, join(folder, 'curl.bin'))).to.equal(-1)
  })
})
