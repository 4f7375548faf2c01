import {execFileSync} from 'node:child_process'
import {writeFileSync} from 'node:fs'
import {reporters, type MochaOptions, type Runner} from 'mocha'
import './skip.ts'

/** How long a process may still need to end by itself once its tests are done. */
const GRACE = 10_000

/** What one run of mocha came to; the runner (test/run.ts) reads it from the file named by `output`. */
export interface RunReport {
  readonly passed: number
  /** Failed hooks count as well. */
  readonly failed: number
  readonly skipped: readonly {readonly title: string; readonly reason: string}[]
  /** What the tests left open and the process would have waited for without an end, by Node's names. */
  readonly open?: readonly string[]
}

/** Mocha's own `dot`, and the figures in a file: `--reporter-option output=FILE`. */
export class Reporter extends reporters.Dot {
  constructor(runner: Runner, options: MochaOptions) {
    super(runner, options)
    const skipped: {title: string; reason: string}[] = []
    const output = (options.reporterOptions as {output?: string} | undefined)?.output
    runner.on('pending', test => skipped.push({title: test.fullTitle(), reason: findReason(test)}))
    runner.once('end', () => {
      const report: RunReport = {passed: this.stats.passes, failed: this.stats.failures, skipped}
      if (!output) return
      writeFileSync(output, JSON.stringify(report))
      // Without Node's own cleaning up, which can spin for ever over a handle that it takes for closed.
      process.once('exit', code => process.exit(code))
      setTimeout(() => {
        writeFileSync(output, JSON.stringify({...report, open: listOpen()} satisfies RunReport))
        process.exit(report.failed > 0 ? 1 : 0)
      }, GRACE).unref()
    })
  }
}

/** Child processes by their command lines: the name of the resource alone tells nothing of them. */
function listOpen(): readonly string[] {
  const children = execFileSync('ps', ['--ppid', String(process.pid), '-ww', '-o', 'args='], {encoding: 'utf8'})
  const commands = children.split('\n').filter(command => command !== '' && !command.startsWith('ps '))
  return [...process.getActiveResourcesInfo(), ...commands]
}

function findReason(test: Mocha.Test): string {
  if (test.skipReason) return test.skipReason
  for (let suite = test.parent; suite; suite = suite.parent) if (suite.skipReason) return suite.skipReason
  return 'no reason given'
}

export default Reporter
