import type {CompletedCommand, Wanted} from './describe-commands.ts'
import {freeFlags, groupWords, guidedFlags} from './describe-commands.ts'

/** Writes the script for PowerShell, 5.1 and later. */
export function writePowerShell(commands: readonly CompletedCommand[]): string {
  const groups = [...groupWords(commands)]
  const named = commands.flatMap(command => [command.name, ...command.aliases].map(name => ({...command, name})))
  return `# Completion of skylift for PowerShell, made by: skylift completion powershell
Register-ArgumentCompleter -Native -CommandName skylift -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $words = @{
${groups.map(([topic, words]) => `    ${quote(topic)} = ${array(words.map(({name}) => name))}`).join('\n')}
  }
  $flags = @{
${named.map(({name, flags}) => `    ${quote(name)} = ${array(flags.map(flag => flag.name))}`).join('\n')}
  }
  $takes = @{
${named.map(({name, takes}) => `    ${quote(name)} = ${array(takes.flatMap(writeWanted))}`).join('\n')}
  }
  $values = @{
${named.flatMap(writeValues).join('\n')}
  }
  $before = @($commandAst.CommandElements | Where-Object { $_.Extent.EndOffset -lt $cursorPosition } | ForEach-Object { $_.ToString() })
  $program = $before[0]
  $command = if ($before.Count -gt 1) { $before[1] } else { '' }
  $isTopic = $command -ne '' -and $words.ContainsKey($command)
  if ($isTopic -and $before.Count -gt 2) { $command = "$command $($before[2])" }
  $previous = "$command $($before[-1])"
  $wanted = if ($before.Count -le 1) { $words[''] }
    elseif ($isTopic -and $before.Count -eq 2) { $words[$command] }
    elseif ($values.ContainsKey($previous)) { $values[$previous] }
    elseif ($wordToComplete -like '-*') { $flags[$command] }
    else { $takes[$command] }
  $found = foreach ($each in $wanted) {
    switch ($each) {
      # Where nothing is found PowerShell completes the names of files by itself.
      ':files' { }
      ':remotes' { & $program remote list --names 2>$null }
      ':targets' { @('s3', 'swift', 'sandbox') + @(& $program remote list --names 2>$null) | Where-Object { $_ } | ForEach-Object { "\${_}://" } }
      default { $each }
    }
  }
  $found | Where-Object { $_ -like "$wordToComplete*" } | ForEach-Object {
    [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
  }
}
`
}

function writeValues(command: CompletedCommand): string[] {
  const free = freeFlags(command).map(name => ({name, value: []}))
  return [...guidedFlags(command), ...free].map(
    ({name, value}) => `    ${quote(`${command.name} ${name}`)} = ${array(writeWanted(value))}`,
  )
}

function writeWanted(wanted: Wanted): readonly string[] {
  return typeof wanted === 'string' ? [`:${wanted}`] : wanted
}

function array(words: readonly string[]): string {
  return `@(${words.map(quote).join(', ')})`
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
