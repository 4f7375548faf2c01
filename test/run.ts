/**
 * What `npm test` runs: mocha over all tests, or over the files and options given. It tells what was skipped and why;
 * with CI=1 a skipped test is a failure. Its last line is `N passed, N failed`, with `, N skipped` where there are any.
 */
import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {existsSync} from 'node:fs'
import {mkdtemp, readFile, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {setTimeout} from 'node:timers/promises'
import {fileURLToPath} from 'node:url'
import type {RunReport} from './support/reporter.ts'
import {isStrict} from './support/skip.ts'

const MOCHA = fileURLToPath(new URL('../node_modules/mocha/bin/mocha.js', import.meta.url))
const REPORTER = fileURLToPath(new URL('support/reporter.ts', import.meta.url))
const ALL = 'test/**/*.test.ts'
/** How long output may still come after mocha's end. */
const GRACE = 5000

const folder = await mkdtemp(join(tmpdir(), 'skylift-test-'))
try {
  const output = join(folder, 'report.json')
  const ending = await runMocha(process.argv.slice(2), output)
  const report = await readReport(output)
  if (!tell(report, ending)) process.exitCode = 1
} finally {
  await rm(folder, {recursive: true, force: true})
}

interface Ending {
  readonly exitCode: number
  /** A process that a test left behind still holds mocha's output, and would hold that of whoever reads ours. */
  readonly leftBehind: boolean
}

async function runMocha(args: readonly string[], output: string): Promise<Ending> {
  const namesFiles = args.some(arg => !arg.startsWith('-') && (arg.endsWith('.ts') || existsSync(arg)))
  const mocha = spawn(
    process.execPath,
    [
      MOCHA,
      ...['--reporter', REPORTER, '--reporter-option', `output=${output}`],
      ...(process.stdout.isTTY ? ['--color'] : []),
      ...(isStrict() ? ['--forbid-only'] : []),
      ...args,
      ...(namesFiles ? [] : [ALL]),
    ],
    {stdio: ['inherit', 'pipe', 'pipe']},
  )
  mocha.stdout.pipe(process.stdout, {end: false})
  mocha.stderr.pipe(process.stderr, {end: false})
  const closed = once(mocha, 'close')
  const [code] = (await once(mocha, 'exit')) as [number | null]
  const leftBehind = await Promise.race([closed.then(() => false), setTimeout(GRACE, true, {ref: false})])
  mocha.stdout.destroy()
  mocha.stderr.destroy()
  return {exitCode: code ?? 1, leftBehind}
}

/** Undefined when mocha did not come to its end. */
async function readReport(output: string): Promise<RunReport | undefined> {
  try {
    return JSON.parse(await readFile(output, 'utf8')) as RunReport
  } catch {
    return undefined
  }
}

/** Prints what the run came to; true when it is a success. */
function tell(report: RunReport | undefined, ending: Ending): boolean {
  const {passed, failed, skipped} = report ?? {passed: 0, failed: 0, skipped: []}
  for (const [reason, titles] of groupByReason(skipped)) {
    console.log(`\nSkipped, ${reason}:`)
    for (const title of titles) console.log(`  ${title}`)
  }
  const isRefused = skipped.length > 0 && isStrict()
  if (isRefused) console.log('\nWith CI=1 a skipped test is a failure.')
  let failures = failed + (isRefused ? skipped.length : 0)
  const trouble = findTrouble(report, ending)
  if (trouble && failures === 0) {
    console.log(`\n${trouble}`)
    failures = 1
  }
  const rest = skipped.length > 0 && !isRefused ? `, ${skipped.length} skipped` : ''
  console.log(`\n${passed} passed, ${failures} failed${rest}`)
  return failures === 0
}

/** What makes a run without a failed test a failure all the same. */
function findTrouble(report: RunReport | undefined, {exitCode, leftBehind}: Ending): string | undefined {
  if (!report) return `Mocha ended with ${exitCode} before it was done.`
  if (exitCode !== 0) return `Mocha ended with ${exitCode} although no test failed.`
  if (leftBehind) return 'A test left a process running that still holds the output.'
  return report.passed === 0 ? 'No test passed or failed: nothing was tested.' : undefined
}

function groupByReason(skipped: RunReport['skipped']): Map<string, string[]> {
  const groups = new Map<string, string[]>()
  for (const {title, reason} of skipped) groups.set(reason, [...(groups.get(reason) ?? []), title])
  return groups
}
