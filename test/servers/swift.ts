import {execFile, spawn, spawnSync} from 'node:child_process'
import {once} from 'node:events'
import {mkdtemp, readFile, rm} from 'node:fs/promises'
import type {Socket} from 'node:net'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {promisify} from 'node:util'
import {skipUnless} from '../support/skip.ts'
import {findFreePorts} from './ports.ts'

const run = promisify(execFile)
const SCRIPT = fileURLToPath(new URL('swift-aio.sh', import.meta.url))

export const SWIFT_PACKAGES = ['swift-proxy', 'swift-account', 'swift-container', 'swift-object', 'memcached', 'curl']
export const KEYSTONE_PACKAGES = ['python3-keystone', 'python3-keystonemiddleware', 'uwsgi-plugin-python3']

export type Daemon = 'memcached' | 'account' | 'container' | 'object' | 'proxy' | 'keystone' | 'ksproxy'

export interface SwiftOptions {
  /** Keystone too (12 s more), with a proxy of its own in front of the same storage. */
  readonly withKeystone?: boolean
  /** SWIFT_AIO_* (see the script's head): a server of its own for each set of them. */
  readonly settings?: Readonly<Record<string, string>>
}

/** A real OpenStack Swift on loopback. */
export interface SwiftServer {
  readonly s3: {
    readonly endpoint: string
    readonly accessKeyId: string
    readonly secretAccessKey: string
    readonly region: string
  }
  readonly v1: {readonly authUrl: string; readonly storageUrl: string; readonly user: string; readonly key: string}
  /** All that `swift-aio.sh env` prints: with Keystone its `OS_*` too. */
  readonly env: Readonly<Record<string, string>>
  /** Its configuration, logs and pids. */
  readonly folder: string
  /** One pass of the background daemons: listings, statistics, expiry. */
  tick(): Promise<void>
  /** Failure injection on one daemon; `respawn` and `cont` undo it. */
  control(verb: 'kill' | 'pause' | 'cont' | 'respawn', daemon: Daemon): Promise<void>
  /** Stops the server and deletes what it stored; not needed at the end of a process. May be called twice. */
  stop(): Promise<void>
}

/** Whether this machine has what a real Swift needs: the Debian packages and Linux. */
export function hasSwift(options: SwiftOptions = {}): boolean {
  if (process.platform !== 'linux') return false
  const modules = options.withKeystone ? 'swift, keystone, keystonemiddleware' : 'swift'
  const tools = ['memcached', 'curl', 'setsid', ...(options.withKeystone ? ['keystone-manage', 'uwsgi_python3'] : [])]
  return (
    spawnSync('/usr/bin/python3', ['-c', `import ${modules}`]).status === 0 &&
    tools.every(tool => spawnSync('sh', ['-c', `command -v ${tool}`]).status === 0)
  )
}

/** Skips the suite or test where this machine has no Swift; with CI=1 it fails instead. */
export function needSwift(context: Mocha.Context, options: SwiftOptions = {}): void {
  const packages = options.withKeystone ? [...SWIFT_PACKAGES, ...KEYSTONE_PACKAGES] : SWIFT_PACKAGES
  const name = options.withKeystone ? 'OpenStack Swift with Keystone' : 'OpenStack Swift'
  skipUnless(
    context,
    hasSwift(options),
    `${name} is not installed (Debian: apt-get install --no-install-recommends ${packages.join(' ')})`,
  )
}

interface Running {
  readonly folder: string
  readonly settings: Readonly<Record<string, string>>
  env: Record<string, string>
}

const running = new Map<string, Promise<Running>>()

/** The server of this process: started by the first call, shared by the later ones, stopped when the process ends. */
export async function startSwift(options: SwiftOptions = {}): Promise<SwiftServer> {
  const name = JSON.stringify(options.settings ?? {})
  const started = startAfter(running.get(name), options)
  running.set(name, started)
  started.catch(() => running.delete(name))
  const {folder, env} = await started
  return {
    ...readAccess(env),
    env,
    folder,
    tick: async () => void (await callScript(folder, {}, 'tick')),
    control: async (verb, daemon) => void (await callScript(folder, {}, verb, daemon)),
    stop: async () => {
      if (running.get(name) === started) running.delete(name)
      await callScript(folder, {}, 'reset')
      await rm(folder, {recursive: true, force: true})
    },
  }
}

/** One after the other: a second caller may want Keystone added to what the first one is still starting. */
async function startAfter(before: Promise<Running> | undefined, options: SwiftOptions): Promise<Running> {
  const known = await before?.catch(() => undefined)
  if (!known) return startFresh(options)
  if (options.withKeystone && !known.env['OS_AUTH_URL'])
    known.env = await callScript(known.folder, known.settings, 'start', '--with-keystone')
  return known
}

async function startFresh(options: SwiftOptions): Promise<Running> {
  for (let attempt = 1; ; attempt++) {
    const folder = await mkdtemp(join(tmpdir(), 'skylift-swift-'))
    const port = await findFreePorts(7)
    const settings = {...options.settings, SWIFT_AIO_PORT: String(port), SWIFT_AIO_BACKEND_PORT: String(port + 1)}
    const end = stopWithThisProcess(folder)
    try {
      const env = await callScript(folder, settings, 'start', ...(options.withKeystone ? ['--with-keystone'] : []))
      return {folder, settings, env}
    } catch (error) {
      const {message} = error as Error
      // It goes with its folder.
      const log = /see (\/\S+\.log)/u.exec(message)?.[1]
      const words = log === undefined ? '' : (await readFile(log, 'utf8').catch(() => '')).slice(-1000)
      await end()
      // Another folder of tests, which runs beside this one, may take a port after it was looked at.
      const isTaken = /is taken by somebody else|address already in use/iu.test(message + words)
      if (!isTaken || attempt === 3) throw new Error(`${message}\n${words}`, {cause: error})
    }
  }
}

/**
 * A process of its own waits for the end of its input, which comes however this process ends, kill -9 included; then it
 * stops the server. The function that is returned ends the input early.
 */
function stopWithThisProcess(folder: string): () => Promise<void> {
  const command = 'cat >/dev/null; "$1" reset; rm -rf "$SWIFT_AIO_DIR"'
  const guard = spawn('bash', ['-c', command, 'swift-guard', SCRIPT], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    env: {...process.env, SWIFT_AIO_DIR: folder},
  })
  guard.unref()
  ;(guard.stdin as Socket).unref()
  return async () => {
    guard.stdin.end()
    await once(guard, 'exit')
  }
}

async function callScript(
  folder: string,
  settings: Readonly<Record<string, string>>,
  ...args: string[]
): Promise<Record<string, string>> {
  const {stdout} = await run(SCRIPT, args, {env: {...process.env, ...settings, SWIFT_AIO_DIR: folder}})
  return Object.fromEntries(
    stdout
      .split('\n')
      .filter(line => line.includes('='))
      .map(line => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  )
}

function readAccess(env: Readonly<Record<string, string>>): Pick<SwiftServer, 's3' | 'v1'> {
  const read = (name: string): string => {
    const value = env[name]
    if (!value) throw new Error(`swift-aio.sh printed no ${name}`)
    return value
  }
  return {
    s3: {
      endpoint: read('S3_ENDPOINT'),
      accessKeyId: read('AWS_ACCESS_KEY_ID'),
      secretAccessKey: read('AWS_SECRET_ACCESS_KEY'),
      region: read('S3_REGION'),
    },
    v1: {
      authUrl: read('SWIFT_AUTH_URL'),
      storageUrl: read('SWIFT_STORAGE_URL'),
      user: read('SWIFT_USER'),
      key: read('SWIFT_KEY'),
    },
  }
}
