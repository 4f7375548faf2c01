import {Args, Flags} from '@oclif/core'
import {checkPageOrigin, checkPageHeaders} from '../../cli/cors-test/page-flags.ts'
import {judgeMethod} from '../../cli/cors-test/judge-method.ts'
import type {TempUrlMethod} from '../../cli/cors-test/make-visit.ts'
import {describeTrial, fillRemedy, trialToJson} from '../../cli/cors-test/words.ts'
import type {Trial} from '../../cli/cors-test/words.ts'
import {statusOf} from '../../cli/exit-codes.ts'
import {StoreCommand} from '../../cli/store-command.ts'
import {targetArgument} from '../../cli/target-argument.ts'
import type {Target} from '../../core/target.ts'

const several = {multiple: true, multipleNonGreedy: true} as const

export default class CorsTest extends StoreCommand {
  static override summary = 'Try what a browser would let a page do with a container, and say why not.'
  static override description = `It sends what a browser sends when a page of that origin calls fetch: the preflight, and the request itself with its Origin; and it judges the answers as a browser does. The request changes nothing: it goes to a key that nobody has, and the bytes of a PUT have a wrong checksum.
Cookies are not sent, so "*" is enough for any origin. The exit status is 4 where a browser would refuse.`

  static override args = {
    target: Args.string({description: 'the container, or a prefix in it', required: true, ignoreStdin: true}),
  }

  static override examples = [
    '<%= config.bin %> cors test s3://inbox --origin https://example.com',
    '<%= config.bin %> cors test s3://inbox --origin null --method PUT --header content-md5',
    "<%= config.bin %> cors test s3://photos --origin https://example.com --method GET --header 'content-type: text/plain'",
  ]

  static override flags = {
    origin: Flags.string({
      description: 'where the page comes from: https://example.com, or null for pages opened from a file',
      required: true,
    }),
    method: Flags.string({
      description: 'what the page does; PUT unless given; may be given several times',
      options: ['GET', 'HEAD', 'PUT', 'POST', 'DELETE'],
      ...several,
    }),
    header: Flags.string({
      description:
        'header that the page sets, NAME or NAME: VALUE; content-type for PUT unless given; may be given several times',
      ...several,
    }),
    expose: Flags.string({
      description: 'header that the page reads; ETag for PUT unless given; may be given several times',
      ...several,
    }),
  }

  async run(): Promise<unknown> {
    const {args, flags} = await this.parse(CorsTest)
    const target = targetArgument(args.target, 'container')
    const {origin, header, expose} = flags
    checkPageOrigin(origin)
    this.tellAside(checkPageHeaders(header ?? []))
    const methods = [...new Set(flags.method ?? ['PUT'])] as readonly TempUrlMethod[]
    return this.useStore(target, flags, async opened => {
      const trials: Trial[] = []
      for (const method of methods) {
        const trial = await judgeMethod(opened, target, {
          origin,
          method,
          headers: header ?? (method === 'PUT' ? ['content-type'] : []),
          reads: expose ?? (method === 'PUT' ? ['ETag'] : []),
        })
        trials.push(trial)
        if (!this.jsonEnabled()) this.log(describeTrial(trial, origin, target))
      }
      return this.tellVerdict(trials, origin, target)
    })
  }

  private tellVerdict(trials: readonly Trial[], origin: string, target: Target): unknown {
    const refused = trials.flatMap(({steps}) => steps.filter(({isAllowed}) => !isAllowed))
    const document = {ok: refused.length === 0, origin, tests: trials.map(trial => trialToJson(trial, origin, target))}
    if (refused.length === 0) return document
    const failures = refused.map(({code = 'forbidden', message, remedy = ''}) => ({
      code,
      message,
      suggestion: fillRemedy(remedy, origin, target),
    }))
    if (this.jsonEnabled()) this.logJson({...document, failures})
    return this.exit(statusOf(failures.map(({code}) => code)))
  }
}
