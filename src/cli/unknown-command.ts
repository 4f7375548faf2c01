import {Failure} from '../core/failure.ts'
import {printable} from '../core/printable.ts'
import {findNearest} from './nearest.ts'

/** Says that there is no such command, and which one may be meant. `names` has all of them, as `cors set`. */
export function unknownCommand(argv: readonly string[], names: readonly string[]): Failure {
  const [first = '', second = ''] = argv.filter(word => !word.startsWith('-') && word !== 'help')
  const isTopic = names.some(name => name.startsWith(`${first} `))
  const topics = new Set(names.flatMap(name => (name.includes(' ') ? [name.slice(0, name.indexOf(' '))] : [])))
  const given = isTopic ? `${first} ${second}` : first
  const near =
    findNearest(
      `${first} ${second}`,
      names.filter(name => name.includes(' ')),
    ) ?? (isTopic ? undefined : findNearest(first, [...names.filter(name => !name.includes(' ')), ...topics]))
  const all = isTopic ? `skylift ${first} --help` : 'skylift help'
  return new Failure('usage', `There is no command "${printable(given)}".`, {
    suggestion: near === undefined ? `See all with: ${all}` : `Did you mean "skylift ${near}"? See all with: ${all}`,
  })
}
