import {spawn, spawnSync} from 'node:child_process'
import type {ChildProcess} from 'node:child_process'
import {once} from 'node:events'
import {writeFile} from 'node:fs/promises'
import {createInterface} from 'node:readline'
import {fileURLToPath} from 'node:url'

export const LOCK_SCRIPT = fileURLToPath(new URL('hold-lock.ts', import.meta.url))

export interface LockProcess {
  readonly child: ChildProcess
  /** Its own number, where it has the lock. */
  readonly pid?: number
  /** Why it was refused. */
  readonly refused?: string
  /** Lets it release the lock and end. */
  end(): Promise<void>
  kill(): Promise<void>
}

/** Starts a process that tries to take a lock, and waits until it has, or has not. */
export async function startLockProcess(
  path: string,
  {through = [], env = {}}: {readonly through?: readonly string[]; readonly env?: Record<string, string>} = {},
): Promise<LockProcess> {
  const [program, ...args] = [...through, process.execPath, '--import', 'tsx', LOCK_SCRIPT, path]
  const child = spawn(program, args, {env: {...process.env, ...env}, stdio: ['pipe', 'pipe', 'inherit']})
  const closed = once(child, 'close')
  const [line] = (await Promise.race([
    once(createInterface({input: child.stdout}), 'line'),
    closed.then(([status]) => {
      throw new Error(`The process ended with ${String(status)} and said nothing.`)
    }),
  ])) as [string]
  return {
    child,
    ...(JSON.parse(line) as {pid?: number; refused?: string}),
    async end() {
      child.stdin.end()
      await closed
    },
    async kill() {
      child.kill('SIGKILL')
      await closed
    },
  }
}

export function canRun(program: string, ...args: readonly string[]): boolean {
  return spawnSync(program, args, {stdio: 'ignore'}).status === 0
}

/** Compiles a library that, preloaded, is a file system without hard links. */
export async function buildLinklessLibrary(folder: string): Promise<string> {
  const [source, library] = [`${folder}/linkless.c`, `${folder}/linkless.so`]
  await writeFile(
    source,
    `#include <errno.h>
int link(const char *from, const char *to) { errno = EPERM; return -1; }
`,
  )
  const {status} = spawnSync('gcc', ['-shared', '-fPIC', '-o', library, source], {stdio: 'inherit'})
  if (status !== 0) throw new Error('gcc failed.')
  return library
}
