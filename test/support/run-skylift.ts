import {spawn} from 'node:child_process'
import type {ChildProcess} from 'node:child_process'
import {once} from 'node:events'
import {readFileSync} from 'node:fs'
import {chmod, mkdir} from 'node:fs/promises'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {captureOutput} from '@oclif/test'
import {run as runOclif} from '@oclif/core'
import {findSandbox} from '../../src/sandbox/find-sandbox.ts'
import {checkCommandLine, checkOutput, checkStateFolder, checkWritten} from './secrets.ts'
import {makeTempFolder} from './temp-folder.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
/** What a person starts; `npm test` builds what it runs. */
export const BIN = join(ROOT, 'bin', 'run.js')

/** How an S3 store is reached. */
export interface S3Access {
  readonly endpoint: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly region: string
}

export type Env = Readonly<Record<string, string>>

/** A person's machine: folders of its own, and nothing of ours in the environment. */
export interface Home {
  readonly folder: string
  readonly sandboxFolder: string
  readonly stateFolder: string
  readonly env: Env
}

const homes: Home[] = []

/** Makes an empty home; `env` is added to what is in every environment. */
export async function makeHome(env: Env = {}): Promise<Home> {
  const folder = await makeTempFolder()
  const [sandboxFolder, stateFolder] = [join(folder, 'sandbox'), join(folder, 'state')]
  await mkdir(join(folder, 'home'))
  // Somebody else (nobody) may have to pass through.
  await chmod(folder, 0o755)
  const home = {
    folder,
    sandboxFolder,
    stateFolder,
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: join(folder, 'home'),
      TMPDIR: folder,
      LANG: 'C.UTF-8',
      SKYLIFT_SANDBOX_DIR: sandboxFolder,
      SKYLIFT_STATE_DIR: stateFolder,
      // Otherwise the chain asks for an instance's credentials at an address that does not answer.
      AWS_EC2_METADATA_DISABLED: 'true',
      ...env,
    },
  }
  homes.push(home)
  return home
}

/** What a person sets to reach an S3 store by `s3://`. */
export function accessEnv({endpoint, accessKeyId, secretAccessKey, region}: S3Access): Env {
  return {
    AWS_ENDPOINT_URL: endpoint,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_REGION: region,
  }
}

/** Ends the sandboxes that commands have left running. */
export async function endSandboxes(): Promise<void> {
  for (const {sandboxFolder} of homes.splice(0)) {
    const running = await findSandbox(sandboxFolder)
    if (running === undefined) continue
    process.kill(running.pid, 'SIGTERM')
    while ((await findSandbox(sandboxFolder)) !== undefined) await new Promise(resolve => setTimeout(resolve, 20))
  }
}

export interface Ending {
  /** The exit status, or undefined where a signal ended it. */
  readonly status: number | undefined
  readonly signal: NodeJS.Signals | undefined
  readonly stdout: string
  readonly stderr: string
}

export interface Running {
  readonly child: ChildProcess
  readonly ended: Promise<Ending>
  /** Resolves to all that was said, on stdout or stderr, once these words are in it; fails when it ends before. */
  said(words: RegExp): Promise<string>
}

export interface RunOptions {
  readonly env: Env
  readonly cwd?: string
  /** Given to stdin, which is then closed; closed at once unless given. */
  readonly stdin?: Uint8Array | 'open'
  /** Comes before `node bin/run.js`, as in `setpriv ...`. */
  readonly through?: readonly string[]
}

/** Starts the built command in a process of its own. */
export function startSkylift(argv: readonly string[], {env, cwd, stdin, through = []}: RunOptions): Running {
  const [program = '', ...args] = [...through, process.execPath, BIN, ...argv]
  const child = spawn(program, args, {env, stdio: ['pipe', 'pipe', 'pipe'], ...(cwd === undefined ? {} : {cwd})})
  // It may end before it has read all that it is given.
  child.stdin.on('error', () => {})
  if (stdin !== 'open') child.stdin.end(stdin)
  const said = {stdout: '', stderr: ''}
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (piece: string) => (said[name] += piece))
  }
  const words = lookAtWords(child, env)
  const ended = once(child, 'close').then(([status, signal]) => {
    words.check()
    const how = {status: (status as number | null) ?? undefined, signal: (signal as NodeJS.Signals | null) ?? undefined}
    return withoutSecrets({...how, ...said}, {env, argv, cwd})
  })
  return {
    child,
    ended,
    said: words =>
      new Promise((resolve, reject) => {
        const ask = (): void => {
          const all = said.stdout + said.stderr
          if (words.test(all)) resolve(all)
        }
        child.stdout.on('data', ask)
        child.stderr.on('data', ask)
        child.once('close', () => reject(new Error(`It ended without saying ${words}: ${said.stdout}${said.stderr}`)))
        ask()
      }),
  }
}

export async function runSkylift(argv: readonly string[], options: RunOptions): Promise<Ending> {
  return startSkylift(argv, options).ended
}

/** Runs the command in this process, from the sources: quicker where no process is needed. */
export async function callSkylift(argv: readonly string[], {env}: {readonly env: Env}): Promise<Ending> {
  const pjson = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  pjson.oclif.commands.target = './src/commands/index.ts'
  const before = process.env
  process.env = {...env}
  try {
    const {error, stdout, stderr} = await captureOutput(() => runOclif([...argv], {root: ROOT, pjson}))
    const exit = (error as {oclif?: {exit?: number}} | undefined)?.oclif?.exit
    if (error !== undefined && exit === undefined) throw error
    return withoutSecrets({status: exit ?? 0, signal: undefined, stdout, stderr}, {env, argv})
  } finally {
    process.env = before
  }
}

/** Reads stdout as the one JSON document that it must be. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the reader knows what it reads
export function readJson<T = Record<string, unknown>>({stdout}: Pick<Ending, 'stdout'>): T {
  return JSON.parse(stdout) as T
}

/** Looks at what everybody can see of the process, once it has begun to speak. */
function lookAtWords(child: ChildProcess, env: Env): {check(): void} {
  let leak: unknown
  const look = (): void => {
    try {
      checkCommandLine(child.pid, env)
    } catch (error) {
      leak = error
    }
  }
  child.stdout?.once('data', look)
  child.stderr?.once('data', look)
  return {
    check() {
      if (leak !== undefined) throw leak
    },
  }
}

/** Whatever a test is about, what is secret stays so. */
function withoutSecrets(
  ending: Ending,
  {env, argv, cwd = '.'}: {readonly env: Env; readonly argv: readonly string[]; readonly cwd?: string | undefined},
): Ending {
  checkOutput(ending, env, argv)
  checkStateFolder(env, argv)
  checkWritten(env, argv, cwd)
  return ending
}
