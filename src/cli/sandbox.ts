import {spawn} from 'node:child_process'
import {existsSync} from 'node:fs'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import type {Config} from '@oclif/core'
import {Failure} from '../core/failure.ts'
import {findSandbox, findSandboxHolder} from '../sandbox/find-sandbox.ts'
import type {RunningSandbox} from '../sandbox/find-sandbox.ts'
import {portAnswers} from './port-answers.ts'

/** So long without a request ends a sandbox that was started for an upload. */
export const SANDBOX_IDLE = 10 * 60_000
const START_WAIT = 15_000

export function sandboxFolder(config: Config): string {
  return process.env['SKYLIFT_SANDBOX_DIR'] || join(config.dataDir, 'sandbox')
}

/** Finds the sandbox of this person, or starts one in a process of its own. Fails `busy`. */
export async function reachSandbox(config: Config): Promise<RunningSandbox> {
  const folder = sandboxFolder(config)
  const running = await findSandbox(folder)
  if (running !== undefined && (await portAnswers(running.port))) return running
  const end = performance.now() + START_WAIT
  const started = {hasEnded: false}
  startProcess(config, () => (started.hasEnded = true))
  while (performance.now() < end) {
    const found = await findSandbox(folder)
    if (found !== undefined && (await portAnswers(found.port))) return found
    // One that ends at once may have found another just starting, which has the folder for its own before all else.
    if (started.hasEnded && (await findSandboxHolder(folder)) === undefined) break
    await sleep(25)
  }
  throw new Failure('busy', 'The sandbox did not start.', {
    suggestion: 'Run "skylift sandbox" to see why.',
  })
}

function startProcess(config: Config, onExit: () => void): void {
  const script = join(config.root, 'bin', 'run.js')
  if (!existsSync(script)) throw new Failure('unexpected', `${script} is missing, so no sandbox can be started.`)
  const child = spawn(process.execPath, [script, 'sandbox', '--idle', `${SANDBOX_IDLE}ms`], {
    detached: true,
    stdio: 'ignore',
    env: {...withoutCredentials(process.env), SKYLIFT_DEBUG: ''},
  })
  child.once('exit', onExit)
  child.unref()
}

/** It outlives the command, and has no use for the person's secrets. */
function withoutCredentials(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => !/^(?:AWS_|OS_|ST_|RACKSPACE_|SKYLIFT_TICKET$)/u.test(name)),
  )
}
