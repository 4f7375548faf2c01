import {Args} from '@oclif/core'
import {containerArgument} from '../../cli/container-argument.ts'
import {corsFlags, originNotes, readCorsRule} from '../../cli/cors-rule.ts'
import {corsToJson, describeCors} from '../../cli/cors-words.ts'
import {StoreCommand} from '../../cli/store-command.ts'

export default class CorsSet extends StoreCommand {
  static override summary = 'Let web pages of some origins use a container; your own other rules stay.'
  static override description = `CORS tells browsers which pages may use the container; it opens nothing to anybody without a signature.
This replaces the rule that Skylift made before and keeps all others. The rule made now stands first, since the first that fits decides.
Swift has one rule for a container, so there it replaces whatever was set; what Swift does not heed is told.
The origin "null" is what a browser sends for a page opened from a file (file://), such as an upload page that came by mail.`

  static override args = {
    target: Args.string({description: 'the container', required: true, ignoreStdin: true}),
  }

  static override examples = [
    '<%= config.bin %> cors set s3://inbox --preset browser-upload --origin https://example.com --origin null',
    '<%= config.bin %> cors set s3://photos --origin https://example.com --method GET --max-age 1d',
  ]

  static override flags = corsFlags

  async run(): Promise<unknown> {
    const {args, flags} = await this.parse(CorsSet)
    const target = containerArgument(args.target)
    const rule = readCorsRule(flags)
    return this.useStore(target, flags, async ({store, call}) => {
      const notes = [...originNotes(rule.origins), ...(await store.setCors(target, [rule], call))]
      const rules = await store.getCors(target, call)
      this.tellAside(notes)
      if (!this.jsonEnabled()) this.log(describeCors(rules))
      return {ok: true, container: target.container, rules: rules.map(corsToJson), notes}
    })
  }
}
