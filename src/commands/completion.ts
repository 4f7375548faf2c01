import {Args} from '@oclif/core'
import {BaseCommand} from '../cli/base-command.ts'
import {writeBash} from '../cli/completion/bash.ts'
import {describeCommands} from '../cli/completion/describe-commands.ts'
import {writePowerShell} from '../cli/completion/powershell.ts'
import {writeZsh} from '../cli/completion/zsh.ts'

const WRITERS = {bash: writeBash, zsh: writeZsh, powershell: writePowerShell}

export default class Completion extends BaseCommand {
  static override summary = 'Print what makes a shell complete commands, flags, remotes and files.'
  static override description = `In ~/.bashrc:     source <(skylift completion bash)
In ~/.zshrc:      source <(skylift completion zsh)      (after compinit)
In the $PROFILE:  skylift completion powershell | Out-String | Invoke-Expression

Bash and Zsh are run by our tests. PowerShell is not: its script is only looked at.`

  static override args = {
    shell: Args.string({
      description: 'the shell',
      required: true,
      options: Object.keys(WRITERS),
      ignoreStdin: true,
    }),
  }

  static override examples = [
    'source <(<%= config.bin %> completion bash)',
    '<%= config.bin %> completion zsh > ~/.zsh/completions/_skylift',
  ]

  async run(): Promise<unknown> {
    const {args} = await this.parse(Completion)
    const {COMMANDS} = await import('./index.ts')
    const script = WRITERS[args.shell as keyof typeof WRITERS](describeCommands(COMMANDS))
    if (!this.jsonEnabled()) this.log(script.trimEnd())
    return {ok: true, shell: args.shell, script}
  }
}
