import {Args} from '@oclif/core'
import {remoteArgument} from '../../cli/container-argument.ts'
import {containerToJson, describeContainers} from '../../cli/container-words.ts'
import {StoreCommand} from '../../cli/store-command.ts'
import type {ContainerInfo} from '../../cli/container-words.ts'

export default class ContainerList extends StoreCommand {
  static override summary = 'List the containers that the credentials own.'
  static override aliases = ['bucket:list']
  static override args = {
    target: Args.string({description: 'the remote: s3://, swift:// or sandbox://', required: true, ignoreStdin: true}),
  }

  static override examples = ['<%= config.bin %> container list s3://', '<%= config.bin %> container list s3:// --json']

  async run(): Promise<unknown> {
    const {args, flags} = await this.parse(ContainerList)
    const target = remoteArgument(args.target)
    return this.useStore(target, flags, async ({store, call}) => {
      const containers: ContainerInfo[] = []
      for await (const each of store.listContainers(call)) containers.push(each)
      if (containers.length === 0) this.tellAside(['There are no containers.'])
      else if (!this.jsonEnabled()) this.log(describeContainers(containers))
      return {ok: true, containers: containers.map(containerToJson)}
    })
  }
}
