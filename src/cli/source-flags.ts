import {Flags} from '@oclif/core'
import {Failure} from '../core/failure.ts'

/** Which files are taken. */
export const sourceFlags = {
  recursive: Flags.boolean({
    char: 'r',
    description:
      'take what is in folders: the contents of one that is named go under the target, those of one that a glob matches keep its name',
    helpGroup: 'SOURCES',
  }),
  include: Flags.string({
    description: 'take only what matches, as in .gitignore; may be given several times',
    multiple: true,
    multipleNonGreedy: true,
    helpGroup: 'SOURCES',
    helpValue: 'PATTERN',
  }),
  exclude: Flags.string({
    description: 'leave out what matches, as in .gitignore, whatever --include says; may be given several times',
    multiple: true,
    multipleNonGreedy: true,
    helpGroup: 'SOURCES',
    helpValue: 'PATTERN',
  }),
  'ignore-file': Flags.string({
    description: 'leave out what a file in the syntax of .gitignore says, counted from each folder; may be repeated',
    multiple: true,
    multipleNonGreedy: true,
    helpGroup: 'SOURCES',
    helpValue: 'FILE',
  }),
  'from-file': Flags.string({
    description: 'take the files that a list names, by lines or zero bytes (-: stdin); each keeps its path in the key',
    helpGroup: 'SOURCES',
    helpValue: 'LIST',
    exclusive: ['recursive', 'retry-failed'],
  }),
  symlinks: Flags.string({
    description: 'what to do with symbolic links in folders',
    options: ['follow', 'skip', 'error'],
    default: 'follow',
    helpGroup: 'SOURCES',
  }),
  'skip-unchanged': Flags.string({
    description: 'send no file that the store has with the same size, or with the same size and checksum',
    options: ['size', 'checksum'],
    helpGroup: 'SOURCES',
  }),
}

/** What a script wants to know of a run, and give to the next. */
export const resultFlags = {
  results: Flags.string({
    description: 'write one line of JSON for each file: what was stored, or why it was not',
    helpGroup: 'RESULTS',
    helpValue: 'FILE',
    parse(text) {
      if (text !== '-') return Promise.resolve(text)
      throw new Failure('usage', '"-" would be stdout, which has results of its own.', {
        suggestion: 'Name a file or a pipe, such as /dev/fd/3 or >(jq .). A file that is named so is ./-',
      })
    },
  }),
  'retry-failed': Flags.string({
    description: 'take the files that failed according to the --results of an earlier run',
    helpGroup: 'RESULTS',
    helpValue: 'RESULTS',
  }),
  'max-failures': Flags.integer({
    description: 'begin nothing more after so many files have failed; all are tried unless given',
    min: 1,
    helpGroup: 'RESULTS',
    helpValue: 'NUMBER',
  }),
}

export interface SourceFlags {
  readonly recursive?: boolean
  readonly include?: readonly string[] | undefined
  readonly exclude?: readonly string[] | undefined
  readonly 'ignore-file'?: readonly string[] | undefined
  readonly 'from-file'?: string | undefined
  readonly 'retry-failed'?: string | undefined
  readonly symlinks: string
}
