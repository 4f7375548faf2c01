import type {Command} from '@oclif/core'
import * as program from '../cli/run.ts'
import {ALIASES, LOADERS} from './loaders.ts'

/** Every command as it is typed. */
const NAMES = [...Object.keys(LOADERS), ...Object.keys(ALIASES)].map(id => id.replaceAll(':', ' '))

/** One command that is to be run, and the words behind its name. */
export interface Found {
  readonly id: string
  readonly words: readonly string[]
  load(): Promise<Command.Class>
}

/** Finds the command that a command line names, without loading any; undefined for an unknown one and for a topic. */
export function findCommand(argv: readonly string[]): Found | undefined {
  const [first = '', second = ''] = argv
  const ids = [first, `${first}:${second}`]
  for (const [index, name] of ids.entries()) {
    const id = ALIASES[name] ?? name
    const load = Object.hasOwn(LOADERS, id) ? LOADERS[id] : undefined
    if (load !== undefined) return {id, words: argv.slice(index + 1), load}
  }
  return undefined
}

/** True for a command line for which oclif looks at all commands: it loads them by itself, from their files. */
export function needsAll(): boolean {
  return program.needsAll(findCommand)
}

/** Runs the command line of this process, and ends it; `bin` is the URL of what was started. */
export async function run(bin: string): Promise<never> {
  return program.main(bin, findCommand, NAMES)
}
