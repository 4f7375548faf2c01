import {Args, Flags} from '@oclif/core'
import {confirm} from '../../cli/ask.ts'
import {listPending} from '../../cli/pending.ts'
import {PendingCommand} from '../../cli/pending-command.ts'
import {Failure} from '../../core/failure.ts'

export default class PendingAbort extends PendingCommand {
  static override summary = 'Drop the unfinished uploads of one object; its parts are deleted from the store.'
  static override args = {
    target: Args.string({description: 'the object', required: true, ignoreStdin: true}),
  }

  static override examples = ['<%= config.bin %> pending abort s3://artifacts/nightly/build.tar']
  static override flags = {
    yes: Flags.boolean({char: 'y', description: 'also what was not begun on this machine, without asking'}),
  }

  async run(): Promise<unknown> {
    const {args, flags} = await this.parse(PendingAbort)
    const opened = await this.openPlace(args.target, flags)
    const {journals, place, call} = opened
    const key = place?.target.key ?? ''
    const all = (await listPending(journals, place, call)).filter(each => each.target.key === key)
    if (all.length === 0) throw new Failure('not-found', `There is no unfinished upload of ${args.target}.`)
    const foreign = all.filter(each => each.journal === undefined)
    if (foreign.length > 0 && !flags.yes) {
      await confirm(`${foreign.length} of them were not begun here; somebody may still be sending. Drop them all?`)
    }
    await this.abortAll(all, opened, flags)
    return this.tellAborted(all.length)
  }

  private tellAborted(count: number): unknown {
    if (!this.jsonEnabled())
      this.log(`Dropped ${count === 1 ? 'one unfinished upload' : `${count} unfinished uploads`}.`)
    return {ok: true, aborted: count}
  }
}
