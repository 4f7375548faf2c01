import {Args, Flags} from '@oclif/core'
import {BaseCommand} from '../cli/base-command.ts'
import {connectionFlags, objectFlags, progressFlags, resumeFlags, sizeFlag} from '../cli/flags.ts'
import {findPace, limitRateFlag} from '../cli/limit-rate.ts'
import {DEFAULT_CONCURRENCY} from '../cli/open-target.ts'
import {planFiles} from '../cli/plan-files.ts'
import {prepareFiles} from '../cli/prepare-files.ts'
import type {PreparedFiles} from '../cli/prepare-files.ts'
import {prepareStream} from '../cli/prepare-stream.ts'
import type {PreparedStream} from '../cli/prepare-stream.ts'
import {describeSchedule} from '../cli/run-stream.ts'
import {createResults} from '../cli/results-file.ts'
import {sendFiles} from '../cli/send-files.ts'
import type {SentFiles} from '../cli/send-files.ts'
import {resultFlags, sourceFlags} from '../cli/source-flags.ts'
import {readStreamArguments, streamFlags} from '../cli/stream-flags.ts'
import {addTicket} from '../cli/ticket-file.ts'
import {splitArguments} from '../cli/upload-items.ts'
import {readUrlFlags, urlFlags} from '../cli/url-file.ts'
import {createLinker, uploadLinkFlags} from '../cli/upload-links.ts'
import type {UploadLink} from '../cli/upload-links.ts'
import {chooseFailures, describeFailures} from '../cli/upload-words.ts'
import type {Failure} from '../core/failure.ts'
import {MOST_CONCURRENCY} from '../core/slots.ts'

export default class Upload extends BaseCommand {
  static override summary = 'Upload files straight to a store, big ones in parallel parts.'
  static override description = `A target is REMOTE://container/key. A key that ends in a slash, or none, takes the file's own name.
Every byte is verified: exit status 0 means that the store holds exactly what was read.
With -r the contents of a folder go under the target. A glob in quotes is expanded here: the key is the path below its fixed beginning.
A run that was killed goes on when the same command is run again: what is stored is not sent twice. Nothing is ever deleted.
A file called - is stdin. A pipe does not tell when the program before it failed, so half a dump would become an object; --from-command runs the program itself, and stores nothing when it fails.
A TARGET may also be a presigned URL or a temp URL (in quotes; better --url-file, since others see the words of a command) or ticket:FILE: both need no credentials.`
  static override aliases = ['up']
  static override strict = false
  static override usage = '<%= command.id %> FILE... TARGET'
  static override args = {
    file: Args.string({
      description: 'file, glob or (with -r) folder to upload; several may be given',
      ignoreStdin: true,
    }),
    target: Args.string({description: 'where it goes: the last word', ignoreStdin: true}),
  }

  static override examples = [
    '<%= config.bin %> upload build.tar s3://artifacts/nightly/',
    '<%= config.bin %> upload disk.img sandbox://demo/disk.img --part-size 64M',
    '<%= config.bin %> upload a.pdf b.pdf s3://inbox/ --metadata source=scanner --json',
    '<%= config.bin %> upload dist -r s3://site/ --exclude "*.map" --skip-unchanged checksum',
    '<%= config.bin %> upload "dist/**/*.js" s3://site/js/',
    'git ls-files -z | <%= config.bin %> upload --from-file - s3://backups/repository/',
    'pg_dump shop | <%= config.bin %> upload - s3://backups/shop.sql',
    '<%= config.bin %> upload --from-command s3://backups/shop.sql -- pg_dump shop',
    '<%= config.bin %> upload disk.img --url-file url.txt',
  ]

  static override flags = {
    'part-size': sizeFlag({
      char: 'p',
      description: 'size of a part; 16M unless given, more where the store needs it',
      env: 'SKYLIFT_PART_SIZE',
    }),
    concurrency: Flags.integer({
      char: 'c',
      description: `parts in flight at once, over all files; ${DEFAULT_CONCURRENCY} unless given, and more of small files`,
      min: 1,
      max: MOST_CONCURRENCY,
      env: 'SKYLIFT_CONCURRENCY',
    }),
    'dry-run': Flags.boolean({char: 'n', description: 'print the plan and send nothing'}),
    engine: Flags.string({
      description: 'sdk: send through the AWS SDK instead, where a proxy or a store does not like our own sender',
      options: ['skylift', 'sdk'],
      default: 'skylift',
    }),
    ...limitRateFlag,
    ...progressFlags,
    ...streamFlags,
    ...objectFlags,
    ...connectionFlags,
    ...resumeFlags,
    ...uploadLinkFlags,
    ...sourceFlags,
    ...resultFlags,
    ...urlFlags,
  }

  async run(): Promise<unknown> {
    const {flags, raw} = await this.parse(Upload)
    const where = await readUrlFlags(flags)
    // In their order: oclif's own list has the same word twice in one place.
    const given = raw.flatMap(({type, input}) => (type === 'arg' ? [input] : []))
    const argv = where === undefined ? addTicket(given) : given
    const pace = findPace(flags)
    const stream = readStreamArguments(argv, flags, where)
    if (stream !== undefined) {
      return this.sendStream(await prepareStream(stream, {flags, config: this.config, ...pace}), flags)
    }
    const mayLackFiles = flags['from-file'] !== undefined || flags['retry-failed'] !== undefined
    const {files, destination} = splitArguments(argv, mayLackFiles, where)
    const prepared = await prepareFiles(files, destination, {flags, config: this.config})
    if (flags['dry-run']) return this.tellPlan(prepared, flags['part-size'])
    const sent = await sendFiles(prepared, {...flags, ...pace}, this.tells())
    const {failures, json, links} = sent
    // Where nothing is displayed, nobody has heard of it yet.
    if (flags.quiet || flags.progress === 'none') this.tellStop(sent)
    if (failures.length > 0) this.endWithSome(failures, sent.failed, json)
    if (!this.jsonEnabled()) this.tellLinks(links)
    return {ok: true, ...json}
  }

  /** Result lines on stdout, or one JSON document at the end. */
  private tells(): 'results' | undefined {
    return this.jsonEnabled() ? undefined : 'results'
  }

  /** An interrupt is told as what failed. */
  private tellStop({stopped, failures}: SentFiles): void {
    if (stopped !== undefined && !this.isProgressJson() && failures.every(({message}) => message !== stopped))
      this.tellAside([stopped])
  }

  private endWithSome(failures: readonly Failure[], failed: number, json: SentFiles['json']): never {
    if (this.jsonEnabled()) this.endWith(failures, json)
    const shown = chooseFailures(failures)
    if (failed > shown.length && !this.isProgressJson()) this.tellAside([describeFailures(failed, shown.length)])
    this.endWith(shown)
  }

  private async sendStream(
    {item, links: store, plan, run}: PreparedStream,
    flags: StreamOutputFlags,
  ): Promise<unknown> {
    if (flags['dry-run']) {
      const planned = await plan()
      if (!this.jsonEnabled()) for (const line of describeSchedule(planned)) this.log(line)
      return {ok: true, dryRun: true, plans: [planned]}
    }
    const link = flags.link
      ? await createLinker({target: item.target, named: [item], links: store}, flags.filename)
      : undefined
    const results = flags.results === undefined ? undefined : await createResults(flags.results, {isStream: true})
    const {failures, objects, links} = await run({
      tell: this.tells(),
      ...(results === undefined ? {} : {results}),
      ...(link === undefined ? {} : {link}),
    })
    if (failures.length > 0) this.endWith(failures, {objects})
    if (!this.jsonEnabled()) this.tellLinks(links)
    return {ok: true, objects, ...(flags.link ? {links: links.map(({json}) => json)} : {})}
  }

  private tellLinks(links: readonly UploadLink[]): void {
    for (const {url, words} of links) {
      // Whoever reads NDJSON reads nothing else.
      if (!this.isProgressJson()) this.tellAside(words)
      this.log(url)
    }
  }

  private async tellPlan(prepared: PreparedFiles, partSize: number | undefined): Promise<unknown> {
    const plans: SentFiles['json'][] = []
    const failures: Failure[] = []
    prepared.notes.connect(message => this.tellAside([message]))
    for await (const each of planFiles(prepared, partSize)) {
      if ('failure' in each) failures.push(each.failure)
      else if (this.jsonEnabled()) plans.push(each.json)
      else this.log(each.words)
    }
    if (failures.length > 0) this.endWithSome(failures, failures.length, {dryRun: true, plans})
    return {ok: true, dryRun: true, plans}
  }
}

interface StreamOutputFlags {
  readonly 'dry-run': boolean
  readonly link: boolean
  readonly filename?: string | undefined
  readonly results?: string | undefined
}
