import {Flags} from '@oclif/core'
import {Failure} from '../core/failure.ts'
import {MIB} from '../core/sizes.ts'
import {formatTarget, isDestination, isFolderTarget, parseDestination} from '../core/target.ts'
import type {Destination, Target} from '../core/target.ts'
import {sizeFlag} from './flags.ts'
import type {resultFlags, sourceFlags} from './source-flags.ts'

const DEFAULT_MEMORY = 256 * MIB

export const streamFlags = {
  'from-command': Flags.boolean({
    description: 'run the program after -- and upload what it writes; when it fails, nothing is stored',
    helpGroup: 'STREAM',
  }),
  'expect-size': sizeFlag({
    description: 'bytes that will come; anything else fails, and stores that want equal parts get theirs',
    helpGroup: 'STREAM',
  }),
  memory: sizeFlag({
    description: 'hold so much of a stream in memory, the rest in the temporary folder (TMPDIR); 256M unless given',
    default: DEFAULT_MEMORY,
    helpGroup: 'STREAM',
  }),
}

/** What chooses among files, or counts them. */
const FOR_FILES = [
  'receipt',
  'recursive',
  'include',
  'exclude',
  'ignore-file',
  'from-file',
  'skip-unchanged',
  'retry-failed',
  'max-failures',
] as const satisfies readonly ('receipt' | keyof typeof sourceFlags | keyof typeof resultFlags)[]

/** What of a command line decides whether a stream is uploaded, and how. */
export interface StreamFlags extends Readonly<Partial<Record<(typeof FOR_FILES)[number], unknown>>> {
  readonly 'from-command'?: boolean
  readonly 'expect-size'?: number | undefined
  readonly memory: number
  readonly engine: string
  readonly resume: string
}

export interface StreamArguments {
  /** Absent: stdin. */
  readonly command?: readonly string[]
  readonly destination: Destination
}

/** Reads the words of `upload` as those of a stream; undefined where files are meant. Fails `usage`, `unsupported`. */
export function readStreamArguments(
  words: readonly string[],
  flags: StreamFlags,
  given?: Destination,
): StreamArguments | undefined {
  const isCommand = flags['from-command'] === true
  if (!isCommand && !words.includes('-')) {
    if (flags['expect-size'] === undefined) return undefined
    throw new Failure('usage', '--expect-size is for stdin (-) and --from-command: a file has its size.')
  }
  refuseFlags(flags)
  if (given !== undefined) return splitGiven(words, isCommand, given)
  return isCommand ? splitCommand(words) : splitStdin(words)
}

/** A stream has no name that a folder could take. Fails `usage`. */
export function checkStreamTarget(target: Target): void {
  if (!isFolderTarget(target)) return
  const text = formatTarget(target)
  throw new Failure('usage', `"${text}" names no object, and a stream has no name of its own.`, {
    suggestion: `Write the whole key, for example ${text.replace(/\/?$/u, '/')}backup.sql.gz`,
  })
}

function refuseFlags(flags: StreamFlags): void {
  const {engine, resume} = flags
  if (engine === 'sdk') {
    throw new Failure('unsupported', 'A stream cannot be sent by --engine sdk.', {suggestion: 'Leave --engine out.'})
  }
  if (resume === 'store') {
    throw new Failure('usage', 'A stream cannot go on where another run ended: what has come does not come again.')
  }
  const wrong = FOR_FILES.find(name => flags[name] !== undefined)
  if (wrong !== undefined)
    throw new Failure('usage', `--${wrong} is for files: a stream is one object, and is gone once it has been read.`)
}

/** Where a flag says where it goes, no word does. */
function splitGiven(words: readonly string[], isCommand: boolean, destination: Destination): StreamArguments {
  if (isCommand && words[0]) return {command: words, destination}
  if (!isCommand && words.length === 1) return {destination}
  throw new Failure(
    'usage',
    isCommand ? 'Which program should run?' : '--url-file or --post says where stdin (-) goes: it stands alone.',
  )
}

function splitStdin(words: readonly string[]): StreamArguments {
  const [first, last, ...more] = words
  if (words.length === 2 && first === '-' && last !== undefined) return {destination: destinationOf(last)}
  if (first === '-' && more.length === 0) throw new Failure('usage', 'Where should stdin go?', {suggestion: HOW.stdin})
  throw new Failure('usage', 'stdin (-) goes alone: it becomes one object.', {
    suggestion: 'Upload the files by a command of their own. A file that is named so is ./-',
  })
}

function splitCommand(words: readonly string[]): StreamArguments {
  const [target, ...command] = words
  if (target === undefined || !isDestination(target)) {
    const what =
      target === undefined ? 'Where should the output go?' : `The first word must be a target, and "${target}" is none.`
    throw new Failure('usage', what, {suggestion: HOW.command})
  }
  if (!command[0]) throw new Failure('usage', 'Which program should run?', {suggestion: HOW.command})
  return {command, destination: destinationOf(target)}
}

function destinationOf(word: string): Destination {
  if (!isDestination(word)) {
    throw new Failure('usage', `The last word must be a target, and "${word}" is none.`, {suggestion: HOW.stdin})
  }
  const destination = parseDestination(word)
  if (destination.kind === 'target' && destination.container === '') {
    throw new Failure('usage', `"${word}" names no container.`)
  }
  return destination
}

const HOW = {
  stdin: 'Write: skylift upload - TARGET, for example: pg_dump shop | skylift upload - s3://backups/shop.sql',
  command:
    'Write: skylift upload --from-command TARGET -- PROGRAM..., for example: skylift upload --from-command s3://backups/shop.sql -- pg_dump shop',
}
