import {Args, Flags} from '@oclif/core'
import {BaseCommand} from '../../cli/base-command.ts'
import {checkRemote} from '../../cli/check-remote.ts'
import {connectionFlags} from '../../cli/flags.ts'
import {findSurroundings} from '../../cli/folders.ts'
import {makeSavedRemote} from '../../cli/make-saved-remote.ts'
import {remoteFlags} from '../../cli/remote-flags.ts'
import {readOwnName} from '../../cli/remote-name.ts'
import {remoteToJson, savedNotes} from '../../cli/remote-words.ts'
import {changeSavedRemotes, readSavedRemotes, remotesFile} from '../../cli/saved-remotes.ts'
import {Failure} from '../../core/failure.ts'

export default class RemoteAdd extends BaseCommand {
  static override summary = 'Save a connection under a name: NAME://container/key is then a target everywhere.'
  static override description = `On a terminal it asks for what the flags do not say, and does not show a secret that is typed. A secret is never an argument: it is typed, comes by stdin, is the name of a variable, or what an external command answers.
The remotes are kept in one file that only you can read (0600). Nothing is asked of the network, unless --check says so.
Presets know the addresses of a provider and how it strays from the others.`

  static override args = {
    name: Args.string({description: 'the name, such as r2 or work', required: true, ignoreStdin: true}),
  }

  static override examples = [
    '<%= config.bin %> remote add r2 --preset r2 --account 0123456789abcdef --access-key-id 4f1c --secret-env R2_SECRET',
    "<%= config.bin %> remote add work --preset aws --region eu-central-1 --credential-process 'aws-vault exec work --json'",
    '<%= config.bin %> remote add rack --preset rackspace --region IAD --user jane --secret-stdin < api-key.txt',
    '<%= config.bin %> remote add box --endpoint-url https://minio.example.com --access-key-id jane --secret-env BOX_SECRET --check',
  ]

  static override flags = {
    ...remoteFlags,
    replace: Flags.boolean({description: 'replace the remote of that name'}),
    check: Flags.boolean({description: 'ask the store whether it knows the credentials, and save only if so'}),
    'ca-bundle': connectionFlags['ca-bundle'],
    'no-verify-ssl': connectionFlags['no-verify-ssl'],
    'retry-for': connectionFlags['retry-for'],
  }

  async run(): Promise<unknown> {
    const {args, flags} = await this.parse(RemoteAdd)
    const name = readOwnName(args.name)
    const refuseTaken = (entries: object): void => {
      if (flags.replace || !Object.hasOwn(entries, name)) return
      throw new Failure('exists', `There is a remote "${name}" already.`, {
        suggestion: 'Take --replace, or another name.',
      })
    }
    // Before anything is asked.
    refuseTaken(await readSavedRemotes(this.config))
    const saved = await makeSavedRemote(flags)
    const checked = flags.check ? [await checkRemote(name, saved, flags)] : []
    await changeSavedRemotes(this.config, entries => {
      refuseTaken(entries)
      return {...entries, [name]: saved}
    })
    const notes = [...checked, ...savedNotes(name, saved, findSurroundings().env)]
    if (!this.jsonEnabled()) this.log(`Saved the remote "${name}" in ${remotesFile(this.config)}.`)
    this.tellAside(notes)
    return {ok: true, remote: remoteToJson({name, saved}), file: remotesFile(this.config), notes}
  }
}
