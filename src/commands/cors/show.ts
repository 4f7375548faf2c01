import {Args} from '@oclif/core'
import {containerArgument} from '../../cli/container-argument.ts'
import {corsToJson, describeCors} from '../../cli/cors-words.ts'
import {StoreCommand} from '../../cli/store-command.ts'

export default class CorsShow extends StoreCommand {
  static override summary = 'Show which web pages may use a container.'
  static override args = {
    target: Args.string({description: 'the container', required: true, ignoreStdin: true}),
  }

  static override examples = ['<%= config.bin %> cors show s3://inbox', '<%= config.bin %> cors show s3://inbox --json']

  async run(): Promise<unknown> {
    const {args, flags} = await this.parse(CorsShow)
    const target = containerArgument(args.target)
    return this.useStore(target, flags, async ({store, call}) => {
      const rules = await store.getCors(target, call)
      if (rules.length === 0) this.tellAside([`"${target.container}" has no CORS rules: no web page may use it.`])
      else if (!this.jsonEnabled()) this.log(describeCors(rules))
      return {ok: true, container: target.container, rules: rules.map(corsToJson)}
    })
  }
}
