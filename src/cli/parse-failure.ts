import {asFailure, Failure} from '../core/failure.ts'
import {findNearest} from './nearest.ts'

const FLAG_VALUE = /^Parsing (--\S+) \n\t([\s\S]*?)\nSee more help with --help$/u

/** Translates what oclif throws while it reads the command line; everything else is `asFailure`. */
export function readParseFailure(error: unknown): Failure {
  if (error instanceof Failure) {
    const [, flag, sentence] = FLAG_VALUE.exec(error.message) ?? []
    if (flag === undefined || sentence === undefined) return error
    return new Failure(error.code, `${flag}: ${sentence}`, suggest(error.suggestion))
  }
  // oclif's own errors carry `oclif`; their words end in lines for people that we say in another way.
  if (error instanceof Error && 'oclif' in error) {
    if (hasUnknownFlags(error)) return unknownFlags(error)
    const [first = '', ...rest] = error.message.replace(/\n?See more help with --help$/u, '').split('\n')
    // What it says of flags with many values is not so here: each takes one.
    const detail = rest.map(line => line.trim()).filter(line => !/^(?:$|Note: |Alternatively, )/u.test(line))
    const sentence = [first.trim().replace(/[:.]$/u, ''), ...detail].join(detail.length > 0 ? ': ' : '')
    return new Failure('usage', `${sentence.replace(/\.$/u, '')}.`, {cause: error})
  }
  return asFailure(error)
}

interface UnknownFlags {
  readonly flags: readonly string[]
  readonly parse?: {readonly input?: {readonly flags?: object}}
}

function hasUnknownFlags(error: Error): error is Error & UnknownFlags {
  return /^Nonexistent flag/u.test(error.message) && 'flags' in error && Array.isArray(error.flags)
}

/** Says which flags may have been meant; a value behind an equals sign is nobody's business. */
function unknownFlags(error: Error & UnknownFlags): Failure {
  const given = error.flags.map(flag => flag.replace(/=.*$/su, ''))
  const known = Object.keys(error.parse?.input?.flags ?? {}).map(name => `--${name}`)
  const near = given.flatMap(flag => findNearest(flag, known) ?? [])
  return new Failure('usage', `Nonexistent flag${given.length === 1 ? '' : 's'}: ${given.join(', ')}.`, {
    cause: error,
    ...(near.length === 0 ? {} : {suggestion: `Did you mean ${near.join(' and ')}? See all with --help.`}),
  })
}

function suggest(suggestion: string | undefined): {suggestion?: string} {
  return suggestion === undefined ? {} : {suggestion}
}
