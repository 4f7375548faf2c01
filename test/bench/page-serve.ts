/**
 * How quickly `page serve` signs: `npx tsx test/bench/page-serve.ts [UPLOADS] [A_SECOND]`. Uploads of 8 GiB arrive one
 * after the other and stay open; each has three batches of parts signed. No byte of content is sent.
 */
import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {readFileSync} from 'node:fs'
import {Agent, request} from 'node:http'
import {setTimeout as sleep} from 'node:timers/promises'
import {fileURLToPath} from 'node:url'
import {CreateBucketCommand} from '@aws-sdk/client-s3'
import {startSandbox} from '../../src/sandbox/server.ts'
import {openClient} from '../sandbox/support.ts'
import {makeTempFolder, removeTempFolders} from '../support/temp-folder.ts'

const BIN = fileURLToPath(new URL('../../bin/run.js', import.meta.url))
const [uploads = 1000, aSecond = 50] = process.argv.slice(2).map(Number)
const agent = new Agent({keepAlive: true})

const folder = await makeTempFolder()
const sandbox = await startSandbox({folder})
const client = openClient(sandbox)
await client.send(new CreateBucketCommand({Bucket: 'box'}))
client.destroy()
const child = spawn(process.execPath, [BIN, 'page', 'serve', 's3://box/', '--origin', 'null'], {
  stdio: ['ignore', 'pipe', 'inherit'],
  env: {
    PATH: process.env['PATH'] ?? '',
    HOME: folder,
    AWS_ENDPOINT_URL: sandbox.endpoint,
    AWS_ACCESS_KEY_ID: sandbox.accessKeyId,
    AWS_SECRET_ACCESS_KEY: sandbox.secretAccessKey,
    AWS_REGION: sandbox.region,
  },
})
const [line] = (await once(child.stdout, 'data')) as [Buffer]
const url = new URL(line.toString().trim())
const page = await (await fetch(url)).text()
const token = /"token":"([^"]+)"/u.exec(page)?.[1] ?? ''

const took: number[] = []
let failures = 0

async function ask(path: string, question: unknown): Promise<Record<string, unknown>> {
  const started = performance.now()
  const body = JSON.stringify(question)
  const headers = {
    origin: url.origin,
    'x-skylift-page': token,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  }
  const sent = request({host: url.hostname, port: url.port, method: 'POST', path, headers, agent})
  sent.end(body)
  const [response] = (await once(sent, 'response')) as [import('node:http').IncomingMessage]
  let text = ''
  for await (const piece of response) text += String(piece)
  took.push(performance.now() - started)
  if (response.statusCode !== 200) failures++
  return JSON.parse(text) as Record<string, unknown>
}

function memory(): number {
  return Number(/VmRSS:\s+(\d+)/u.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 1024
}

async function arrive(): Promise<void> {
  const {session} = await ask('/begin', {size: 8 * 1024 ** 3, type: ''})
  for (const first of [21, 41, 61]) {
    await sleep(Math.random() * 2000)
    await ask('/sign', {session, first})
  }
}

const marks: string[] = []
const open: Promise<void>[] = []
const started = performance.now()
for (let count = 0; count < uploads; count++) {
  open.push(arrive())
  if (count % Math.ceil(uploads / 5) === 0) marks.push(memory().toFixed(0))
  await sleep(Math.max(0, started + ((count + 1) * 1000) / aSecond - performance.now()))
}
await Promise.all(open)
marks.push(memory().toFixed(0))
took.sort((one, other) => one - other)
const at = (share: number): string => `${(took[Math.floor(took.length * share)] ?? 0).toFixed(1)} ms`
console.log(`${uploads} uploads at ${aSecond}/s, ${took.length} answers, ${failures} failed`)
console.log(`p50 ${at(0.5)}, p99 ${at(0.99)}, most ${at(0.9999)}; memory ${marks.join(' ')} MiB`)
child.kill('SIGINT')
await once(child, 'close')
await sandbox.close()
await removeTempFolders()
agent.destroy()
