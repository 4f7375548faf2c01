import {Flags} from '@oclif/core'
import {StoreCommand} from '../../cli/store-command.ts'
import {describeKeys, keysToJson, keyTarget, keyTargetArg, nameOwner, requireKeys} from '../../cli/temp-url-keys.ts'
import {formatTarget} from '../../core/target.ts'

export default class TempUrlKeyShow extends StoreCommand {
  static override summary = 'Show which keys there are to sign temp URLs with; the keys themselves only if asked.'
  static override description = `Whoever has a key can sign URLs for everything that it opens, until it is replaced.`
  static override args = {target: keyTargetArg}
  static override examples = [
    '<%= config.bin %> temp-url-key show swift://',
    '<%= config.bin %> temp-url-key show swift://inbox --reveal --json',
  ]

  static override flags = {reveal: Flags.boolean({description: 'print the keys'})}

  async run(): Promise<unknown> {
    const {args, flags} = await this.parse(TempUrlKeyShow)
    const target = keyTarget(args.target)
    return this.useStore(target, flags, async ({store, call}) => {
      const keys = await requireKeys(store, target).getTempUrlKeys(target, call)
      const isEmpty = keys.key === undefined && keys.key2 === undefined
      if (!this.jsonEnabled()) this.log(describeKeys(keys, flags.reveal))
      if (isEmpty) {
        this.tellAside([
          `These credentials see no key of ${nameOwner(target)}; make one with: skylift temp-url-key set ${formatTarget(target)}`,
        ])
      }
      return {ok: true, target: formatTarget(target), keys: keysToJson(keys, flags.reveal)}
    })
  }
}
