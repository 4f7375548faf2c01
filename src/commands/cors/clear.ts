import {Args, Flags} from '@oclif/core'
import {confirm} from '../../cli/ask.ts'
import {containerArgument} from '../../cli/container-argument.ts'
import {isOurs} from '../../cli/cors-words.ts'
import {StoreCommand} from '../../cli/store-command.ts'

export default class CorsClear extends StoreCommand {
  static override summary = 'Remove all CORS rules of a container; asks first when some are not of Skylift.'
  static override args = {
    target: Args.string({description: 'the container', required: true, ignoreStdin: true}),
  }

  static override examples = ['<%= config.bin %> cors clear s3://inbox']
  static override flags = {
    yes: Flags.boolean({char: 'y', description: 'without asking, also rules that Skylift did not make'}),
  }

  async run(): Promise<unknown> {
    const {args, flags} = await this.parse(CorsClear)
    const target = containerArgument(args.target)
    return this.useStore(target, flags, async ({store, call}) => {
      const rules = await store.getCors(target, call)
      const others = rules.filter(rule => !isOurs(rule)).length
      // Swift has one rule, and no place for a mark.
      const isUnmarked = rules.every(({id}) => id === undefined)
      if (others > 0 && !flags.yes) {
        const what = isUnmarked
          ? 'Nothing tells whether Skylift made the CORS rules.'
          : `Skylift did not make ${others} of the ${rules.length} CORS rules.`
        await confirm(`${what} Remove them all?`)
      }
      await store.clearCors(target, call)
      if (!this.jsonEnabled()) this.log(describeCleared(rules.length, isUnmarked ? 0 : others))
      return {ok: true, container: target.container, removed: rules.length}
    })
  }
}

function describeCleared(count: number, others: number): string {
  if (count === 0) return 'There were no CORS rules.'
  const words = count === 1 ? 'one CORS rule' : `${count} CORS rules`
  return `Removed ${words}${others === 0 ? '' : `, ${others} of them not made by Skylift`}.`
}
