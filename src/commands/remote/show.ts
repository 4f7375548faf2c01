import {Args} from '@oclif/core'
import {BaseCommand} from '../../cli/base-command.ts'
import {connectionFlags} from '../../cli/flags.ts'
import {findSurroundings} from '../../cli/folders.ts'
import {findPreset} from '../../cli/presets.ts'
import {readRemoteName} from '../../cli/remote-name.ts'
import {settleRemote} from '../../cli/remote-settings.ts'
import {unknownRemote} from '../../cli/remotes.ts'
import type {SavedRemote} from '../../cli/saved-remote.ts'
import {readSavedRemote} from '../../cli/saved-remote.ts'
import {readSavedRemotes} from '../../cli/saved-remotes.ts'
import {formatTable} from '../../cli/table.ts'

const {region, profile, interface: wished, 'os-cloud': cloud, 'segment-container': segments} = connectionFlags
const BUILT_IN: Readonly<Record<string, SavedRemote>> = {s3: {provider: 's3'}, swift: {provider: 'swift'}}

export default class RemoteShow extends BaseCommand {
  static override summary = 'Show what a connection comes to, and where each value comes from; secrets are masked.'
  static override description = `A flag wins over the environment (SKYLIFT_ENDPOINT_URL), that over the remote, that over the default.
What the environment says of AWS and OpenStack (AWS_*, OS_*) fills in what a remote leaves open; it never changes what a remote says.`

  static override args = {
    name: Args.string({description: 'a saved remote, s3 or swift', required: true, ignoreStdin: true}),
  }

  static override examples = ['<%= config.bin %> remote show r2', '<%= config.bin %> remote show s3 --region eu-west-1']

  static override flags = {
    'endpoint-url': connectionFlags['endpoint-url'],
    ...{region, profile, interface: wished, 'os-cloud': cloud, 'segment-container': segments},
  }

  async run(): Promise<unknown> {
    const {args, flags} = await this.parse(RemoteShow)
    const name = readRemoteName(args.name)
    const saved = BUILT_IN[name] ?? (await this.find(name))
    const {'endpoint-url': endpointUrl, ...others} = flags
    // Taken from the variable it is no flag.
    const isFlag = this.argv.some(word => word.startsWith('--endpoint-url'))
    const settings = settleRemote(
      saved,
      {...others, ...(isFlag ? {'endpoint-url': endpointUrl} : {})},
      findSurroundings().env,
      Object.hasOwn(BUILT_IN, name),
    )
    const preset = findPreset(saved.preset)
    if (!this.jsonEnabled()) {
      this.log(
        formatTable(
          ['SETTING', 'VALUE', 'FROM'],
          settings.map(({setting, value, from}) => [setting, value, from]),
        ),
      )
    }
    if (preset !== undefined) this.tellAside([`${preset.title}: ${preset.quirks}`, preset.tried])
    return {ok: true, name, ...(saved.preset === undefined ? {} : {preset: saved.preset}), settings}
  }

  private async find(name: string): Promise<SavedRemote> {
    const entries = await readSavedRemotes(this.config)
    if (!Object.hasOwn(entries, name)) throw unknownRemote(name, Object.keys(entries))
    return readSavedRemote(name, entries[name])
  }
}
