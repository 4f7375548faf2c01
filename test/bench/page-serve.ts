/**
 * How quickly `page serve` signs: `npm run build && npx tsx test/bench/page-serve.ts [UPLOADS] [A_SECOND] [BIN]`. Uploads of
 * 8 GiB arrive one after the other and stay open; each has three batches of parts signed. No byte of content is sent. The
 * server, its store and whoever asks are a process each, so that none waits for the work of another one; how late the
 * asking process itself was is told, since that is in every time that it takes.
 */
import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {readFileSync} from 'node:fs'
import {Agent, request} from 'node:http'
import type {IncomingMessage} from 'node:http'
import {monitorEventLoopDelay} from 'node:perf_hooks'
import {setTimeout as sleep} from 'node:timers/promises'
import {BUCKET, createArena} from '../support/arena.ts'
import {BIN} from '../support/run-skylift.ts'
import {removeTempFolders} from '../support/temp-folder.ts'
import {startSandboxProcess} from './sandbox-process.ts'

const [uploads = 1000, aSecond = 50] = process.argv.slice(2, 4).map(Number)
const agent = new Agent({keepAlive: true})

const sandbox = await startSandboxProcess()
const arena = await createArena(sandbox.keys, sandbox.endpoint, () => sandbox.end(), true)
const {env} = await arena.makeHome({AWS_ENDPOINT_URL: sandbox.endpoint})
const child = spawn(
  process.execPath,
  [process.argv[4] ?? BIN, 'page', 'serve', `s3://${BUCKET}/`, '--origin', 'http://127.0.0.1'],
  {stdio: ['ignore', 'pipe', 'inherit'], env},
)
const [line] = (await once(child.stdout, 'data')) as [Buffer]
const url = new URL(line.toString().trim())
const page = await (await fetch(url)).text()
const token = /"token":"([^"]+)"/u.exec(page)?.[1] ?? ''

const took: Record<'begin' | 'sign', number[]> = {begin: [], sign: []}
let failures = 0

async function ask(what: keyof typeof took, question: unknown): Promise<Record<string, unknown>> {
  const body = JSON.stringify(question)
  const headers = {
    origin: url.origin,
    'x-skylift-page': token,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  }
  const started = performance.now()
  const sent = request({host: url.hostname, port: url.port, method: 'POST', path: `/${what}`, headers, agent})
  sent.end(body)
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  let text = ''
  response.setEncoding('utf8').on('data', (piece: string) => (text += piece))
  await once(response, 'end')
  took[what].push(performance.now() - started)
  if (response.statusCode !== 200) failures++
  return JSON.parse(text) as Record<string, unknown>
}

function memory(): number {
  return Number(/VmRSS:\s+(\d+)/u.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 1024
}

/** Milliseconds of a processor that the server has taken; a tick of the kernel's is 10. */
function processorTime(): number {
  const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) * 10
}

async function arrive(): Promise<void> {
  const {session} = await ask('begin', {size: 8 * 1024 ** 3, type: ''})
  for (const first of [21, 41, 61]) {
    await sleep(Math.random() * 2000)
    await ask('sign', {session, first})
  }
}

const marks: string[] = []
const open: Promise<void>[] = []
const late = monitorEventLoopDelay({resolution: 5})
late.enable()
const [started, before] = [performance.now(), processorTime()]
for (let count = 0; count < uploads; count++) {
  open.push(arrive())
  if (count % Math.ceil(uploads / 5) === 0) marks.push(memory().toFixed(0))
  await sleep(Math.max(0, started + ((count + 1) * 1000) / aSecond - performance.now()))
}
await Promise.all(open)
marks.push(memory().toFixed(0))
const each = (processorTime() - before) / (took.begin.length + took.sign.length)

function tell(name: string, times: number[]): void {
  times.sort((one, other) => one - other)
  const at = (share: number): string => (times[Math.floor((times.length - 1) * share)] ?? 0).toFixed(1)
  console.log(`${name}: ${times.length} answers, p50 ${at(0.5)}, p99 ${at(0.99)}, longest ${at(1)} ms`)
}
console.log(`${uploads} uploads at ${aSecond}/s, ${failures} failed`)
tell('begin', took.begin)
tell('sign', took.sign)
tell('both', [...took.begin, ...took.sign])
const [half, most] = [late.percentile(50), late.percentile(99)].map(delay => Math.max(0, delay / 1e6 - 5).toFixed(1))
console.log(`the asking process was late itself: p50 ${half}, p99 ${most} ms`)
console.log(`${each.toFixed(2)} ms of a processor an answer; memory ${marks.join(' ')} MiB`)
child.kill('SIGINT')
await once(child, 'close')
await arena.close()
await removeTempFolders()
agent.destroy()
