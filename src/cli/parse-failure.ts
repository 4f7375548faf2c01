import {asFailure, Failure} from '../core/failure.ts'

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
    const [first = '', ...rest] = error.message.replace(/\n?See more help with --help$/u, '').split('\n')
    const detail = rest.map(line => line.trim()).filter(line => line !== '')
    const sentence = [first.trim().replace(/[:.]$/u, ''), ...detail].join(detail.length > 0 ? ': ' : '')
    return new Failure('usage', `${sentence.replace(/\.$/u, '')}.`, {cause: error})
  }
  return asFailure(error)
}

function suggest(suggestion: string | undefined): {suggestion?: string} {
  return suggestion === undefined ? {} : {suggestion}
}
