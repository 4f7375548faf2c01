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
import {openTarget} from '../src/cli/open-target.ts'
import {sandboxFolder} from '../src/cli/sandbox.ts'
import {formatSize, parseSize} from '../src/core/sizes.ts'
import {parseTarget} from '../src/core/target.ts'
import {hashFile, makeRandomFile} from '../test/support/random-file.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const SKYLIFT = join(ROOT, 'bin', 'run.js')
const NAME = 'random.bin'
const TARGET = `sandbox://demo/${NAME}`
const HOUR = 3_600_000

const size = parseSize(process.argv[2] ?? '256M')
const folder = await mkdtemp(join(tmpdir(), 'skylift-demo-'))
const interrupted = new AbortController()
// The command hears of it too and ends by itself; we stay to take the file away.
process.on('SIGINT', () => interrupted.abort())
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
  await runSkylift(['upload', NAME, TARGET])

  const config = await Config.load(ROOT)
  const link = await makeLink(config)
  const fetched = await hashUrl(link)
  if (fetched.size !== size || fetched.sha256 !== made) {
    throw new Error(
      `The bytes differ: ${size} with sha256 ${made} went up, ${fetched.size} with ${fetched.sha256} came back.`,
    )
  }
  console.log(`\nFetched it back: ${formatSize(size)}, every byte the same (sha256 ${made.slice(0, 16)}…).`)
  console.log(`The link that fetched it, good for an hour:\n\n${link}\n`)
  console.log('The sandbox ends by itself after 10 idle minutes, or now with: node bin/run.js sandbox --stop')
  console.log(`What it stores lies in ${sandboxFolder(config)}; delete that folder when you are done.`)
}

/** Runs the built command as a person would, with this terminal as its own. */
async function runSkylift(args: readonly string[]): Promise<void> {
  interrupted.signal.throwIfAborted()
  console.log(`$ skylift ${args.join(' ')}`)
  const child = spawn(process.execPath, [SKYLIFT, ...args], {cwd: folder, stdio: 'inherit'})
  const [status, signal] = (await once(child, 'exit')) as [number | null, string | null]
  if (status !== 0) throw new Error(`skylift ${args[0]} ended with ${status ?? signal}.`)
}

async function makeLink(config: Config): Promise<string> {
  const target = parseTarget(TARGET)
  const store = await openTarget(target, {flags: {}, config})
  const {url} = await store.link(target, {filename: NAME, expiresIn: HOUR}, {signal: interrupted.signal})
  return url
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
