import {Command, Flags} from '@oclif/core'
import type {Failure} from '../core/failure.ts'
import type {Json} from '../stores/store.ts'
import {statusOf} from './exit-codes.ts'
import {readParseFailure} from './parse-failure.ts'
import {failureToJson, tellFailure} from './tell-failure.ts'

/** What every command has: `--json`, `--debug`, and one way to fail. */
export abstract class BaseCommand extends Command {
  static override enableJsonFlag = true

  static override baseFlags = {
    debug: Flags.boolean({
      char: 'v',
      description: 'one line on stderr for every request, nothing secret in it; stacks of failures',
      env: 'SKYLIFT_DEBUG',
      helpGroup: 'GLOBAL',
    }),
  }

  /** Ends the command with the status of these failures, told on stderr or as one JSON document. */
  protected endWith(failures: readonly Failure[], more: {readonly [name: string]: Json} = {}): never {
    const isDebug = this.argv.some(word => word === '-v' || word === '--debug') || Boolean(process.env['SKYLIFT_DEBUG'])
    if (this.jsonEnabled()) this.logJson({ok: false, ...more, failures: failures.map(failureToJson)})
    else for (const failure of failures) process.stderr.write(tellFailure(failure, isDebug))
    this.exit(statusOf(failures.map(({code}) => code)))
  }

  protected override async catch(error: Error): Promise<never> {
    // `this.exit` throws too: everything has been told by then.
    if ('code' in error && error.code === 'EEXIT') throw error
    this.endWith([readParseFailure(error)])
  }

  override logJson(json: unknown): void {
    this.log(JSON.stringify(json, null, 2))
  }

  override log(text = ''): void {
    process.stdout.write(`${text}\n`)
  }
}
