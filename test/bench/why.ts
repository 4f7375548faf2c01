/**
 * Prints what slow uploads do to a web app with four workers: `npm run build && npx tsx test/bench/why.ts`. Three minutes;
 * needs Debian's gunicorn and python3-flask. Eight visitors come, one a second, and upload 16 MiB at 512 KiB/s each;
 * meanwhile `/` is asked for ten times a second, and every wait counts from the moment at which it should have been asked.
 */
import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {request} from 'node:http'
import {setTimeout as sleep} from 'node:timers/promises'
import {fileURLToPath} from 'node:url'
import {KIB, MIB} from '../../src/core/sizes.ts'
import {findFreePorts} from '../servers/ports.ts'
import {BUCKET, createArena} from '../support/arena.ts'
import {BIN} from '../support/run-skylift.ts'
import {removeTempFolders} from '../support/temp-folder.ts'
import {startSandboxProcess} from './sandbox-process.ts'

const WORKERS = 4
const UPLOADS = 8
const SIZE = 16 * MIB
const RATE = 512 * KIB
const EVERY = 100
const [RECIPE, HERE] = ['../../docs/recipes/flask/', './why/'].map(path =>
  fileURLToPath(new URL(path, import.meta.url)),
)

/** Sends a body as a visitor on a slow line does; resolves to the status. */
async function sendSlowly(url: string, headers: Readonly<Record<string, string>>): Promise<number> {
  const outgoing = request(url, {method: 'PUT', headers: {...headers, 'content-length': SIZE}, agent: false})
  const answered = once(outgoing, 'response')
  const piece = Buffer.alloc(RATE / 8, 'x')
  for (let sent = 0; sent < SIZE; sent += piece.length) {
    // A line that had to wait does not make up for it.
    const due = performance.now() + (piece.length / RATE) * 1000
    await new Promise(resolve => outgoing.write(piece, resolve))
    await sleep(Math.max(0, due - performance.now()))
  }
  outgoing.end()
  const [response] = (await answered) as [import('node:http').IncomingMessage]
  response.resume()
  return response.statusCode ?? 0
}

/** Asks for a page once; resolves to how long it took, from `due`. */
async function visit(url: string, due: number): Promise<number> {
  const outgoing = request(url, {agent: false}).end()
  const [response] = (await once(outgoing, 'response')) as [import('node:http').IncomingMessage]
  response.resume()
  await once(response, 'end')
  return performance.now() - due
}

/** Visits at a steady pace, whether the last visit is answered or not, for as long as `until` is open. */
async function visitUntil(url: string, until: Promise<unknown>): Promise<number[]> {
  const over = new AbortController()
  const end = until.finally(() => over.abort())
  const visits: Promise<number>[] = []
  for (let due = performance.now(); !over.signal.aborted; due += EVERY) {
    await sleep(Math.max(0, due - performance.now()))
    visits.push(visit(url, due))
  }
  await end
  return Promise.all(visits)
}

function tell(name: string, waits: readonly number[], took: number): void {
  const sorted = waits.toSorted((a, b) => a - b)
  const at = (share: number): string =>
    `${Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0)} ms`
  const times = `p50 ${at(0.5)}, p99 ${at(0.99)}, longest ${at(1)}`
  console.log(`${name}: ${sorted.length} visits, ${times}; ${(took / 1000).toFixed(0)} s`)
}

const sandbox = await startSandboxProcess()
const arena = await createArena(sandbox.keys, sandbox.endpoint, () => sandbox.end(), true)
const home = await arena.makeHome({
  AWS_ENDPOINT_URL: sandbox.endpoint,
  SKYLIFT: BIN,
  UPLOADS: `s3://${BUCKET}`,
  RECIPE: RECIPE ?? '',
})
const port = await findFreePorts(1)
const origin = `http://127.0.0.1:${port}`
const args = ['--workers', String(WORKERS), '--worker-class', 'sync', '--bind', `127.0.0.1:${port}`, '--timeout', '120']
const app = spawn('/usr/bin/gunicorn', [...args, '--chdir', HERE ?? '', '--log-level', 'error', 'through:app'], {
  env: home.env,
  stdio: ['ignore', 'inherit', 'inherit'],
})

/** What the recipe answers to one visitor. */
async function begin(): Promise<{url: string; headers: Record<string, string>}> {
  const wish = {name: 'upload', size: SIZE, type: 'application/octet-stream'}
  const headers = {'content-type': 'application/json'}
  const response = await fetch(`${origin}/uploads`, {method: 'POST', headers, body: JSON.stringify(wish)})
  return (await response.json()) as {url: string; headers: Record<string, string>}
}

async function measure(name: string, upload: () => Promise<number>): Promise<void> {
  const started = performance.now()
  const uploads = Promise.all(
    Array.from({length: UPLOADS}, async (_, index) => {
      await sleep(index * 1000)
      return upload()
    }),
  )
  const waits = await visitUntil(`${origin}/`, uploads)
  const statuses = new Set(await uploads)
  if (!statuses.has(200) || statuses.size > 1) throw new Error(`An upload ended with ${[...statuses].join(', ')}.`)
  tell(name, waits, performance.now() - started)
}

try {
  while (!(await fetch(origin).catch(() => undefined))?.ok) await sleep(100)
  const idle = performance.now()
  tell('no uploads', await visitUntil(`${origin}/`, sleep(10_000)), performance.now() - idle)
  await measure('8 uploads through the app', () => sendSlowly(`${origin}/through`, {}))
  await measure('8 uploads by temp URLs', async () => {
    const {url, headers} = await begin()
    return sendSlowly(url, headers)
  })
} finally {
  app.kill()
  await arena.close()
  await removeTempFolders()
}
