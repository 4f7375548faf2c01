/**
 * `npx tsx test/bench/start.ts [--rounds 25] [--json FILE]`: what a command costs before it does anything. `--help`, `link`
 * and an upload of 1 KiB over http beside a bare oclif bundle with one empty command, bundled the same way, and what signs
 * a URL elsewhere: `aws s3 presign` and `swift tempurl`, where they are installed. Interleaved, medians of wall and CPU.
 * Ends with 1 where a command costs more CPU than it may.
 */
import {existsSync} from 'node:fs'
import {cp, mkdir, mkdtemp, readFile, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {parseArgs} from 'node:util'
import {buildSkylift, bundle, writeHelp} from '../../scripts/build.ts'
import {compileScripts} from '../../scripts/compile.ts'
import {buildMeasure, measureCommand} from './measure.ts'
import type {Usage} from './measure.ts'
import {createEnv} from './peer.ts'
import {median} from './report.ts'
import {buildSink, makeCertificate, startSink} from './sink.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
/** By how many times a link is to be quicker than what others sign with. */
const TIMES = 4

const BARE = {
  'run.js': `#!/usr/bin/env node
const {main} = await import('../dist/run.js')
await main(import.meta.url)
`,
  'commands.ts': `import {Command} from '@oclif/core'
class Noop extends Command {
  async run(): Promise<void> {}
}
export const COMMANDS = {noop: Noop}
`,
  'run.ts': `import {fileURLToPath} from 'node:url'
import {Config, flush, run} from '@oclif/core'
export async function main(root: string): Promise<never> {
  const config = await Config.load({root: fileURLToPath(new URL("..", root))})
  await run(process.argv.slice(2), config)
  await flush()
  process.exit(0)
}
`,
}

const {values} = parseArgs({options: {rounds: {type: 'string', default: '25'}, json: {type: 'string'}}})
const rounds = Number(values.rounds)
if (!Number.isInteger(rounds) || rounds < 1) throw new Error(`--rounds is not a number from 1: ${values.rounds}.`)

const folder = await mkdtemp(join(tmpdir(), 'skylift-start-'))
const sink = await startSink(await buildSink(), await makeCertificate())
try {
  const program = await buildMeasure()
  const peers = [await makeBare(), ...(await makeOurs()), ...findOthers()]
  const usages = new Map(peers.map(({name}) => [name, [] as Usage[]]))
  const env = {...createEnv({endpoint: sink.http, home: folder}), SKYLIFT_STATE_DIR: join(folder, 'state')}
  for (let round = 0; round <= rounds; round++) {
    for (const {name, argv} of peers) {
      const usage = await measureCommand(program, {argv, env})
      // The first round fills the caches of the disk.
      if (round > 0) usages.get(name)?.push(usage)
    }
  }
  if (!tell(peers, usages)) process.exitCode = 1
  if (values.json !== undefined) {
    await writeFile(values.json, `${JSON.stringify(Object.fromEntries(usages), undefined, 2)}\n`)
  }
} finally {
  await sink.stop()
  await rm(folder, {recursive: true, force: true})
}

interface Peer {
  readonly name: string
  readonly argv: readonly string[]
  /** The most that it may cost above the bare bundle. */
  readonly allowed?: number
  /** It does what a link does. */
  readonly isOther?: boolean
}

async function makeBare(): Promise<Peer> {
  const home = await makePackage('bare')
  await mkdir(join(home, 'src'))
  for (const [file, source] of Object.entries(BARE)) {
    await writeFile(join(home, file === 'run.js' ? 'bin' : 'src', file), source)
  }
  const entryPoints = {commands: join(home, 'src', 'commands.ts'), run: join(home, 'src', 'run.ts')}
  await bundle({entryPoints, outdir: join(home, 'dist'), nodePaths: [join(ROOT, 'node_modules')]})
  return {name: 'bare oclif', argv: [process.execPath, join(home, 'bin', 'run.js'), 'noop']}
}

/** As it is built, and as it is packed: without what was compiled. */
async function makeOurs(): Promise<Peer[]> {
  const [built, packed] = [await makePackage('skylift'), join(folder, 'packed')]
  await cp(join(ROOT, 'bin'), join(built, 'bin'), {recursive: true})
  await buildSkylift(join(built, 'dist'))
  await writeHelp(join(built, 'dist'))
  await cp(built, packed, {recursive: true})
  await compileScripts(join(built, 'dist'))
  const file = join(folder, 'file')
  await writeFile(file, 'x'.repeat(1024))
  return [...listStarts('skylift', built, file), ...listStarts('packed', packed, file)]
}

function listStarts(name: string, home: string, file: string): Peer[] {
  const skylift = [process.execPath, join(home, 'bin', 'run.js')]
  const link = ['link', 's3://artifacts/nightly/build.tar', '-f', 'résumé, v2.tar', '--expires', '12h']
  return [
    {name: `${name} --help`, argv: [...skylift, '--help'], allowed: 10},
    {name: `${name} link`, argv: [...skylift, ...link], allowed: 25},
    {name: `${name} upload`, argv: [...skylift, 'upload', file, 's3://b/k', '-q'], allowed: 45},
  ]
}

async function makePackage(name: string): Promise<string> {
  const home = join(folder, name)
  await mkdir(join(home, 'bin'), {recursive: true})
  const pjson = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as Record<string, unknown>
  await writeFile(join(home, 'package.json'), JSON.stringify(pjson))
  return home
}

/** Neither asks anybody: both sign with what they have. */
function findOthers(): Peer[] {
  const presign = ['s3', 'presign', 's3://artifacts/nightly/build.tar', '--expires-in', '43200']
  const tempurl = ['tempurl', 'GET', '43200', '/v1/AUTH_test/artifacts/nightly/build.tar', 'the-key']
  const others = [
    {name: 'aws s3 presign', argv: ['/usr/bin/aws', ...presign], isOther: true},
    {name: 'swift tempurl', argv: ['/usr/bin/swift', ...tempurl], isOther: true},
  ]
  return others.filter(({argv}) => existsSync(argv[0] ?? ''))
}

/** Prints the medians and what they are to each other; true when everything costs what it may at most. */
function tell(peers: readonly Peer[], all: ReadonlyMap<string, readonly Usage[]>): boolean {
  const rows = peers.map(peer => ({
    ...peer,
    cpu: median(all.get(peer.name)?.map(({cpu}) => cpu * 1000) ?? []),
    wall: median(all.get(peer.name)?.map(({wall}) => wall * 1000) ?? []),
  }))
  console.log(`${`median of ${rounds}`.padEnd(16)} CPU ms   wall ms`)
  for (const {name, cpu, wall} of rows)
    console.log(`${name.padEnd(16)} ${cpu.toFixed(0).padStart(6)} ${wall.toFixed(0).padStart(9)}`)
  const [bare] = rows
  const link = rows.find(({name}) => name === 'packed link')
  if (bare === undefined || link === undefined) return false
  // The wall clock says more of what else the machine does, so it is told and does not judge.
  const verdicts = rows.map(({name, cpu, wall, allowed, isOther}) => {
    if (allowed !== undefined) {
      const words = `${(cpu - bare.cpu).toFixed(0)} ms of CPU and ${(wall - bare.wall).toFixed(0)} ms of time`
      console.log(`${name} costs ${words} more than the bare bundle, and may cost ${allowed} ms.`)
      return cpu - bare.cpu <= allowed
    }
    if (isOther !== true) return true
    const words = `${(cpu / link.cpu).toFixed(1)} × the CPU and ${(wall / link.wall).toFixed(1)} × the time`
    console.log(`${name} takes ${words} of a link as it is packed, which is to be ${TIMES} × quicker.`)
    return cpu / link.cpu >= TIMES
  })
  return !verdicts.includes(false)
}
