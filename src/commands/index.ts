import type {Command} from '@oclif/core'
import {commands as help} from '@oclif/plugin-help'
import Sandbox from './sandbox.ts'
import Upload from './upload.ts'

/** Every command by its words; explicit, so that nothing is searched for at start. */
export const COMMANDS: Record<string, Command.Class> = {
  ...(help as unknown as Record<string, Command.Class>),
  sandbox: Sandbox,
  upload: Upload,
}
