import {Flags} from '@oclif/core'
import {BaseCommand} from '../../cli/base-command.ts'
import {describeRemotes, remoteToJson} from '../../cli/remote-words.ts'
import {listRemotes, remotesFile} from '../../cli/saved-remotes.ts'

export default class RemoteList extends BaseCommand {
  static override summary = 'List the connections that you saved; no secret is shown.'
  static override examples = ['<%= config.bin %> remote list', '<%= config.bin %> remote list --json']

  static override flags = {names: Flags.boolean({description: 'the names alone, a line each, for scripts'})}

  async run(): Promise<unknown> {
    const {flags} = await this.parse(RemoteList)
    const remotes = await listRemotes(this.config)
    if (flags.names && !this.jsonEnabled()) {
      for (const {name} of remotes) this.log(name)
      return undefined
    }
    if (remotes.length === 0) this.tellAside(['You have saved no remote. Save one with: skylift remote add NAME'])
    else if (!this.jsonEnabled()) this.log(describeRemotes(remotes))
    this.tellAside(['Built in are s3://, swift:// and sandbox://.'])
    return {ok: true, remotes: remotes.map(remoteToJson), file: remotesFile(this.config)}
  }
}
