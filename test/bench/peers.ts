import {existsSync} from 'node:fs'
import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'
import type {Command} from './measure.ts'
import type {Sink} from './sink.ts'

/** Where one run uploads to, and from where. */
export interface Setting {
  /** Of the sink: http or https. */
  readonly endpoint: string
  /** The certificate of an https endpoint. */
  readonly cert?: string
  /** A folder that the peer may use as its home. */
  readonly home: string
}

export interface Peer {
  readonly name: string
  /** What has to be there for it. */
  readonly needs: readonly string[]
  /** It connects to ports 80 and 443 whatever the endpoint says. */
  readonly needsDefaultPorts?: boolean
  /** Uploads one file as s3://b/k. */
  uploadFile(file: string, setting: Setting): Promise<Command>
  /** Uploads the files of a folder as s3://b/small/NAME. */
  uploadFolder(folder: string, names: readonly string[], setting: Setting): Promise<Command>
}

const REPO = fileURLToPath(new URL('../..', import.meta.url))
const SKYLIFT = join(REPO, 'bin/run.js')
// Debian's own, whatever else is first in the PATH
const AWS = '/usr/bin/aws'

/** A small environment of its own: nothing of this machine's settings or credentials. */
function createEnv({endpoint, cert, home}: Setting): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '',
    HOME: home,
    AWS_ENDPOINT_URL: endpoint,
    AWS_ACCESS_KEY_ID: 'bench',
    AWS_SECRET_ACCESS_KEY: 'benchbench',
    AWS_REGION: 'us-east-1',
    AWS_DEFAULT_REGION: 'us-east-1',
    AWS_EC2_METADATA_DISABLED: 'true',
    ...(cert ? {AWS_CA_BUNDLE: cert, NODE_EXTRA_CA_CERTS: cert} : {}),
  }
}

function runSkylift(args: readonly string[], setting: Setting): Command {
  const {NODE_EXTRA_CA_CERTS: _, AWS_CA_BUNDLE: __, ...env} = createEnv(setting)
  const trust = setting.cert ? ['--ca-bundle', setting.cert] : []
  return {
    argv: [process.execPath, SKYLIFT, 'upload', ...args, '-q', ...trust],
    env: {...env, SKYLIFT_STATE_DIR: join(setting.home, 'skylift')},
  }
}

const skylift: Peer = {
  name: 'skylift',
  needs: [SKYLIFT, join(REPO, 'dist')],
  uploadFile: async (file, setting) => runSkylift([file, 's3://b/k'], setting),
  uploadFolder: async (folder, names, setting) =>
    runSkylift([...names.map(name => join(folder, name)), 's3://b/small/'], setting),
}

/** The floor: one connection, no signature, no checksum. Many files go 32 at a time. */
const curl: Peer = {
  name: 'curl',
  needs: ['/usr/bin/curl'],
  uploadFile: async (file, setting) => {
    const trust = setting.cert ? ['--cacert', setting.cert] : []
    return {argv: ['/usr/bin/curl', '-sSf', ...trust, '-T', file, `${setting.endpoint}/b/k`], env: createEnv(setting)}
  },
  uploadFolder: async (folder, names, setting) => {
    const config = join(setting.home, 'curl.conf')
    const lines = names.map(
      name => `upload-file = "${join(folder, name)}"\nurl = "${setting.endpoint}/b/small/${name}"\n`,
    )
    await writeFile(config, lines.join(''))
    const trust = setting.cert ? ['--cacert', setting.cert] : []
    const argv = ['/usr/bin/curl', '-sSf', ...trust, '--parallel', '--parallel-max', '32', '-K', config]
    return {argv, env: createEnv(setting)}
  },
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
    needs: [join(REPO, 'node_modules/@aws-sdk/lib-storage')],
    uploadFile: async (file, setting) => run('upload-file.mjs', [file, 'b', 'k'], setting),
    uploadFolder: async (folder, _names, setting) => run('upload-folder.mjs', [folder, 'b', 'small/'], setting),
  }
}

/** What keeps a peer from running here; undefined when nothing does. */
export function findObstacle(peer: Peer, sink: Sink): string | undefined {
  const missing = peer.needs.find(path => !existsSync(path))
  if (missing) return `${missing} is missing`
  if (peer.needsDefaultPorts && !sink.hasDefaultPorts) return 'it needs the sink on ports 80 and 443'
  return undefined
}

export const PEERS: readonly Peer[] = [
  curl,
  skylift,
  createAws('aws-crt', 'crt'),
  createAws('aws', 'default'),
  createLibStorage('lib-storage-tuned', ['--tuned']),
  createLibStorage('lib-storage', []),
]
