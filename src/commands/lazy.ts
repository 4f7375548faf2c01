import type {Command} from '@oclif/core'
import {ALIASES, LOADERS} from './loaders.ts'

/** Stands for a command until it is run, which is all that it can; oclif sets `id` and `plugin`. */
interface Stub {
  id?: string
  plugin?: Command.Class['plugin']
  readonly strict: false
  run(argv: string[], config: Parameters<Command.Class['run']>[1]): Promise<unknown>
}

/** Every command by its words, aliases too, none of them loaded: what is needed to run one. */
export const COMMANDS: Readonly<Record<string, Stub>> = Object.fromEntries(
  [...Object.keys(LOADERS).map(id => [id, id] as const), ...Object.entries(ALIASES)].map(([name, id]) => [name, createStub(id)]),
)

function createStub(id: string): Stub {
  return {
    // Otherwise the words after the command would be taken for more of its name.
    strict: false,
    async run(argv, config) {
      const command = await LOADERS[id]?.()
      if (command === undefined) throw new Error(`There is no command ${id}.`)
      command.id = this.id ?? id
      command.plugin = this.plugin
      return command.run(argv, config)
    },
  }
}
