import {readFileSync} from 'node:fs'
import {fileURLToPath} from 'node:url'
import {Config, Errors, flush, run} from '@oclif/core'
import {readParseFailure} from './parse-failure.ts'
import {statusOf} from './exit-codes.ts'
import {failureToJson, tellFailure} from './tell-failure.ts'

/** Runs one command line of the package whose `bin` this is, and ends the process with its exit status. */
export async function main(root: string): Promise<never> {
  const argv = process.argv.slice(2)
  try {
    await run(argv, await loadConfig(fileURLToPath(new URL('..', root)), argv))
    await flush()
    process.exit(process.exitCode ?? 0)
  } catch (error) {
    await flush().catch(() => {})
    if (error instanceof Errors.ExitError) process.exit(error.oclif.exit ?? 1)
    // Only what never reached a command comes here: an unknown command, for one.
    const failure = readParseFailure(error)
    if (argv.includes('--json')) {
      process.stdout.write(`${JSON.stringify({ok: false, failures: [failureToJson(failure)]}, null, 2)}\n`)
    } else process.stderr.write(tellFailure(failure, false))
    process.exit(statusOf([failure.code]))
  }
}

/** All commands are loaded only where their words are wanted: to run one, its own chunk is enough. */
async function loadConfig(root: string, argv: readonly string[]): Promise<Config> {
  const pjson = JSON.parse(readFileSync(`${root}package.json`, 'utf8'))
  const {target} = pjson.oclif.commands
  const load = async (each: string): Promise<Config> => {
    pjson.oclif.commands.target = each
    return Config.load({root, pjson})
  }
  const lazy = await load('./dist/lazy.js')
  const [first = '', second = ''] = argv
  const isKnown = lazy.findCommand(first) !== undefined || lazy.findCommand(`${first}:${second}`) !== undefined
  return isKnown && first !== 'help' && !argv.includes('--help') ? lazy : load(target)
}
