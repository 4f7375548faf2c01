import {Args, Flags} from '@oclif/core'
import {confirmByName} from '../../cli/ask.ts'
import {containerArgument} from '../../cli/container-argument.ts'
import {describeEmptied, emptyContainer} from '../../cli/empty-container.ts'
import {StoreCommand} from '../../cli/store-command.ts'
import {printable} from '../../core/printable.ts'
import {formatTarget} from '../../core/target.ts'

export default class ContainerDelete extends StoreCommand {
  static override summary = 'Delete a container that is empty, or with -r all that is in it too.'
  static override description = `With -r every object and every unfinished upload is deleted first; the name must be typed, or -y given. Old versions of objects are not touched: a container that holds some stays.`
  static override aliases = ['bucket:delete']
  static override args = {
    target: Args.string({description: 'the container', required: true, ignoreStdin: true}),
  }

  static override examples = [
    '<%= config.bin %> container delete s3://inbox',
    '<%= config.bin %> container delete s3://inbox -r',
  ]
  static override flags = {
    recursive: Flags.boolean({char: 'r', description: 'delete all objects and unfinished uploads in it first'}),
    yes: Flags.boolean({char: 'y', description: 'do not ask'}),
  }

  async run(): Promise<unknown> {
    const {args, flags} = await this.parse(ContainerDelete)
    const target = containerArgument(args.target)
    if (flags.recursive && !flags.yes) {
      const what = `Every object of ${formatTarget(target)} will be deleted, and the container; nothing brings them back.`
      await confirmByName(what, target.container)
    }
    return this.useStore(target, flags, async ({store, call}) => {
      const tell = (emptied: Parameters<typeof describeEmptied>[0]): void => this.tellAside([describeEmptied(emptied)])
      const emptied = flags.recursive ? await emptyContainer(store, target, call, tell) : {objects: 0, pending: 0}
      await store.deleteContainer(target, call)
      const before = flags.recursive ? ` ${describeEmptied(emptied)}` : ''
      if (!this.jsonEnabled()) this.log(`${printable(formatTarget(target))} was deleted.${before}`)
      return {ok: true, container: target.container, deleted: emptied}
    })
  }
}
