import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {createInterface} from 'node:readline'
import {fileURLToPath} from 'node:url'
import {makeTempFolder} from '../support/temp-folder.ts'
import type {S3Keys} from '../support/arena.ts'

const SCRIPT = fileURLToPath(new URL('../sandbox/run-sandbox.ts', import.meta.url))

export interface SandboxProcess {
  readonly endpoint: string
  readonly keys: S3Keys
  end(): Promise<void>
}

/** Starts a sandbox in a process of its own, so that its work is not counted as ours. */
export async function startSandboxProcess(): Promise<SandboxProcess> {
  const child = spawn(process.execPath, ['--import', 'tsx', SCRIPT, await makeTempFolder()], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = (await once(createInterface({input: child.stdout}), 'line')) as [string]
  const {endpoint, ...keys} = JSON.parse(line) as S3Keys & {endpoint: string}
  return {
    endpoint,
    keys,
    async end() {
      child.kill()
      await once(child, 'close')
    },
  }
}
