import type {CompletedCommand, Wanted, Word} from './describe-commands.ts'
import {freeFlags, groupWords, guidedFlags, topicsOf} from './describe-commands.ts'

/** Writes the script for zsh: to be sourced, or put into fpath as _skylift. */
export function writeZsh(commands: readonly CompletedCommand[]): string {
  const groups = groupWords(commands)
  return `#compdef skylift
# Completion of skylift for zsh, made by: skylift completion zsh
_skylift() {
  local cur=$words[CURRENT] prev=$words[CURRENT-1] command=$words[2] each
  local -a flags takes free wanted second remotes
  if (( CURRENT == 2 )); then
    second=(${list(groups.get('') ?? [])})
    _describe command second
    return
  fi
  case $command in
${topicsOf(groups)
  .map(topic => `    ${topic}) second=(${list(groups.get(topic) ?? [])}) ;;`)
  .join('\n')}
  esac
  if (( $#second )); then
    if (( CURRENT == 3 )); then _describe command second; return; fi
    command="$command $words[3]"
  fi
  if [[ $cur == --*=* ]]; then prev=\${cur%%=*}; compset -P '*='; fi
  case $command in
${commands.map(writeCommand).join('\n')}
  esac
  case "$command $prev" in
${commands.flatMap(writeValues).join('\n')}
    *)
      if (( $free[(Ie)$prev] )); then return; fi
      if [[ $cur == -* ]]; then _describe -o flag flags; return; fi
      wanted=($takes) ;;
  esac
  if (( $wanted[(I):targets|:remotes] )); then remotes=(\${(f)"$(\${words[1]} remote list --names 2>/dev/null)"}); fi
  for each in $wanted; do
    case $each in
      :files) _files ;;
      :remotes) compadd -a remotes ;;
      :targets) remotes=(s3 swift sandbox $remotes); compadd -S '' -- \${^remotes}:// ;;
      *) compadd -- $each ;;
    esac
  done
}

if [[ $funcstack[1] == _skylift ]]; then _skylift "$@"; else compdef _skylift skylift; fi
`
}

function list(words: readonly Word[]): string {
  return words.map(({name, summary}) => quote(`${name}:${summary}`)).join(' ')
}

function writeCommand(command: CompletedCommand): string {
  const {flags, takes} = command
  return `    ${spell(command)}) flags=(${list(flags)}); free=(${freeFlags(command).join(' ')}); takes=(${takes.map(writeWanted).join(' ')}) ;;`
}

function writeValues(command: CompletedCommand): string[] {
  return guidedFlags(command).map(
    ({name, value}) => `    ${spell(command, ` ${name}`)}) wanted=(${writeWanted(value)}) ;;`,
  )
}

/** The command and its aliases, as a pattern. */
function spell({name, aliases}: CompletedCommand, rest = ''): string {
  return [name, ...aliases].map(each => quote(`${each}${rest}`)).join('|')
}

function writeWanted(wanted: Wanted): string {
  return typeof wanted === 'string' ? `:${wanted}` : wanted.map(quote).join(' ')
}

function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`
}
