/**
 * `npm run bench -- [--size 1G,8G] [--rounds 3] [--only skylift,curl] [--scenario big,small] [--delay MS] [--json FILE]`:
 * Skylift beside its peers on one sink. See README.md beside this file.
 */
import {rmSync} from 'node:fs'
import {mkdtemp, rm, writeFile} from 'node:fs/promises'
import {cpus} from 'node:os'
import {join} from 'node:path'
import {formatSize} from '../../src/core/sizes.ts'
import {findRoom, makeFile, makeFolder} from './files.ts'
import {buildMeasure} from './measure.ts'
import {readOptions} from './options.ts'
import {findObstacle, type Setting} from './peers.ts'
import {formatTable, type Run} from './report.ts'
import {runRounds, type Stage} from './rounds.ts'
import {buildSink, canBuildSink, makeCertificate, startSink} from './sink.ts'

const SMALL_COUNT = 2000
const SMALL_SIZE = 16 * 1024

const options = readOptions(process.argv.slice(2))
if (!(await canBuildSink())) throw new Error('The bench needs Linux, a C compiler and libssl-dev.')
const certificate = await makeCertificate()
const program = await buildMeasure()
const sink = await startSink(await buildSink(), certificate, ['-d', String(options.delay)])
const folder = await mkdtemp(join(await findRoom(Math.max(...options.sizes)), 'skylift-bench-'))
process.once('exit', () => rmSync(folder, {recursive: true, force: true}))
process.once('SIGINT', () => process.exit(130))
process.once('SIGTERM', () => process.exit(143))

const runs: Run[] = []
const failures: string[] = []
const peers = options.peers.filter(peer => {
  const obstacle = findObstacle(peer, sink)
  if (obstacle) failures.push(`${peer.name} did not run: ${obstacle}.`)
  return !obstacle
})

const http: Setting = {endpoint: sink.http, home: folder}
const https: Setting = {endpoint: sink.https, cert: certificate.cert, home: folder}

for (const size of options.sizes) {
  if (!options.scenarios.some(name => name.startsWith('big'))) break
  const file = join(folder, 'big')
  await makeFile(file, size)
  for (const [name, setting] of [
    ['big-http', http],
    ['big-https', https],
  ] as const) {
    if (!options.scenarios.includes(name)) continue
    const title = `${formatSize(size)} ${name.slice('big-'.length)}`
    await play({name: title, files: 1, bytes: size, prepare: async peer => peer.uploadFile(file, setting)})
  }
  await rm(file)
}
if (options.scenarios.includes('small')) {
  const small = join(folder, 'small')
  const names = await makeFolder(small, SMALL_COUNT, SMALL_SIZE)
  await play({
    name: `${SMALL_COUNT} × ${formatSize(SMALL_SIZE)} http`,
    files: SMALL_COUNT,
    bytes: SMALL_COUNT * SMALL_SIZE,
    prepare: async peer => peer.uploadFolder(small, names, http),
  })
}

await sink.stop()
if (options.json) {
  const machine = {cpu: cpus()[0]?.model, cores: cpus().length, node: process.version, at: new Date().toISOString()}
  await writeFile(options.json, `${JSON.stringify({machine, runs, failures}, undefined, 2)}\n`)
}
for (const failure of failures) console.error(failure)
if (failures.length > 0) process.exitCode = 1

async function play(stage: Stage): Promise<void> {
  const played = await runRounds(stage, peers, options.rounds, {sink, program})
  runs.push(...played.runs)
  failures.push(...played.failures)
  console.log(`${formatTable(stage, played.runs)}\n`)
}
