import {Flags} from '@oclif/core'
import {confirm} from '../../cli/ask.ts'
import {StoreCommand} from '../../cli/store-command.ts'
import {keyFlags, keyNotes, keyTarget, keyTargetArg, nameOwner, readKey, requireKeys} from '../../cli/temp-url-keys.ts'
import type {Slot} from '../../cli/temp-url-keys.ts'
import {formatTarget} from '../../core/target.ts'
import type {Target} from '../../core/target.ts'

export default class TempUrlKeySet extends StoreCommand {
  static override summary =
    'Give an account or a container of Swift a key to sign temp URLs with; a random one unless given.'
  static override description = `The key is never shown: temp-url and link read it from the account when they sign.
Replacing a key ends every URL that it signed, at once; it asks first. To keep them, take temp-url-key rotate.
A key of the account opens every container of it, and large objects too; a container's key opens that container alone, and not what has its segments in another one.`

  static override args = {target: keyTargetArg}
  static override examples = [
    '<%= config.bin %> temp-url-key set swift://',
    '<%= config.bin %> temp-url-key set swift://inbox --slot key2 --key-env INBOX_KEY -y',
  ]

  static override flags = {
    slot: Flags.string({
      description: 'which of the two keys; URLs are signed with the first one that there is',
      options: ['key', 'key2'],
      default: 'key',
    }),
    ...keyFlags,
    yes: Flags.boolean({char: 'y', description: 'do not ask'}),
  }

  async run(): Promise<unknown> {
    const {args, flags} = await this.parse(TempUrlKeySet)
    const target = keyTarget(args.target)
    const slot = flags.slot as Slot
    return this.useStore(target, flags, async ({store, call}) => {
      const keys = requireKeys(store, target)
      const key = await readKey(flags)
      const {[slot]: present} = await keys.getTempUrlKeys(target, call)
      const isReplaced = present !== undefined && present !== key
      if (isReplaced && !flags.yes) {
        await confirm(replaceQuestion(slot, target))
      }
      if (present !== key) await keys.setTempUrlKey(target, slot, key, call)
      const notes = [
        ...(isReplaced ? ['Every temp URL that was signed with the key before has ended.'] : []),
        ...keyNotes(key),
      ]
      if (!this.jsonEnabled()) {
        this.log(`The ${slot} of ${nameOwner(target)} ${present === key ? 'is this one already.' : 'was set.'}`)
      }
      this.tellAside(notes)
      return {ok: true, target: formatTarget(target), slot, changed: present !== key, replaced: isReplaced, notes}
    })
  }
}

function replaceQuestion(slot: Slot, target: Target): string {
  const way = slot === 'key' ? ' (temp-url-key rotate would keep them)' : ''
  return `Every temp URL that was signed with the present ${slot} of ${nameOwner(target)} ends${way}. Go on?`
}
