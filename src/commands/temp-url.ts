import {Args} from '@oclif/core'
import {StoreCommand} from '../cli/store-command.ts'
import type {OpenStore} from '../cli/store-command.ts'
import {readTempUrlOptions, tempUrlFlags, tempUrlTarget} from '../cli/temp-url-flags.ts'
import {describeCheck, describeTempUrl, printTempUrl, tempUrlToJson} from '../cli/temp-url-words.ts'
import {checkMade} from '../cli/check-made.ts'
import {checkMadePrefix} from '../cli/temp-url-check.ts'

export default class TempUrl extends StoreCommand {
  static override summary = 'Make a URL that lets whoever holds it do one thing with one object, for a while.'
  static override description = `A temp URL needs no credentials: whoever holds it can use it, as often as they like, until it ends. It cannot be taken back before, but by replacing the keys that signed it.
So: a short --expires, --write-once or --random-key for uploads, --content-length or --max-size where the size is known, and no temp URL in a log.
On S3 it lasts at most 7 days, and never longer than the credentials that signed it. On Swift it is signed with a Temp-URL key of the account or the container, and lasts until that key is replaced: see temp-url-key.
The URL alone goes to stdout, everything else to stderr. With the keys at hand nothing is asked of the network, unless --write-once has to find out what the store knows; on Swift with OS_STORAGE_URL, OS_TEMP_URL_KEY and --digest.`

  static override aliases = ['presign']
  static override args = {
    target: Args.string({description: 'the object', required: true, ignoreStdin: true}),
  }

  static override examples = [
    '<%= config.bin %> temp-url s3://artifacts/build.tar --expires 12h',
    '<%= config.bin %> temp-url s3://inbox/scan.pdf -X PUT --content-type application/pdf --write-once --curl',
    '<%= config.bin %> temp-url s3://inbox/scans/ --random-key --max-size 20M --json',
    '<%= config.bin %> temp-url swift://inbox/scans/ -X PUT --prefix --ip 203.0.113.0/24',
  ]

  static override flags = tempUrlFlags

  async run(): Promise<unknown> {
    const {args, flags} = await this.parse(TempUrl)
    const target = tempUrlTarget(args.target, flags)
    const options = readTempUrlOptions(flags)
    const isForWriting = ['PUT', 'POST'].includes(options.method)
    const use = async ({store, call, wire}: OpenStore): Promise<unknown> => {
      const made = await store.tempUrl(target, options, call)
      const check = await (flags.prefix ? checkMadePrefix : checkMade)(flags.check, wire, made, call)
      this.tellAside(describeTempUrl(made, target, {withCurl: flags.curl, isPrefix: flags.prefix}))
      if (check !== undefined) this.tellAside(describeCheck(check))
      if (!this.jsonEnabled()) this.log(printTempUrl(made, target, flags.curl))
      return {ok: true, ...tempUrlToJson(made, target, check, flags.prefix)}
    }
    return this.useStore(target, flags, use, isForWriting)
  }
}
