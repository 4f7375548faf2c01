/** Writes docs/commands.md from the commands themselves; with `--check` it only tells whether that page is fresh. */
import {mkdir, readFile, writeFile} from 'node:fs/promises'
import {dirname} from 'node:path'
import {fileURLToPath} from 'node:url'
import type {Command} from '@oclif/core'
import {COMMANDS} from '../src/commands/index.ts'

export const REFERENCE = fileURLToPath(new URL('../docs/commands.md', import.meta.url))

type Commands = Readonly<Record<string, Command.Class>>
type Flag = Command.Flag.Any
type Named = readonly [name: string, flag: Flag]

const GROUPS = ['', 'OBJECT', 'CONNECTION']
const GLOBAL = 'GLOBAL'
const JSON_FLAG = {
  type: 'boolean',
  name: 'json',
  description: 'print one JSON document on stdout',
  helpGroup: GLOBAL,
} as Flag

/** Writes the page about all commands. The same commands give the same page. */
export function renderReference(commands: Commands): string {
  const aliases = new Set(Object.values(commands).flatMap(({aliases}) => aliases))
  const named = Object.entries(commands)
    .filter(([id, {hidden}]) => !hidden && !aliases.has(id))
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
  const contents = named.map(([id, command]) => {
    const words = spaced(id)
    return `- [\`skylift ${words}\`](#skylift-${words.replaceAll(' ', '-')}): ${fill(summaryOf(command), id)}`
  })
  const globals = new Map(named.flatMap(([, command]) => flagsOf(command).filter(isGlobal)))
  const pieces = [
    '# Commands',
    '<!-- Made by `npm run docs` from src/commands; a change made here is lost. -->',
    contents.join('\n'),
    ...named.flatMap(([id, command]) => renderCommand(id, command)),
    '## Flags that every command has',
    ...renderFlags('', [...globals], ''),
  ]
  return `${pieces.join('\n\n')}\n`
}

function renderCommand(id: string, command: Command.Class): string[] {
  const args = Object.entries(command.args ?? {})
  const flags = flagsOf(command).filter(named => !isGlobal(named))
  const aliases = [...(command.aliases ?? [])].toSorted().map(alias => `\`skylift ${spaced(alias)}\``)
  return [
    `## skylift ${spaced(id)}`,
    fill(summaryOf(command), id),
    code(usageOf(id, command).map(usage => `skylift ${fill(usage, id)}`)),
    ...(command.summary && command.description ? [fill(command.description, id)] : []),
    ...(args.length > 0 ? [renderArgs(args)] : []),
    ...GROUPS.flatMap(group =>
      renderFlags(
        group,
        flags.filter(named => groupOf(named) === group),
        id,
      ),
    ),
    ...renderExamples(id, command),
    ...(aliases.length > 0 ? [`Also: ${aliases.join(', ')}.`] : []),
  ]
}

function flagsOf({baseFlags, flags, enableJsonFlag}: Command.Class): Named[] {
  const all = Object.entries({...baseFlags, ...flags, ...(enableJsonFlag ? {json: JSON_FLAG} : {})})
  return all.filter(([, flag]) => flag.hidden !== true)
}

function isGlobal([, {helpGroup}]: Named): boolean {
  return helpGroup === GLOBAL
}

function summaryOf(command: Command.Class): string {
  return (command.summary ?? command.description ?? '').split('\n')[0] ?? ''
}

function usageOf(id: string, command: Command.Class): string[] {
  if (command.usage !== undefined) return [command.usage].flat()
  const words = Object.entries(command.args ?? {}).map(([name, {required}]) =>
    required === true ? name.toUpperCase() : `[${name.toUpperCase()}]`,
  )
  return [[spaced(id), ...words].join(' ')]
}

function renderArgs(args: readonly (readonly [string, Command.Arg.Any])[]): string {
  return table(
    'Argument',
    args.map(([name, {description = '', options}]) => [
      `\`${name.toUpperCase()}\``,
      description + (options === undefined ? '' : `: ${list(options)}`),
    ]),
  )
}

function groupOf([, {helpGroup = ''}]: Named): string {
  return GROUPS.includes(helpGroup) ? helpGroup : ''
}

function renderFlags(group: string, flags: readonly Named[], id: string): string[] {
  if (flags.length === 0) return []
  const title = group === '' ? 'Flag' : `${group.slice(0, 1)}${group.slice(1).toLowerCase()} flag`
  const sorted = flags.toSorted(([a], [b]) => (a < b ? -1 : 1))
  return [
    table(
      title,
      sorted.map(([name, flag]) => [spell(name, flag), fill(meaningOf(flag), id)]),
    ),
  ]
}

function spell(name: string, flag: Flag): string {
  const guess = flag.type === 'option' && flag.options !== undefined ? 'WORD' : lastWord(name)
  const value = flag.type === 'option' ? ` ${[flag.helpValue ?? guess].flat().join(' ')}` : ''
  const no = flag.type === 'boolean' && flag.allowNo ? '[no-]' : ''
  return `\`${flag.char === undefined ? '' : `-${flag.char}, `}--${no}${name}${value}\``
}

function lastWord(name: string): string {
  return name.slice(name.lastIndexOf('-') + 1).toUpperCase()
}

function meaningOf(flag: Flag): string {
  const {summary, description, env, required} = flag
  const option = flag.type === 'option' ? flag : undefined
  const fallback = typeof option?.default === 'function' ? undefined : option?.default
  return [
    summary ?? description ?? '',
    ...(option?.options === undefined ? [] : [`one of ${list(option.options)}`]),
    ...(fallback === undefined ? [] : [`default \`${String(fallback)}\``]),
    ...(env === undefined ? [] : [`environment \`${env}\``]),
    ...(required === true ? ['required'] : []),
  ].join('; ')
}

function renderExamples(id: string, {examples}: Command.Class): string[] {
  if (examples === undefined || examples.length === 0) return []
  const shown = examples.flatMap(example =>
    typeof example === 'string' ? [example] : [`# ${example.description}`, example.command],
  )
  return [code(shown.map(line => fill(line, id)))]
}

/** Fills in what oclif would: `<%= config.bin %>` and `<%= command.id %>`. */
function fill(text: string, id: string): string {
  return text.replaceAll(/<%=\s*config\.bin\s*%>/gu, 'skylift').replaceAll(/<%=\s*command\.id\s*%>/gu, spaced(id))
}

function spaced(id: string): string {
  return id.replaceAll(':', ' ')
}

function list(words: readonly string[]): string {
  return words.map(word => `\`${word}\``).join(', ')
}

function code(lines: readonly string[]): string {
  return ['```sh', ...lines, '```'].join('\n')
}

function table(title: string, rows: readonly (readonly [string, string])[]): string {
  const cells = rows.map(([name, text]) => [name, text.replaceAll('|', '\\|').replaceAll(/\s*\n\s*/gu, ' ')] as const)
  const width = Math.max(title.length, ...cells.map(([name]) => name.length))
  const line = (name: string, text: string): string => `| ${name.padEnd(width)} | ${text} |`
  return [
    line(title, 'What it does'),
    `| ${'-'.repeat(width)} | --- |`,
    ...cells.map(([name, text]) => line(name, text)),
  ].join('\n')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const page = renderReference(COMMANDS)
  if (!process.argv.includes('--check')) {
    await mkdir(dirname(REFERENCE), {recursive: true})
    await writeFile(REFERENCE, page)
  } else if ((await readFile(REFERENCE, 'utf8').catch(() => '')) !== page) {
    console.error('docs/commands.md is not what the commands say: run npm run docs.')
    process.exitCode = 1
  }
}
