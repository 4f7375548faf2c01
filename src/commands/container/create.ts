import {Args} from '@oclif/core'
import {confirm} from '../../cli/ask.ts'
import {containerFlags, opensToPublic, readContainerOptions} from '../../cli/container-options.ts'
import {containerArgument} from '../../cli/container-argument.ts'
import {originNotes} from '../../cli/cors-rule.ts'
import {StoreCommand} from '../../cli/store-command.ts'
import {printable} from '../../core/printable.ts'
import {formatTarget} from '../../core/target.ts'

export default class ContainerCreate extends StoreCommand {
  static override summary = 'Create a container; one that is yours already gets the settings that are given.'
  static override description = `A container of yours is no failure: what is asked for is applied to it, and its other lifecycle and CORS rules stay. One that belongs to somebody else ends with status 6.
Without --public-read nobody reads an object who has neither credentials nor a link.`

  static override aliases = ['bucket:create']
  static override args = {
    target: Args.string({description: 'the new container: REMOTE://NAME', required: true, ignoreStdin: true}),
  }

  static override examples = [
    '<%= config.bin %> container create s3://inbox --region eu-central-1 --abort-incomplete 7d',
    '<%= config.bin %> container create s3://inbox --cors-origin https://example.com --delete-after 30d',
    '<%= config.bin %> container create swift://inbox --policy gold --quota-bytes 50G --metadata team=scans',
  ]

  static override flags = containerFlags

  async run(): Promise<unknown> {
    const {args, flags} = await this.parse(ContainerCreate)
    const target = containerArgument(args.target)
    const options = readContainerOptions(flags)
    if (opensToPublic(flags) && !flags.yes) {
      await confirm(`Everybody on the internet will be able to read every object of "${target.container}". Go on?`)
    }
    return this.useStore(target, flags, async ({store, call}) => {
      const {created, notes: found} = await store.createContainer(target, options, call)
      const notes = [...originNotes(options.corsOrigins ?? []), ...found]
      this.tellAside(notes)
      if (!this.jsonEnabled())
        this.log(`${printable(formatTarget(target))} ${created ? 'was created.' : 'was yours already.'}`)
      return {ok: true, container: target.container, created, notes}
    })
  }
}
