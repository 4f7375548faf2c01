import {Flags} from '@oclif/core'
import {confirm} from '../../cli/ask.ts'
import {StoreCommand} from '../../cli/store-command.ts'
import {keyFlags, keyNotes, keyTarget, keyTargetArg, nameOwner, readKey, requireKeys} from '../../cli/temp-url-keys.ts'
import {formatTarget} from '../../core/target.ts'

export default class TempUrlKeyRotate extends StoreCommand {
  static override summary = 'Sign temp URLs with a new key from now on, while those that are out go on working.'
  static override description = `The present first key becomes the second one, and a new one the first. What the second key had signed ends; it asks first where there is one.
So rotate at most once in the longest time for which you give out URLs.`

  static override args = {target: keyTargetArg}
  static override examples = [
    '<%= config.bin %> temp-url-key rotate swift://',
    '<%= config.bin %> temp-url-key rotate swift://inbox -y',
  ]

  static override flags = {...keyFlags, yes: Flags.boolean({char: 'y', description: 'do not ask'})}

  async run(): Promise<unknown> {
    const {args, flags} = await this.parse(TempUrlKeyRotate)
    const target = keyTarget(args.target)
    return this.useStore(target, flags, async ({store, call}) => {
      const keys = requireKeys(store, target)
      const key = await readKey(flags)
      const {key: first, key2: second} = await keys.getTempUrlKeys(target, call)
      const isRotated = first !== key
      const isEnding = isRotated && first !== undefined && second !== undefined && second !== first && second !== key
      if (isEnding && !flags.yes) {
        await confirm(`Every temp URL that was signed with the second key of ${nameOwner(target)} ends. Go on?`)
      }
      await keys.rotateTempUrlKey(target, key, call)
      const notes = [...describeRotation(first, isRotated, isEnding), ...keyNotes(key)]
      if (!this.jsonEnabled()) {
        this.log(`The key of ${nameOwner(target)} ${isRotated ? 'was rotated.' : 'is this one already.'}`)
      }
      this.tellAside(notes)
      return {ok: true, target: formatTarget(target), changed: isRotated, replaced: isEnding, notes}
    })
  }
}

function describeRotation(first: string | undefined, isRotated: boolean, isEnding: boolean): string[] {
  if (!isRotated) return []
  return [
    first === undefined
      ? 'There was no first key before.'
      : 'Temp URLs that the first key signed go on working until the next rotation.',
    ...(isEnding ? ['Those that the second key had signed have ended.'] : []),
  ]
}
