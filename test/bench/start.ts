/**
 * `npx tsx test/bench/start.ts [--rounds 25] [--json FILE]`: what a command costs before it does anything. `skylift link`
 * beside a bare oclif bundle with one empty command, built the same way, and `aws s3 presign` where that is installed;
 * interleaved, medians of wall and CPU. Ends with 1 when `link` costs over 30 ms of CPU more than the bare one.
 */
import {spawnSync} from 'node:child_process'
import {cp, mkdir, mkdtemp, readFile, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {parseArgs} from 'node:util'
import {buildSkylift, bundle} from '../../scripts/build.ts'
import {buildMeasure, measureCommand} from './measure.ts'
import type {Usage} from './measure.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const ALLOWED_MS = 30

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
try {
  const program = await buildMeasure()
  const peers = [await makeBare(), await makeLink(), ...findAws()]
  const usages = new Map(peers.map(({name}) => [name, [] as Usage[]]))
  for (let round = 0; round <= rounds; round++) {
    for (const {name, argv} of peers) {
      const usage = await measureCommand(program, {argv, env: environment()})
      // The first round fills the caches of the disk.
      if (round > 0) usages.get(name)?.push(usage)
    }
  }
  tell(usages)
  if (values.json !== undefined) {
    await writeFile(values.json, `${JSON.stringify(Object.fromEntries(usages), undefined, 2)}\n`)
  }
} finally {
  await rm(folder, {recursive: true, force: true})
}

interface Peer {
  readonly name: string
  readonly argv: readonly string[]
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

async function makeLink(): Promise<Peer> {
  const home = await makePackage('skylift')
  await buildSkylift(join(home, 'dist'))
  const words = ['link', 's3://artifacts/nightly/build.tar', '-f', 'résumé, v2.tar', '--expires', '12h']
  return {name: 'skylift link', argv: [process.execPath, join(home, 'bin', 'run.js'), ...words]}
}

async function makePackage(name: string): Promise<string> {
  const home = join(folder, name)
  await cp(join(ROOT, 'bin', 'run.js'), join(home, 'bin', 'run.js'))
  const pjson = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as Record<string, unknown>
  await writeFile(join(home, 'package.json'), JSON.stringify(pjson))
  return home
}

function findAws(): Peer[] {
  const {status} = spawnSync('/usr/bin/aws', ['--version'])
  const words = ['s3', 'presign', 's3://artifacts/nightly/build.tar', '--expires-in', '43200']
  return status === 0 ? [{name: 'aws s3 presign', argv: ['/usr/bin/aws', ...words]}] : []
}

function environment(): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '',
    HOME: folder,
    AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
    AWS_REGION: 'eu-central-1',
  }
}

function tell(all: ReadonlyMap<string, readonly Usage[]>): void {
  const rows = [...all].map(([name, usages]) => ({
    name,
    cpu: median(usages.map(({cpu}) => cpu * 1000)),
    wall: median(usages.map(({wall}) => wall * 1000)),
  }))
  console.log(`${`median of ${rounds}`.padEnd(16)} CPU ms   wall ms`)
  for (const {name, cpu, wall} of rows)
    console.log(`${name.padEnd(16)} ${cpu.toFixed(0).padStart(6)} ${wall.toFixed(0).padStart(9)}`)
  const [bare, link, aws] = rows
  if (bare === undefined || link === undefined) return
  const [cpu, wall] = [link.cpu - bare.cpu, link.wall - bare.wall]
  console.log(
    `skylift link costs ${cpu.toFixed(0)} ms of CPU and ${wall.toFixed(0)} ms of time more than the bare bundle.`,
  )
  if (aws !== undefined) console.log(`aws s3 presign takes ${(aws.wall / link.wall).toFixed(1)} × as long.`)
  // The wall clock says more of what else the machine does.
  if (cpu > ALLOWED_MS) process.exitCode = 1
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}
