import {writeFile} from 'node:fs/promises'
import type {Command} from './measure.ts'
import {fileURLToPath} from 'node:url'
import {join} from 'node:path'

/** Where one run uploads to, and from where. */
export interface Setting {
  /** Of the sink: http or https. */
  readonly endpoint: string
  /** The certificate of an https endpoint. */
  readonly cert?: string
  /** A folder that the peer may use as its home. */
  readonly home: string
}

/** The protocol that the sink is spoken to in. */
export type Protocol = 's3' | 'swift'

export interface Peer {
  readonly name: string
  readonly protocol: Protocol
  /** What has to be there for it. */
  readonly needs: readonly string[]
  /** No package of the usual systems has it: nothing is wrong where it is missing. */
  readonly isRare?: boolean
  /** It connects to ports 80 and 443 whatever the endpoint says. */
  readonly needsDefaultPorts?: boolean
  /** Uploads one file as `k` of the container `b`. */
  uploadFile(file: string, setting: Setting): Promise<Command>
  /** Uploads the files of a folder as `small/NAME` of the container `b`; absent where nobody would do so. */
  uploadFolder?(folder: string, names: readonly string[], setting: Setting): Promise<Command>
}

const REPO = fileURLToPath(new URL('../..', import.meta.url))
const SKYLIFT = join(REPO, 'bin/run.js')

export const SKYLIFT_NEEDS = [SKYLIFT, join(REPO, 'dist')]

/** A small environment of its own: nothing of this machine's settings or credentials. */
export function createEnv({endpoint, cert, home}: Setting): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '',
    HOME: home,
    AWS_ENDPOINT_URL: endpoint,
    AWS_ACCESS_KEY_ID: 'bench',
    AWS_SECRET_ACCESS_KEY: 'benchbench',
    AWS_REGION: 'us-east-1',
    AWS_DEFAULT_REGION: 'us-east-1',
    AWS_EC2_METADATA_DISABLED: 'true',
    ...createSwiftEnv(endpoint),
    ...(cert ? {AWS_CA_BUNDLE: cert, NODE_EXTRA_CA_CERTS: cert} : {}),
  }
}

function createSwiftEnv(endpoint: string): Record<string, string> {
  return {ST_AUTH: `${endpoint}/auth/v1.0`, ST_USER: 'test:tester', ST_KEY: 'testing'}
}

export function runSkylift(args: readonly string[], setting: Setting): Command {
  const {NODE_EXTRA_CA_CERTS: _, AWS_CA_BUNDLE: __, ...env} = createEnv(setting)
  const trust = setting.cert ? ['--ca-bundle', setting.cert] : []
  return {
    argv: [process.execPath, SKYLIFT, 'upload', ...args, '-q', ...trust],
    env: {...env, SKYLIFT_STATE_DIR: join(setting.home, 'skylift')},
  }
}

/** The floor: one connection, no signature, no checksum. Many files go 32 at a time. `root` is the path of the containers. */
export function createCurl(protocol: Protocol, root: string): Peer {
  const run = (args: readonly string[], setting: Setting): Command => {
    const trust = setting.cert ? ['--cacert', setting.cert] : []
    return {argv: ['/usr/bin/curl', '-sSf', ...trust, ...args], env: createEnv(setting)}
  }
  return {
    name: 'curl',
    protocol,
    needs: ['/usr/bin/curl'],
    uploadFile: async (file, setting) => run(['-T', file, `${setting.endpoint}${root}/b/k`], setting),
    uploadFolder: async (folder, names, setting) => {
      const config = join(setting.home, 'curl.conf')
      const lines = names.map(
        name => `upload-file = "${join(folder, name)}"\nurl = "${setting.endpoint}${root}/b/small/${name}"\n`,
      )
      await writeFile(config, lines.join(''))
      return run(['--parallel', '--parallel-max', '32', '-K', config], setting)
    },
  }
}
