import {existsSync, readFileSync} from 'node:fs'
import {fileURLToPath} from 'node:url'
import {Config, Errors, run} from '@oclif/core'
import type {Command, Interfaces} from '@oclif/core'
import {escapeMarks} from './displays/json.ts'
import {watchOutputs} from './outputs.ts'
import {ownWords} from './own-words.ts'
import {readParseFailure} from './parse-failure.ts'
import {statusOf} from './exit-codes.ts'
import {failureToJson, writeFailures} from './tell-failure.ts'
import {unknownCommand} from './unknown-command.ts'

/** A command by its name, not loaded yet, and the words behind the name. */
interface Found {
  readonly id: string
  readonly words: readonly string[]
  load(): Promise<Command.Class>
}

type Find = (argv: readonly string[]) => Found | undefined

/** What is asked for, as far as that can be said without loading a command. */
interface Wish {
  readonly found: Found | undefined
  /** Words alone: the version, the list of commands. */
  readonly isListing: boolean
  /** Help that the build has written down. */
  readonly isTold: boolean
}

function readWish(argv: readonly string[], find: Find): Wish {
  const wantsHelp = argv[0] === 'help' || ownWords(argv).includes('--help')
  const isListing = argv.every(word => word === '--help' || word === '--version')
  return {
    found: wantsHelp ? undefined : find(argv),
    isListing,
    isTold: isListing || (argv[0] !== 'help' && wantsHelp),
  }
}

function readWords(): readonly string[] {
  const given = process.argv.slice(2)
  return ['-V', 'version'].includes(given[0] ?? '') ? ['--version'] : given
}

/** True for a command line for which oclif looks at all commands: it loads them by itself, from their files. */
export function needsAll(find: Find): boolean {
  const {found, isTold} = readWish(readWords(), find)
  return found === undefined && !isTold
}

/** Runs one command line of the package whose `bin` this is, and ends the process with its exit status. */
export async function main(bin: string, find: Find, names: readonly string[]): Promise<never> {
  const argv = readWords()
  const outputs = watchOutputs()
  const root = fileURLToPath(new URL('..', bin))
  try {
    const {found, isListing, isTold} = readWish(argv, find)
    const written = `${root}dist/help/${isListing ? 'list' : 'all'}/`
    const pjson = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as Interfaces.PJSON
    if (found !== undefined) delete pjson.oclif.commands
    const options = {root: isTold && existsSync(written) ? written : root, pjson}
    await (found === undefined ? run([...argv], await Config.load(options)) : runFound(found, options))
    return await end(Number(process.exitCode ?? 0))
  } catch (error) {
    if (error instanceof Errors.ExitError) return end(error.oclif.exit ?? 1)
    // Only what never reached a command comes here: an unknown command, for one.
    const isUnknown = error instanceof Errors.CLIError && /^command .* not found/isu.test(error.message)
    const failure = isUnknown ? unknownCommand(argv, names) : readParseFailure(error)
    if (ownWords(argv).includes('--json')) {
      process.stdout.write(`${escapeMarks(JSON.stringify({ok: false, failures: [failureToJson(failure)]}, null, 2))}\n`)
    } else writeFailures([failure], argv)
    return end(statusOf([failure.code]))
  }

  /** A command that failed has its own status, whatever else is lost. */
  async function end(status: number): Promise<never> {
    const loss = await outputs.findLoss()
    if (loss !== undefined) writeFailures([loss], argv)
    process.exit(status === 0 && loss !== undefined ? statusOf([loss.code]) : status)
  }
}

/**
 * Runs one command that is known already. Not by oclif's own way: it looks at all commands first, and sorts them, which
 * takes longer than a whole `link`.
 */
async function runFound({id, words, load}: Found, options: Interfaces.Options): Promise<void> {
  const command = await load()
  command.id = id
  // It reads its own configuration, even where one is handed to it.
  await command.run([...words], options)
}
