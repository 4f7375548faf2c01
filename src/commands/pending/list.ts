import {listPending} from '../../cli/pending.ts'
import {PendingCommand} from '../../cli/pending-command.ts'

export default class PendingList extends PendingCommand {
  static override summary = 'List unfinished uploads: age, bytes held, who works on them, how to go on.'
  static override args = {target: PendingCommand.targetArg}
  static override examples = ['<%= config.bin %> pending list', '<%= config.bin %> pending list s3://artifacts --json']

  async run(): Promise<unknown> {
    const {args, flags} = await this.parse(PendingList)
    const {journals, place, call} = await this.openPlace(args.target, flags)
    return this.tellAll(await listPending(journals, place, call), 'No upload is unfinished.')
  }
}
