import type {Command} from '@oclif/core'

/** What may stand behind a flag, or in the place of an argument. */
export type Wanted = 'files' | 'targets' | 'remotes' | readonly string[]

export interface CompletedFlag {
  /** `--region`, or `-r`. */
  readonly name: string
  readonly summary: string
  /** Absent for a flag without a value. */
  readonly value?: Wanted
}

export interface CompletedCommand {
  /** As it is typed: `cors set`. */
  readonly name: string
  /** Other words for the same. */
  readonly aliases: readonly string[]
  readonly summary: string
  readonly flags: readonly CompletedFlag[]
  readonly takes: readonly Wanted[]
}

type Commands = Readonly<Record<string, Command.Class>>

/** Returns what a shell must know of each command, in the order of names. */
export function describeCommands(commands: Commands): readonly CompletedCommand[] {
  return Object.entries(commands)
    .filter(([, {hidden}]) => !hidden)
    .map(([id, command]) => describeCommand(id, command))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

export interface Word {
  readonly name: string
  readonly summary: string
}

/** The words that may stand first, under no name, and those that may stand second, by the first one. */
export function groupWords(commands: readonly CompletedCommand[]): ReadonlyMap<string, readonly Word[]> {
  const groups = new Map<string, Word[]>([['', []]])
  for (const {name, aliases, summary} of commands) {
    for (const each of [name, ...aliases]) {
      const [first = '', second] = each.split(' ')
      const key = second === undefined ? '' : first
      groups.set(key, [...(groups.get(key) ?? []), {name: second ?? first, summary}])
    }
  }
  const topics = [...groups.keys()].filter(name => name !== '')
  const heads = topics.map(name => ({name, summary: `see skylift ${name} --help`}))
  return groups.set('', [...heads, ...(groups.get('') ?? [])])
}

export function topicsOf(groups: ReadonlyMap<string, readonly Word[]>): string[] {
  return [...groups.keys()].filter(name => name !== '')
}

/** Flags whose value nobody can guess. */
export function freeFlags({flags}: CompletedCommand): string[] {
  return flags.flatMap(({name, value}) => (value?.length === 0 ? [name] : []))
}

/** Flags with a value that can be guessed, and of what it is one. */
export function guidedFlags({flags}: CompletedCommand): {readonly name: string; readonly value: Wanted}[] {
  return flags.flatMap(({name, value}) => (value === undefined || value.length === 0 ? [] : [{name, value}]))
}

function describeCommand(id: string, command: Command.Class): CompletedCommand {
  const all = {...command.baseFlags, ...command.flags}
  const flags = Object.entries(all).flatMap(([name, flag]) => (flag.hidden ? [] : describeFlag(name, flag)))
  const json = command.enableJsonFlag ? [{name: '--json', summary: 'print one JSON document on stdout'}] : []
  return {
    name: id.replaceAll(':', ' '),
    aliases: command.aliases.map(alias => alias.replaceAll(':', ' ')),
    summary: firstLine(command.summary ?? command.description),
    flags: [...flags, ...json, {name: '--help', summary: 'show all flags, and examples'}],
    takes: describeArgs(id, command),
  }
}

function describeFlag(name: string, flag: Command.Flag.Any): CompletedFlag[] {
  const summary = firstLine(flag.summary ?? flag.description)
  const spelled = [`--${name}`, ...(flag.char === undefined ? [] : [`-${flag.char}`])]
  if (flag.type === 'boolean') {
    const no = flag.allowNo ? [`--no-${name}`] : []
    return [...spelled, ...no].map(each => ({name: each, summary}))
  }
  const isFile = /^(?:FILE|FOLDER)$/u.test(String(flag.helpValue ?? ''))
  return spelled.map(each => ({name: each, summary, value: flag.options ?? (isFile ? 'files' : [])}))
}

function describeArgs(id: string, {args}: Command.Class): Wanted[] {
  const names = Object.keys(args)
  const options = Object.values(args).flatMap(arg => (arg.options === undefined ? [] : [arg.options]))
  const hasFiles = names.some(name => name.startsWith('file'))
  const hasTargets = names.includes('target')
  const hasRemotes = /^remote:(?:show|remove)$/u.test(id)
  return [
    ...options,
    ...(hasFiles ? ['files' as const] : []),
    ...(hasTargets ? ['targets' as const] : []),
    ...(hasRemotes ? ['remotes' as const] : []),
  ]
}

function firstLine(text = ''): string {
  return text.split('\n')[0]?.replaceAll(/<%=\s*config\.bin\s*%>/gu, 'skylift') ?? ''
}
