import {Failure} from '../core/failure.ts'

/** A name and its value, as `name=value` gives them. */
export type Pair = readonly [name: string, value: string]

type Pairs = Readonly<Record<string, string>>

/** Makes one object of what a flag was given, several times perhaps: of two with one name the store would get one. Fails `usage`. */
export function readPairs(flag: string, pairs: readonly Pair[] | undefined, fold = same): Pairs | undefined {
  if (pairs === undefined) return undefined
  const names = pairs.map(([name]) => fold(name))
  const twin = names.find((name, index) => names.indexOf(name) !== index)
  if (twin !== undefined) throw new Failure('usage', `--${flag} gives "${twin}" two values.`)
  return Object.fromEntries(pairs)
}

/** Metadata travels as part of a header's name, which has no case. Fails `usage`. */
export function readMetadata(pairs: readonly Pair[] | undefined): Pairs | undefined {
  return readPairs('metadata', pairs, name => name.toLowerCase())
}

function same(name: string): string {
  return name
}
