import {spawn, spawnSync} from 'node:child_process'
import {once} from 'node:events'
import {quoteCommand} from '../../src/cli/shell-words.ts'
import {BIN} from './run-skylift.ts'
import type {Env} from './run-skylift.ts'
import {skipUnless} from './skip.ts'

/** Skips where there is no `script`, which lends a terminal. */
export function needTerminal(context: Mocha.Context): void {
  const has = process.platform === 'linux' && spawnSync('script', ['--version']).status === 0
  skipUnless(context, has, 'no terminal to ask on: apt-get install bsdutils')
}

export interface Dialogue {
  readonly status: number | null
  /** All that was shown, with what was typed. */
  readonly screen: string
}

/** Runs the built command on a terminal of its own, and types `answer` when it has asked. */
export async function answerSkylift(
  argv: readonly string[],
  {env, question, answer}: {env: Env; question: RegExp; answer: string},
): Promise<Dialogue> {
  return talkToSkylift(argv, {env, talk: [[question, answer]]})
}

/** The same with several questions: each answer is typed once its question stands behind the answer before. */
export async function talkToSkylift(
  argv: readonly string[],
  {env, talk}: {env: Env; talk: readonly (readonly [question: RegExp, answer: string])[]},
): Promise<Dialogue> {
  const command = quoteCommand([process.execPath, BIN, ...argv])
  const child = spawn('script', ['-qec', command, '/dev/null'], {env: {...env, TERM: 'dumb'}})
  const left = [...talk]
  let screen = ''
  let seen = 0
  child.stdout.on('data', (piece: Buffer) => {
    screen += piece.toString()
    const [next] = left
    if (next === undefined || !next[0].test(screen.slice(seen))) return
    left.shift()
    seen = screen.length
    child.stdin.write(next[1])
  })
  const [status] = (await once(child, 'close')) as [number | null]
  return {status, screen}
}
