/**
 * What `npm test` runs: mocha over all tests, a process for each folder so that none disturbs the next, or over the
 * files and options given. It tells what was skipped and why;
 * with CI=1 a skipped test is a failure. Its last line is `N passed, N failed`, with `, N skipped` where there are any.
 */
import {spawn} from 'node:child_process'
import {randomUUID} from 'node:crypto'
import {once} from 'node:events'
import {existsSync} from 'node:fs'
import {mkdtemp, readdir, readFile, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join, sep} from 'node:path'
import {setTimeout} from 'node:timers/promises'
import {fileURLToPath} from 'node:url'
import type {RunReport} from './support/reporter.ts'
import {isStrict} from './support/skip.ts'

const MOCHA = fileURLToPath(new URL('../node_modules/mocha/bin/mocha.js', import.meta.url))
const REPORTER = fileURLToPath(new URL('support/reporter.ts', import.meta.url))
const TESTS = fileURLToPath(new URL('.', import.meta.url))
/** How long output may still come after mocha's end. */
const GRACE = 5000
/** The most that one folder of all may take, on a machine three times as slow: what hangs must end as a failure that names it. */
const LONGEST = 45 * 60_000
/** So many folders are tested at a time: two take two thirds of the time on two cores. */
const LANES = 2
/** Takes nearly as long as all others together, so it begins first. */
const SLOWEST = 'e2e'

const folder = await mkdtemp(join(tmpdir(), 'skylift-test-'))
try {
  const words = process.argv.slice(2)
  // Whoever names files, such as `npm run test:fuzz`, may want them to take hours.
  const runs = hasFiles(words) ? [await runTests(words, piece => process.stdout.write(piece))] : await runFolders(words)
  if (!tell(runs)) process.exitCode = 1
} finally {
  await rm(folder, {recursive: true, force: true})
}

interface Run {
  readonly name: string
  readonly ending: Ending
  readonly report: RunReport | undefined
}

/** What the tests of a folder print comes together, once they are done. */
async function runFolders(options: readonly string[]): Promise<readonly Run[]> {
  const waiting = await listFolders()
  const runs: Run[] = []

  async function work(): Promise<void> {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      const printed: Buffer[] = []
      const run = await runTests([...options, `test/${name}*.test.ts`], piece => printed.push(piece), LONGEST)
      process.stdout.write(Buffer.concat([Buffer.from(`${run.name}\n`), ...printed]))
      runs.push(run)
    }
  }

  await Promise.all(Array.from({length: LANES}, work))
  return runs
}

/** Returns globs of folders, the slowest first. */
async function listFolders(): Promise<string[]> {
  const found = await readdir(TESTS, {recursive: true})
  const files = found.map(file => file.split(sep)).filter(words => words.at(-1)?.endsWith('.test.ts'))
  const names = [...new Set(files.map(([first = '', ...rest]) => (rest.length > 0 ? first : '')))].sort()
  const inOrder = [...names.filter(name => name === SLOWEST), ...names.filter(name => name !== SLOWEST)]
  return inOrder.map(name => (name === '' ? name : `${name}/**/`))
}

function hasFiles(args: readonly string[]): boolean {
  return args.some(arg => !arg.startsWith('-') && (arg.endsWith('.ts') || existsSync(arg)))
}

interface Ending {
  readonly exitCode: number
  readonly signal: NodeJS.Signals | null
  /** A process that a test left behind still holds mocha's output, and would hold that of whoever reads ours. */
  readonly leftBehind: boolean
}

/** Runs mocha with its arguments, the tests as the last, for `timeout` milliseconds at most. */
async function runTests(args: readonly string[], print: (piece: Buffer) => void, timeout?: number): Promise<Run> {
  const output = join(folder, randomUUID())
  const mocha = spawn(
    process.execPath,
    [
      MOCHA,
      ...['--reporter', REPORTER, '--reporter-option', `output=${output}`],
      ...(process.stdout.isTTY ? ['--color'] : []),
      ...(isStrict() ? ['--forbid-only'] : []),
      ...args,
    ],
    {stdio: ['inherit', 'pipe', 'pipe'], killSignal: 'SIGKILL', ...(timeout === undefined ? {} : {timeout})},
  )
  mocha.stdout.on('data', print)
  mocha.stderr.on('data', print)
  const closed = once(mocha, 'close')
  const [code, signal] = (await once(mocha, 'exit')) as [number | null, NodeJS.Signals | null]
  const leftBehind = await Promise.race([closed.then(() => false), setTimeout(GRACE, true, {ref: false})])
  mocha.stdout.destroy()
  mocha.stderr.destroy()
  const ending = {exitCode: code ?? 1, signal, leftBehind}
  return {name: args.at(-1) ?? '', ending, report: await readReport(output)}
}

/** Undefined when mocha did not come to its end. */
async function readReport(output: string): Promise<RunReport | undefined> {
  try {
    return JSON.parse(await readFile(output, 'utf8')) as RunReport
  } catch {
    return undefined
  }
}

/** Prints what the runs came to; true when they are a success. */
function tell(runs: readonly Run[]): boolean {
  const reports = runs.map(({report}) => report ?? {passed: 0, failed: 0, skipped: []})
  const passed = reports.reduce((sum, report) => sum + report.passed, 0)
  const skipped = reports.flatMap(report => report.skipped)
  for (const [reason, titles] of groupByReason(skipped)) {
    console.log(`\nSkipped, ${reason}:`)
    for (const title of titles) console.log(`  ${title}`)
  }
  const isRefused = skipped.length > 0 && isStrict()
  if (isRefused) console.log('\nWith CI=1 a skipped test is a failure.')
  let failures = reports.reduce((sum, report) => sum + report.failed, isRefused ? skipped.length : 0)
  for (const {name, report, ending} of runs) {
    const leftover = findLeftover(report, ending)
    if (leftover !== undefined) console.log(`\n${name}: ${leftover}`)
    const trouble = findTrouble(report, ending)
    if (trouble === undefined || (report !== undefined && report.failed > 0)) continue
    console.log(`\n${name}: ${trouble}`)
    failures++
  }
  const rest = skipped.length > 0 && !isRefused ? `, ${skipped.length} skipped` : ''
  console.log(`\n${passed} passed, ${failures} failed${rest}`)
  return failures === 0
}

/** What the tests did not clean up: told, since it says nothing about what they tried. */
function findLeftover(report: RunReport | undefined, {leftBehind}: Ending): string | undefined {
  if (report?.open) return `The tests left open what kept their process from its end: ${report.open.join(', ')}.`
  return leftBehind ? 'A test left a process running that still holds the output.' : undefined
}

/** What makes a run without a failed test a failure all the same. */
function findTrouble(report: RunReport | undefined, {exitCode, signal}: Ending): string | undefined {
  if (!report) return `Mocha ended with ${signal ?? exitCode} before it was done.`
  if (exitCode !== 0) return `Mocha ended with ${exitCode} although no test failed.`
  const isEmpty = report.passed === 0 && report.skipped.length === 0
  return isEmpty ? 'No test passed or failed: nothing was tested.' : undefined
}

function groupByReason(skipped: RunReport['skipped']): Map<string, string[]> {
  const groups = new Map<string, string[]>()
  for (const {title, reason} of skipped) groups.set(reason, [...(groups.get(reason) ?? []), title])
  return groups
}
