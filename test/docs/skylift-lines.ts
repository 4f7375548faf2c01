import type {Command} from '@oclif/core'

type Commands = Readonly<Record<string, Command.Class>>

const CALL = /(?:^|[;&|(]|\bthen|\bdo)\s*(?:[A-Z_]+=\S*\s+)*skylift(?=\s)(?<words>(?:\\\n|[^\n;&|)#])*)/gmu

/** Returns the words of each call of skylift in a script; what is quoted becomes one word without a meaning. */
export function readLines(script: string): string[][] {
  const plain = script.replaceAll(/"[^"\n]*"|'[^'\n]*'/gu, 'QUOTED')
  return [...plain.matchAll(CALL)].map(({groups}) =>
    (groups?.['words'] ?? '')
      .replaceAll('\\\n', ' ')
      .trim()
      .split(/\s+/u)
      .filter(word => word !== ''),
  )
}

/** Returns what is wrong with the words of one call: a command or a flag that there is not. */
export function checkLine(words: readonly string[], commands: Commands): string[] {
  if (words.length === 1 && /^(?:--help|--version|help|COMMAND)$/u.test(words[0] ?? '')) return []
  const found = [words.slice(0, 2).join(':'), words[0] ?? ''].find(id => Object.hasOwn(commands, id))
  if (found === undefined) return words[0] === 'help' ? [] : [`names no command: skylift ${words.join(' ')}`]
  const {flags = {}, baseFlags = {}} = commands[found] ?? {}
  const all = Object.entries({...baseFlags, ...flags})
  const known = new Set(['--json', '--help'])
  for (const [name, flag] of all) {
    known.add(`--${name}`)
    if (flag.char !== undefined) known.add(`-${flag.char}`)
    if (flag.type === 'boolean' && flag.allowNo) known.add(`--no-${name}`)
  }
  const end = words.indexOf('--')
  return words
    .slice(0, end === -1 ? undefined : end)
    .filter(word => /^-{1,2}[a-zA-Z]/u.test(word))
    .map(word => word.replace(/=.*$/u, ''))
    .filter(word => !known.has(word))
    .map(word => `skylift ${found.replaceAll(':', ' ')} has no ${word}`)
}
