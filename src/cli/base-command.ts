import {Command, Flags} from '@oclif/core'
import type {Failure} from '../core/failure.ts'
import {printable} from '../core/printable.ts'
import type {Json} from '../stores/store.ts'
import {escapeMarks} from './displays/json.ts'
import {statusOf} from './exit-codes.ts'
import {harmless} from './github.ts'
import {readParseFailure} from './parse-failure.ts'
import {failureToJson, isProgressJson, writeFailures} from './tell-failure.ts'

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
    if (this.jsonEnabled()) this.logJson({ok: false, ...more, failures: failures.map(failureToJson)})
    else writeFailures(failures, this.argv)
    this.exit(statusOf(failures.map(({code}) => code)))
  }

  protected isProgressJson(): boolean {
    return isProgressJson(this.argv)
  }

  protected override async catch(error: Error): Promise<never> {
    // `this.exit` throws too: everything has been told by then.
    if ('code' in error && error.code === 'EEXIT') throw error
    this.endWith([readParseFailure(error)])
  }

  /** Tells lines on stderr; with `--json` they stand in the document instead. */
  protected tellAside(lines: readonly string[]): void {
    if (this.jsonEnabled()) return
    for (const line of lines) process.stderr.write(`${harmless(printable(line))}\n`)
  }

  override logJson(json: unknown): void {
    this.log(escapeMarks(JSON.stringify(json, null, 2)))
  }

  override log(text = ''): void {
    process.stdout.write(`${harmless(text)}\n`)
  }
}
