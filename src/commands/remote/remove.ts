import {Args, Flags} from '@oclif/core'
import {confirm} from '../../cli/ask.ts'
import {BaseCommand} from '../../cli/base-command.ts'
import {readRemoteName} from '../../cli/remote-name.ts'
import {unknownRemote} from '../../cli/remotes.ts'
import {changeSavedRemotes, readSavedRemotes} from '../../cli/saved-remotes.ts'

export default class RemoteRemove extends BaseCommand {
  static override summary = 'Forget a saved connection, its secret too; asks first.'
  static override args = {
    name: Args.string({description: 'the remote', required: true, ignoreStdin: true}),
  }

  static override examples = ['<%= config.bin %> remote remove r2', '<%= config.bin %> remote remove r2 -y']
  static override flags = {yes: Flags.boolean({char: 'y', description: 'do not ask'})}

  async run(): Promise<unknown> {
    const {args, flags} = await this.parse(RemoteRemove)
    const name = readRemoteName(args.name)
    const check = (entries: object): void => {
      if (!Object.hasOwn(entries, name)) throw unknownRemote(name, Object.keys(entries))
    }
    check(await readSavedRemotes(this.config))
    if (!flags.yes) await confirm(`Forget the remote "${name}", and its secret where it has one in the file?`)
    await changeSavedRemotes(this.config, entries => {
      check(entries)
      const {[name]: _, ...others} = entries
      return others
    })
    if (!this.jsonEnabled()) this.log(`Forgot the remote "${name}"; nothing in its store was touched.`)
    return {ok: true, removed: name}
  }
}
