import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {mkdir, readFile, writeFile} from 'node:fs/promises'
import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import {parse} from 'yaml'
import {ROOT} from '../docs/pages.ts'
import type {Env} from '../support/run-skylift.ts'

export interface ActionStep {
  readonly id: string
  readonly shell: string
  readonly run: string
  readonly env?: Env
}

export interface Action {
  readonly inputs: Readonly<Record<string, {readonly default?: string; readonly required?: boolean}>>
  readonly outputs: Readonly<Record<string, {readonly value: string}>>
  readonly runs: {readonly using: string; readonly steps: readonly ActionStep[]}
}

export interface ActionEnding {
  /** Of the step that failed; 0 when none did. */
  readonly status: number
  readonly log: string
  readonly outputs: Env
  readonly summary: string
}

export function readAction(): Action {
  return parse(readFileSync(join(ROOT, 'action.yml'), 'utf8')) as Action
}

export interface RunActionOptions {
  /** Of the runner and the job: credentials, proxies, PATH. */
  readonly env: Env
  /** The workspace of the job. */
  readonly cwd: string
  /** Where the runner keeps what is of this job alone. */
  readonly temp: string
  /** The checkout of the action; this repository unless given. */
  readonly actionPath?: string
}

/** Runs the steps of action.yml as a runner of GitHub does. */
export async function runAction(inputs: Env, options: RunActionOptions): Promise<ActionEnding> {
  const {env, cwd, temp, actionPath = ROOT} = options
  const action = readAction()
  await mkdir(temp, {recursive: true})
  const summaryFile = join(temp, 'summary.md')
  const outputs: Record<string, Env> = {}
  const values = (expression: string): string => {
    const [context = '', name = '', , output = ''] = expression.split('.')
    if (context === 'inputs') {
      if (!Object.hasOwn(action.inputs, name)) throw new Error(`There is no input ${name}.`)
      return inputs[name] ?? action.inputs[name]?.default ?? ''
    }
    if (context === 'steps') return outputs[name]?.[output] ?? ''
    throw new Error(`Nobody knows what ${expression} is.`)
  }
  const fill = (text: string): string =>
    text.replaceAll(/\$\{\{\s*([\w.-]+)\s*\}\}/gu, (_, expression: string) => values(expression))

  let [status, log] = [0, '']
  for (const step of action.runs.steps) {
    const [script, output] = [join(temp, `${step.id}.sh`), join(temp, `${step.id}.out`)]
    await writeFile(script, step.run)
    await writeFile(output, '')
    const child = spawn('bash', ['--noprofile', '--norc', '-eo', 'pipefail', script], {
      cwd,
      env: {
        ...env,
        CI: 'true',
        GITHUB_ACTIONS: 'true',
        GITHUB_ACTION_PATH: actionPath,
        GITHUB_OUTPUT: output,
        GITHUB_STEP_SUMMARY: summaryFile,
        RUNNER_TEMP: temp,
        ...Object.fromEntries(Object.entries(step.env ?? {}).map(([name, value]) => [name, fill(value)])),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', piece => (log += piece))
    status = ((await once(child, 'close')) as [number | null])[0] ?? -1
    outputs[step.id] = readOutput(await readFile(output, 'utf8'))
    if (status !== 0) break
  }
  return {
    status,
    log,
    outputs: Object.fromEntries(Object.entries(action.outputs).map(([name, {value}]) => [name, fill(value)])),
    summary: await readFile(summaryFile, 'utf8').catch(() => ''),
  }
}

// https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions#multiline-strings
function readOutput(text: string): Env {
  const found: Record<string, string> = {}
  const lines = text.split('\n')
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? ''
    const [, name, end] = /^([\w-]+)<<(.+)$/u.exec(line) ?? []
    const [, single, value] = /^([\w-]+)=(.*)$/u.exec(line) ?? []
    if (name !== undefined && end !== undefined) {
      const last = lines.indexOf(end, at)
      if (last === -1) throw new Error(`The output ${name} has no end.`)
      found[name] = lines.slice(at + 1, last).join('\n')
      at = last
    } else if (single !== undefined && value !== undefined) found[single] = value
    else if (line !== '') throw new Error(`A runner does not understand this output: ${line}`)
  }
  return found
}
