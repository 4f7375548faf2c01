import {Flags} from '@oclif/core'
import {durationFlag} from '../../cli/flags.ts'
import {listPending, pendingToJson} from '../../cli/pending.ts'
import {PendingCommand} from '../../cli/pending-command.ts'

const WEEK = 7 * 24 * 3600 * 1000

export default class PendingPrune extends PendingCommand {
  static override summary = 'Drop unfinished uploads that are old; shows them only, unless -y.'
  static override args = {target: PendingCommand.targetArg}
  static override examples = [
    '<%= config.bin %> pending prune s3://artifacts --older-than 7d',
    '<%= config.bin %> pending prune s3://artifacts --older-than 7d -y',
  ]

  static override flags = {
    'older-than': durationFlag({description: 'age from which they are dropped; 7d unless given', default: WEEK}),
    yes: Flags.boolean({char: 'y', description: 'drop them'}),
  }

  async run(): Promise<unknown> {
    const {args, flags} = await this.parse(PendingPrune)
    const opened = await this.openPlace(args.target, flags)
    const {journals, place, call} = opened
    const oldest = Date.now() - flags['older-than']
    // What somebody works on, or whose age nobody knows, is left alone.
    const old = (await listPending(journals, place, call)).filter(
      each => each.journal?.holder === undefined && each.started !== undefined && each.started.getTime() < oldest,
    )
    if (!flags.yes) {
      this.tellAll(old, 'Nothing is that old.')
      if (old.length > 0) this.tellAside(['Nothing was dropped: say -y to drop them.'])
      return {ok: true, dryRun: true, pending: old.map(pendingToJson)}
    }
    await this.abortAll(old, opened, flags)
    if (!this.jsonEnabled()) this.log(`Dropped ${old.length}.`)
    return {ok: true, dryRun: false, pending: old.map(pendingToJson)}
  }
}
