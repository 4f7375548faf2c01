import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'
import type {Command} from './measure.ts'
import {createCurl, createEnv, runSkylift, SKYLIFT_NEEDS} from './peer.ts'
import type {Peer, Setting} from './peer.ts'

const REPO = fileURLToPath(new URL('../..', import.meta.url))
// Debian's own, whatever else is first in the PATH
const AWS = '/usr/bin/aws'
const RCLONE = '/usr/bin/rclone'
const S3CMD = '/usr/bin/s3cmd'
const S5CMD = '/usr/local/bin/s5cmd'

const skylift: Peer = {
  name: 'skylift',
  protocol: 's3',
  needs: SKYLIFT_NEEDS,
  uploadFile: async (file, setting) => runSkylift([file, 's3://b/k'], setting),
  uploadFolder: async (folder, _names, setting) => runSkylift(['-r', folder, 's3://b/small/'], setting),
}

function createAws(name: string, transferClient: 'default' | 'crt'): Peer {
  const run = async (args: readonly string[], setting: Setting): Promise<Command> => {
    const config = join(setting.home, `aws-${transferClient}`)
    await writeFile(config, `[default]\ns3 =\n    preferred_transfer_client = ${transferClient}\n`)
    // this release reads no AWS_ENDPOINT_URL
    const argv = [AWS, '--endpoint-url', setting.endpoint, 's3', 'cp', '--only-show-errors', ...args]
    return {argv, env: {...createEnv(setting), AWS_CONFIG_FILE: config}}
  }
  return {
    name,
    protocol: 's3',
    needs: [AWS],
    needsDefaultPorts: transferClient === 'crt',
    uploadFile: async (file, setting) => run([file, 's3://b/k'], setting),
    uploadFolder: async (folder, _names, setting) => run(['--recursive', folder, 's3://b/small/'], setting),
  }
}

function createLibStorage(name: string, options: readonly string[]): Peer {
  const run = (script: string, args: readonly string[], setting: Setting): Command => {
    const path = fileURLToPath(new URL(`peers/${script}`, import.meta.url))
    return {argv: [process.execPath, path, ...args, ...options], env: createEnv(setting)}
  }
  return {
    name,
    protocol: 's3',
    needs: [join(REPO, 'node_modules/@aws-sdk/lib-storage')],
    uploadFile: async (file, setting) => run('upload-file.mjs', [file, 'b', 'k'], setting),
    uploadFolder: async (folder, _names, setting) => run('upload-folder.mjs', [folder, 'b', 'small/'], setting),
  }
}

/** Without the looks that it takes before and after each upload. */
function runRclone(args: readonly string[], setting: Setting): Command {
  const remote = {
    RCLONE_CONFIG: join(setting.home, 'rclone.conf'),
    RCLONE_CONFIG_X_TYPE: 's3',
    RCLONE_CONFIG_X_PROVIDER: 'Other',
    RCLONE_CONFIG_X_ACCESS_KEY_ID: 'bench',
    RCLONE_CONFIG_X_SECRET_ACCESS_KEY: 'benchbench',
    RCLONE_CONFIG_X_ENDPOINT: setting.endpoint,
  }
  const trust = setting.cert ? ['--ca-cert', setting.cert] : []
  const argv = [RCLONE, ...args, '-q', '--s3-no-head', '--s3-no-check-bucket', ...trust]
  // It ends where the SDK inside it finds a bundle that it was not given by a flag.
  const {AWS_CA_BUNDLE: _, ...env} = createEnv(setting)
  return {argv, env: {...env, ...remote}}
}

const rclone: Peer = {
  name: 'rclone',
  protocol: 's3',
  needs: [RCLONE],
  uploadFile: async (file, setting) =>
    runRclone(['copyto', file, 'x:b/k', '--s3-chunk-size', '64M', '--s3-upload-concurrency', '4'], setting),
  uploadFolder: async (folder, _names, setting) =>
    runRclone(['copy', folder, 'x:b/small', '--transfers', '32'], setting),
}

async function runS3cmd(args: readonly string[], setting: Setting): Promise<Command> {
  const {protocol, host} = new URL(setting.endpoint)
  const file = join(setting.home, 's3cmd')
  const settings = {
    access_key: 'bench',
    secret_key: 'benchbench',
    host_base: host,
    host_bucket: host,
    bucket_location: 'us-east-1',
    use_https: protocol === 'https:' ? 'True' : 'False',
    ...(setting.cert ? {ca_certs_file: setting.cert} : {}),
  }
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}\n`)
  await writeFile(file, `[default]\n${lines.join('')}`)
  return {argv: [S3CMD, '-q', '-c', file, 'put', ...args], env: createEnv(setting)}
}

const s3cmd: Peer = {
  name: 's3cmd',
  protocol: 's3',
  needs: [S3CMD],
  uploadFile: async (file, setting) => runS3cmd([file, 's3://b/k'], setting),
  uploadFolder: async (folder, _names, setting) => runS3cmd(['--recursive', `${folder}/`, 's3://b/small/'], setting),
}

/** It takes no authority of one's own: over https the certificate goes unchecked. */
function runS5cmd(args: readonly string[], setting: Setting): Command {
  const trust = setting.cert ? ['--no-verify-ssl'] : []
  return {
    argv: [S5CMD, '--log', 'error', '--endpoint-url', setting.endpoint, ...trust, 'cp', ...args],
    env: createEnv(setting),
  }
}

const s5cmd: Peer = {
  name: 's5cmd',
  protocol: 's3',
  needs: [S5CMD],
  isRare: true,
  uploadFile: async (file, setting) => runS5cmd([file, 's3://b/k'], setting),
  uploadFolder: async (folder, _names, setting) => runS5cmd([`${folder}/`, 's3://b/small/'], setting),
}

export const S3_PEERS: readonly Peer[] = [
  createCurl('s3', ''),
  skylift,
  s5cmd,
  createAws('aws-crt', 'crt'),
  createAws('aws', 'default'),
  createLibStorage('lib-storage-tuned', ['--tuned']),
  createLibStorage('lib-storage', []),
  rclone,
  s3cmd,
]
