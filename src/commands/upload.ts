import {Args, Flags} from '@oclif/core'
import {BaseCommand} from '../cli/base-command.ts'
import {connectionFlags, objectFlags, progressFlags, resumeFlags, sizeFlag} from '../cli/flags.ts'
import {readObjectOptions} from '../cli/object-options.ts'
import {findDestination} from '../cli/open-destination.ts'
import {DEFAULT_CONCURRENCY} from '../cli/open-target.ts'
import {makeReceipt, sha256File, writeReceipt} from '../cli/receipt-file.ts'
import {runUpload} from '../cli/run-upload.ts'
import {planItems, splitArguments} from '../cli/upload-items.ts'
import {checkLinkName, makeUploadLinks, uploadLinkFlags} from '../cli/upload-links.ts'
import {describePlan} from '../cli/upload-words.ts'
import {Failure} from '../core/failure.ts'
import {formatTarget} from '../core/target.ts'
import {planParts} from '../upload/plan.ts'

export default class Upload extends BaseCommand {
  static override summary = 'Upload files straight to a store, big ones in parallel parts.'
  static override description = `A target is REMOTE://container/key. A key that ends in a slash, or none, takes the file's own name.
Every byte is verified: exit status 0 means that the store holds exactly what was read.`
  static override aliases = ['up']
  static override strict = false
  static override usage = '<%= command.id %> FILE... TARGET'
  static override args = {
    file: Args.string({description: 'file to upload; several may be given', ignoreStdin: true}),
    target: Args.string({description: 'where it goes: the last word', ignoreStdin: true}),
  }

  static override examples = [
    '<%= config.bin %> upload build.tar s3://artifacts/nightly/',
    '<%= config.bin %> upload disk.img sandbox://demo/disk.img --part-size 64M',
    '<%= config.bin %> upload a.pdf b.pdf s3://inbox/ --metadata source=scanner --json',
  ]

  static override flags = {
    'part-size': sizeFlag({
      char: 'p',
      description: 'size of a part; 16M unless given, more where the store needs it',
      env: 'SKYLIFT_PART_SIZE',
    }),
    concurrency: Flags.integer({
      char: 'c',
      description: 'parts in flight at once, over all files',
      default: DEFAULT_CONCURRENCY,
      min: 1,
      max: 256,
      env: 'SKYLIFT_CONCURRENCY',
    }),
    'dry-run': Flags.boolean({char: 'n', description: 'print the plan and send nothing'}),
    engine: Flags.string({
      description: 'sdk: send through the AWS SDK instead, where a proxy or a store does not like our own sender',
      options: ['skylift', 'sdk'],
      default: 'skylift',
    }),
    ...progressFlags,
    ...objectFlags,
    ...connectionFlags,
    ...resumeFlags,
    ...uploadLinkFlags,
  }

  async run(): Promise<unknown> {
    const {flags, argv} = await this.parse(Upload)
    const {files, destination} = splitArguments(argv as string[])
    if (flags.receipt !== undefined && files.length > 1) {
      throw new Failure('usage', '--receipt is for one file.', {suggestion: 'Upload the files one by one.'})
    }
    checkLinkName(flags.filename, files)
    const {concurrency, 'part-size': partSize, engine} = flags
    const {target, open} = await findDestination(destination, {
      flags,
      config: this.config,
      concurrency,
      isSdk: engine === 'sdk',
      isForWriting: !flags['dry-run'],
    })
    const {items, size} = await planItems(files, target, path => readObjectOptions(flags, path))
    const {store, links, keep} = await open()
    if (flags['dry-run']) return this.tellPlan(items, await store.limits({signal: new AbortController().signal}), flags)
    // What is wrong with the link is said before anything is sent.
    if (flags.link) await this.makeLinks(links, items, flags.filename)
    const {failures, objects, stored} = await runUpload(items, size, store, {
      flags,
      concurrency,
      onChange: flags['on-change'] as 'fail' | 'retry' | 'prefix',
      ...(partSize === undefined ? {} : {partSize}),
      ...(keep === undefined ? {} : {keep}),
      tell: this.jsonEnabled() ? undefined : 'results',
    })
    if (failures.length > 0) this.endWith(failures, {objects})
    for (const each of stored) {
      if (flags.receipt === undefined) break
      await writeReceipt(flags.receipt, makeReceipt(each, flags.sha256 ? await sha256File(each.item.path) : undefined))
    }
    if (!flags.link) return {ok: true, objects}
    return {ok: true, objects, links: this.tellLinks(await this.makeLinks(links, items, flags.filename))}
  }

  private async makeLinks(
    store: Parameters<typeof makeUploadLinks>[0] | undefined,
    items: Awaited<ReturnType<typeof planItems>>['items'],
    filename: string | undefined,
  ): ReturnType<typeof makeUploadLinks> {
    if (store === undefined) throw new Failure('usage', '--link needs credentials of its own.')
    const targets = items.map(({target}) => target)
    return makeUploadLinks(store, targets, filename, {signal: new AbortController().signal})
  }

  private tellLinks(links: Awaited<ReturnType<typeof makeUploadLinks>>): unknown {
    if (this.jsonEnabled()) return links.map(({json}) => json)
    for (const {url, words} of links) {
      this.tellAside(words)
      this.log(url)
    }
    return undefined
  }

  private async tellPlan(
    items: Awaited<ReturnType<typeof planItems>>['items'],
    limits: Parameters<typeof planParts>[1],
    flags: {'part-size'?: number | undefined},
  ): Promise<unknown> {
    const {checkFile} = await import('../upload/source.ts')
    const wish = flags['part-size'] === undefined ? {} : {partSize: flags['part-size']}
    const plans = []
    for (const {path, target} of items) {
      const plan = planParts(await checkFile(path), limits, wish)
      plans.push({source: path, target: formatTarget(target), ...plan})
      if (!this.jsonEnabled()) this.log(describePlan(path, formatTarget(target), plan))
    }
    return {ok: true, dryRun: true, plans}
  }
}
