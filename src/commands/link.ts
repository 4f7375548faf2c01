import {Args, Flags} from '@oclif/core'
import {checkMade, findPublicUrl} from '../cli/check-made.ts'
import {expiryFlags} from '../cli/expiry.ts'
import {checkPublic, makeLink} from '../cli/make-link.ts'
import {StoreCommand} from '../cli/store-command.ts'
import type {OpenStore} from '../cli/store-command.ts'
import {targetArgument} from '../cli/target-argument.ts'
import {checkToJson, describeCheck, describeTempUrl, tempUrlToJson} from '../cli/temp-url-words.ts'
import type {Target} from '../core/target.ts'
import {formatTarget} from '../core/target.ts'

export default class Link extends StoreCommand {
  static override summary = 'Make a link that downloads an object, under a file name of your choice.'
  static override description = `Whoever holds the link can download the object until it ends; it cannot be taken back before, but by replacing the keys that signed it.
Any name that a file can have is saved as it stands, in every browser; what browsers themselves change (a slash, for one) is told.
The link alone goes to stdout. Nothing is asked of the network, so the object need not be there yet; --check looks.`

  static override args = {
    target: Args.string({description: 'the object', required: true, ignoreStdin: true}),
  }

  static override examples = [
    "<%= config.bin %> link s3://artifacts/nightly/build.tar -f 'résumé, v2.tar' --expires 7d",
    '<%= config.bin %> link s3://artifacts/3f2a.pdf --filename report --keep-extension --check',
  ]

  static override flags = {
    filename: Flags.string({
      char: 'f',
      description: "the name to save it under; the object's own unless given",
      helpValue: 'NAME',
    }),
    'keep-extension': Flags.boolean({description: "put the object's extension behind a name that lacks it"}),
    inline: Flags.boolean({description: 'show it in the browser, where that can, instead of saving it'}),
    'content-type': Flags.string({description: 'the type that the answer shall have', helpValue: 'TYPE'}),
    ...expiryFlags,
    check: Flags.boolean({description: 'fetch one byte through the link, and show what a browser will see'}),
    public: Flags.boolean({
      description: 'the plain address without a signature, if everybody can read the object (that is checked)',
    }),
  }

  async run(): Promise<unknown> {
    const {args, flags} = await this.parse(Link)
    const target = targetArgument(args.target, 'object')
    if (flags.public) checkPublic(flags)
    return this.useStore(target, flags, async open => {
      if (flags.public) return this.tellPublic(target, open)
      const {store, call, wire} = open
      const made = await makeLink(store, target, flags, call)
      const check = await checkMade(flags.check, wire, made, call)
      this.tellAside(describeTempUrl(made, target))
      if (check !== undefined) this.tellAside(describeCheck(check))
      if (!this.jsonEnabled()) this.log(made.url)
      return {ok: true, ...tempUrlToJson(made, target, check)}
    })
  }

  private async tellPublic(target: Target, {store, call, wire}: OpenStore): Promise<unknown> {
    const {url, check} = await findPublicUrl(store, target, wire, call)
    this.tellAside(describeCheck(check))
    if (!this.jsonEnabled()) this.log(url)
    return {ok: true, target: formatTarget(target), url, check: checkToJson(check)}
  }
}
