import {execFile} from 'node:child_process'
import {readFile} from 'node:fs/promises'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {promisify} from 'node:util'
import {compile, OUT} from './sink.ts'

const run = promisify(execFile)

export interface Command {
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

/** What one run took: its whole process tree, in seconds and bytes. */
export interface Usage {
  readonly cpu: number
  readonly wall: number
  readonly rss: number
}

export async function buildMeasure(): Promise<string> {
  return compile('measure', fileURLToPath(new URL('measure', import.meta.url)))
}

/** Runs the command to its end. Throws with what it printed when it fails. */
export async function measureCommand(program: string, {argv, env}: Command): Promise<Usage> {
  const output = join(OUT, 'usage.json')
  try {
    await run(program, [output, ...argv], {env, maxBuffer: 64 * 1024 * 1024, timeout: 30 * 60_000})
  } catch (error) {
    const {code, stderr, stdout} = error as {code?: number; stderr?: string; stdout?: string}
    throw new Error(`ended with ${code}: ${`${stderr}\n${stdout}`.trim().slice(0, 500)}`, {cause: error})
  }
  const used = JSON.parse(await readFile(output, 'utf8')) as {wall: number; user: number; system: number; rss: number}
  return {cpu: used.user + used.system, wall: used.wall, rss: used.rss}
}
