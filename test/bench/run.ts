/**
 * `npm run bench -- [--size 1G,8G] [--rounds 3] [--only skylift,curl] [--scenario big,swift,small,start] [--delay MS]
 * [--json FILE] [--write]`: Skylift beside its peers on one sink. See README.md beside this file.
 */
import {execFileSync} from 'node:child_process'
import {readFileSync, rmSync} from 'node:fs'
import {mkdtemp, rm, writeFile} from 'node:fs/promises'
import {cpus} from 'node:os'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {formatSize} from '../../src/core/sizes.ts'
import {writeDocument} from './document.ts'
import type {Start} from './document.ts'
import {findRoom, makeFile, makeFolder, partEtags} from './files.ts'
import {buildMeasure} from './measure.ts'
import type {Usage} from './measure.ts'
import {readOptions} from './options.ts'
import {findObstacle, type Setting} from './peers.ts'
import {formatTable, median, summarize} from './report.ts'
import type {Run, Summary} from './report.ts'
import {runRounds, type Stage} from './rounds.ts'
import {buildSink, canBuildSink, makeCertificate, startSink} from './sink.ts'

const SMALL_COUNT = 2000
const SMALL_SIZE = 16 * 1024

const options = readOptions(process.argv.slice(2))
if (!(await canBuildSink())) throw new Error('The bench needs Linux, a C compiler and libssl-dev.')
const certificate = await makeCertificate()
const program = await buildMeasure()
const etags = partEtags(options.sizes).flatMap(etag => ['-e', etag])
const sink = await startSink(await buildSink(), certificate, ['-d', String(options.delay), ...etags])
const folder = await mkdtemp(join(await findRoom(Math.max(...options.sizes)), 'skylift-bench-'))
process.once('exit', () => rmSync(folder, {recursive: true, force: true}))
process.once('SIGINT', () => process.exit(130))
process.once('SIGTERM', () => process.exit(143))

const runs: Run[] = []
const summaries: Summary[] = []
const failures: string[] = []
const peers = options.peers.filter(peer => {
  const obstacle = findObstacle(peer, sink)
  if (obstacle && peer.isRare !== true) failures.push(`${peer.name} did not run: ${obstacle}.`)
  return !obstacle
})

const settings: Readonly<Record<string, Setting>> = {
  http: {endpoint: sink.http, home: folder},
  https: {endpoint: sink.https, cert: certificate.cert, home: folder},
}
/** The scenarios that were asked for and begin with a word, with where they upload to. */
function settingsOf(word: string): [string, Setting][] {
  return Object.entries(settings).filter(([name]) => options.scenarios.includes(`${word}-${name}`))
}

for (const size of options.sizes) {
  const stages = (['big', 'swift'] as const).flatMap(word => settingsOf(word).map(each => [word, ...each] as const))
  if (stages.length === 0) break
  const file = join(folder, 'big')
  await makeFile(file, size)
  for (const [word, name, setting] of stages) {
    await play({
      name: word === 'swift' ? `Swift, ${formatSize(size)} ${name}` : `${formatSize(size)} ${name}`,
      protocol: word === 'swift' ? 'swift' : 's3',
      files: 1,
      bytes: size,
      prepare: async peer => peer.uploadFile(file, setting),
    })
  }
  await rm(file)
}
const smallSettings = settingsOf('small')
if (smallSettings.length > 0) {
  const small = join(folder, 'small')
  const names = await makeFolder(small, SMALL_COUNT, SMALL_SIZE)
  for (const [name, setting] of smallSettings) {
    const delay = options.delay > 0 ? `, answers after ${options.delay} ms` : ''
    await play({
      name: `${SMALL_COUNT} × ${formatSize(SMALL_SIZE)} ${name}${delay}`,
      protocol: 's3',
      files: SMALL_COUNT,
      bytes: SMALL_COUNT * SMALL_SIZE,
      prepare: async peer => peer.uploadFolder?.(small, names, setting),
    })
  }
}
await sink.stop()
const starts = options.scenarios.includes('start') ? measureStarts() : []

if (options.json) {
  const machine = {cpu: cpus()[0]?.model, cores: cpus().length, node: process.version, at: new Date().toISOString()}
  await writeFile(options.json, `${JSON.stringify({machine, runs, starts, failures}, undefined, 2)}\n`)
}
if (options.isForDocs) await writeDocument(summaries, starts)
for (const failure of failures) console.error(failure)
if (failures.length > 0) process.exitCode = 1

async function play(stage: Stage): Promise<void> {
  const played = await runRounds(stage, peers, options.rounds, {sink, program})
  runs.push(...played.runs)
  failures.push(...played.failures)
  if (played.runs.length === 0) return
  const summary = summarize(stage, played.runs)
  summaries.push(summary)
  console.log(`${formatTable(summary)}\n`)
}

function measureStarts(): Start[] {
  const json = join(folder, 'start.json')
  const script = fileURLToPath(new URL('start.ts', import.meta.url))
  try {
    execFileSync(process.execPath, [...process.execArgv, script, '--json', json], {stdio: 'inherit'})
  } catch {
    failures.push('The start costs more than it may.')
  }
  const all = JSON.parse(readFileSync(json, 'utf8')) as Record<string, readonly Usage[]>
  return Object.entries(all).map(([name, usages]) => ({
    name,
    cpu: median(usages.map(({cpu}) => cpu * 1000)),
    wall: median(usages.map(({wall}) => wall * 1000)),
  }))
}
