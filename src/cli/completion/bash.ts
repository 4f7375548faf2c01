import type {CompletedCommand, Wanted, Word} from './describe-commands.ts'
import {freeFlags, groupWords, guidedFlags, topicsOf} from './describe-commands.ts'

/** Writes the script for bash, 3.2 and later. */
export function writeBash(commands: readonly CompletedCommand[]): string {
  const groups = groupWords(commands)
  return `# Completion of skylift for bash, made by: skylift completion bash
_skylift_add() {
  local line
  while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen "$@" -- "$cur")
}

_skylift_remotes() { "\${COMP_WORDS[0]}" remote list --names 2>/dev/null; }

_skylift() {
  COMPREPLY=()
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} command=\${COMP_WORDS[1]}
  local each flags='' takes='' free='' wanted='' remotes='' second=''
  # Bash takes = and : for words of their own.
  if [[ $cur == = ]]; then cur=''
  elif [[ $prev == = ]]; then prev=\${COMP_WORDS[COMP_CWORD-2]}
  elif [[ $cur == : || $prev == : ]]; then return
  fi
  if ((COMP_CWORD == 1)); then _skylift_add -W '${namesOf(groups.get(''))}'; return; fi
  case $command in
${topicsOf(groups)
  .map(topic => `    ${topic}) second='${namesOf(groups.get(topic))}' ;;`)
  .join('\n')}
  esac
  if [[ -n $second ]]; then
    if ((COMP_CWORD == 2)); then _skylift_add -W "$second"; return; fi
    command="$command \${COMP_WORDS[2]}"
  fi
  case $command in
${commands.map(writeCommand).join('\n')}
  esac
  case "$command $prev" in
${commands.flatMap(writeValues).join('\n')}
    *)
      if [[ $free == *" $prev "* ]]; then return; fi
      if [[ $cur == -* ]]; then _skylift_add -W "$flags"; return; fi
      wanted=$takes ;;
  esac
  for each in $wanted; do
    case $each in
      :files) _skylift_add -f; compopt -o filenames 2>/dev/null ;;
      :remotes) _skylift_add -W "$(_skylift_remotes)" ;;
      # The first word is a file more often than not: there a target must have begun.
      :targets) if [[ -n $cur || $wanted != *:files* || COMP_CWORD -gt 2 ]]; then remotes="s3 swift sandbox $(_skylift_remotes)"; fi ;;
      *) _skylift_add -W "$each" ;;
    esac
  done
  for each in $remotes; do
    if [[ $each:// == "$cur"* ]]; then COMPREPLY+=("$each://"); compopt +o filenames -o nospace 2>/dev/null; fi
  done
}
complete -F _skylift skylift
`
}

function namesOf(words: readonly Word[] = []): string {
  return words.map(({name}) => name).join(' ')
}

function writeCommand(command: CompletedCommand): string {
  const {flags, takes} = command
  const words = flags.map(({name}) => name).join(' ')
  return `    ${spell(command)}) flags='${words}'; free=' ${freeFlags(command).join(' ')} '; takes='${takes.map(writeWanted).join(' ')}' ;;`
}

function writeValues(command: CompletedCommand): string[] {
  return guidedFlags(command).map(
    ({name, value}) => `    ${spell(command, ` ${name}`)}) wanted='${writeWanted(value)}' ;;`,
  )
}

/** The command and its aliases, as a pattern. */
function spell({name, aliases}: CompletedCommand, rest = ''): string {
  return [name, ...aliases].map(each => `'${each}${rest}'`).join('|')
}

function writeWanted(wanted: Wanted): string {
  return typeof wanted === 'string' ? `:${wanted}` : wanted.join(' ')
}
