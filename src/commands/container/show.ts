import {Args} from '@oclif/core'
import {containerArgument} from '../../cli/container-argument.ts'
import {describeDetails, detailsToJson} from '../../cli/container-words.ts'
import {StoreCommand} from '../../cli/store-command.ts'

export default class ContainerShow extends StoreCommand {
  static override summary = 'Show what an uploader cares for: region, limits, checksums, versions, CORS, lifecycle.'
  static override aliases = ['bucket:show']
  static override args = {
    target: Args.string({description: 'the container', required: true, ignoreStdin: true}),
  }

  static override examples = ['<%= config.bin %> container show s3://inbox']

  async run(): Promise<unknown> {
    const {args, flags} = await this.parse(ContainerShow)
    const target = containerArgument(args.target)
    return this.useStore(target, flags, async ({store, call}) => {
      const details = await store.showContainer(target, call)
      if (!this.jsonEnabled()) this.log(describeDetails(details))
      return {ok: true, container: detailsToJson(details)}
    })
  }
}
