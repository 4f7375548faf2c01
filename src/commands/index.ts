import type {Command} from '@oclif/core'
import {commands as help} from '@oclif/plugin-help'
import PendingAbort from './pending/abort.ts'
import PendingList from './pending/list.ts'
import PendingPrune from './pending/prune.ts'
import Sandbox from './sandbox.ts'
import Upload from './upload.ts'
import Verify from './verify.ts'

/** Every command by its words; explicit, so that nothing is searched for at start. */
export const COMMANDS: Record<string, Command.Class> = {
  ...(help as unknown as Record<string, Command.Class>),
  'pending:abort': PendingAbort,
  'pending:list': PendingList,
  'pending:prune': PendingPrune,
  sandbox: Sandbox,
  upload: Upload,
  verify: Verify,
}
