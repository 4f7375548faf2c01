/**
 * What `npm run demo` runs: uploads a file of random bytes to the sandbox with `skylift upload`, fetches it back through
 * a link, and compares. The size may be given (`npm run demo -- 1G`); exit status 1 when bytes differ.
 */
import {spawn} from 'node:child_process'
import {createHash} from 'node:crypto'
import {once} from 'node:events'
import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {Config} from '@oclif/core'
import {sandboxFolder} from '../src/cli/sandbox.ts'
import {formatSize, parseSize} from '../src/core/sizes.ts'
import {hashFile, makeRandomFile} from '../test/support/random-file.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const SKYLIFT = join(ROOT, 'bin', 'run.js')
const NAME = 'random.bin'
const TARGET = `sandbox://demo/${NAME}`

const size = parseSize(process.argv[2] ?? '256M')
const folder = await mkdtemp(join(tmpdir(), 'skylift-demo-'))
const interrupted = new AbortController()
// The command hears of it too and ends by itself; we stay to take the file away.
process.on('SIGINT', () => interrupted.abort())
process.on('SIGTERM', () => interrupted.abort())
try {
  await showUpload()
} catch (error) {
  process.exitCode = interrupted.signal.aborted ? 130 : 1
  if (!interrupted.signal.aborted) console.error(error instanceof Error ? error.message : error)
} finally {
  await rm(folder, {recursive: true, force: true})
}

async function showUpload(): Promise<void> {
  const file = join(folder, NAME)
  await makeRandomFile(file, size)
  const made = await hashFile(file)
  console.log(`Made ${NAME}: ${formatSize(size)} of random bytes.\n`)
  await runSkylift(['upload', NAME, TARGET], 'inherit')

  const link = (await runSkylift(['link', TARGET, '-f', NAME], 'pipe')).trim()
  const fetched = await hashUrl(link)
  if (fetched.size !== size || fetched.sha256 !== made) {
    throw new Error(
      `The bytes differ: ${size} with sha256 ${made} went up, ${fetched.size} with ${fetched.sha256} came back.`,
    )
  }
  console.log(`\nFetched it back: ${formatSize(size)}, every byte the same (sha256 ${made.slice(0, 16)}…).`)
  console.log(`The link that fetched it, for a browser or curl:\n\n${link}\n`)
  console.log('The sandbox ends by itself after 10 idle minutes, or now with: node bin/run.js sandbox --stop')
  console.log(
    `What it stores lies in ${sandboxFolder(await Config.load({root: ROOT}))}; delete that folder when you are done.`,
  )
}

/** Runs the built command as a person would, its words going to ours; returns what it printed where that is asked for. */
async function runSkylift(args: readonly string[], stdout: 'inherit' | 'pipe'): Promise<string> {
  console.log(`$ skylift ${args.join(' ')}`)
  const child = spawn(process.execPath, [SKYLIFT, ...args], {cwd: folder, stdio: ['inherit', stdout, 'inherit']})
  const output: Buffer[] = []
  child.stdout?.on('data', (piece: Buffer) => output.push(piece))
  const [status, signal] = (await once(child, 'close')) as [number | null, string | null]
  if (status !== 0) throw new Error(`skylift ${args[0]} ended with ${status ?? signal}.`)
  return Buffer.concat(output).toString()
}

async function hashUrl(url: string): Promise<{sha256: string; size: number}> {
  const answer = await fetch(url, {signal: interrupted.signal})
  if (!answer.ok || answer.body === null) throw new Error(`The link answers ${answer.status}: ${await answer.text()}`)
  const hash = createHash('sha256')
  let size = 0
  for await (const piece of answer.body) {
    hash.update(piece)
    size += piece.length
  }
  return {sha256: hash.digest('hex'), size}
}
