import {Config, Errors, flush, run} from '@oclif/core'
import {readParseFailure} from './parse-failure.ts'
import {statusOf} from './exit-codes.ts'
import {failureToJson, tellFailure} from './tell-failure.ts'

/** Runs one command line and ends the process with its exit status. */
export async function main(root: string): Promise<never> {
  const argv = process.argv.slice(2)
  try {
    const config = await Config.load({root})
    await run(argv, config)
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
