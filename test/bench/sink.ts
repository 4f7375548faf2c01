import {execFile, spawn, type ChildProcess} from 'node:child_process'
import {once} from 'node:events'
import {mkdir, readdir, stat} from 'node:fs/promises'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {promisify} from 'node:util'
import {findFreePorts, isFreePort} from '../servers/ports.ts'

const run = promisify(execFile)
const SOURCES = fileURLToPath(new URL('sink', import.meta.url))

/** Programs, certificate and other things that the bench makes; not in git. */
export const OUT = fileURLToPath(new URL('out', import.meta.url))

export interface Certificate {
  readonly cert: string
  readonly key: string
}

export interface SinkStats {
  readonly requests: number
  /** Of content: parts, whole objects and segments, without any chunk framing. */
  readonly bytes: number
  readonly put: number
  readonly part: number
  readonly create: number
  readonly complete: number
  readonly abort: number
  readonly conns: number
  /** Bodies that broke off. */
  readonly cut: number
}

export interface Sink {
  /** Whether it listens on ports 80 and 443. */
  readonly hasDefaultPorts: boolean
  readonly http: string
  readonly https: string
  stats(): Promise<SinkStats>
  reset(): Promise<void>
  stop(): Promise<void>
}

/** Whether this machine can build and run the sink: Linux, a C compiler and OpenSSL's headers. */
export async function canBuildSink(): Promise<boolean> {
  if (process.platform !== 'linux') return false
  const compiled = run('sh', ['-c', 'printf "#include <openssl/ssl.h>\\n" | cc -fsyntax-only -x c -'])
  return compiled.then(
    () => true,
    () => false,
  )
}

/** Compiles what is newer than its program, and returns the program. */
export async function buildSink(): Promise<string> {
  return compile('sink', SOURCES, ['-lssl', '-lcrypto', '-lpthread'])
}

export async function compile(name: string, folder: string, libraries: readonly string[] = []): Promise<string> {
  const program = join(OUT, name)
  const names = await readdir(folder)
  const files = names.filter(file => /\.[ch]$/.test(file)).map(file => join(folder, file))
  const times = await Promise.all(files.map(async file => (await stat(file)).mtimeMs))
  const built = await stat(program).then(
    found => found.mtimeMs,
    () => 0,
  )
  if (built > Math.max(...times)) return program
  await mkdir(OUT, {recursive: true})
  await run('cc', ['-O2', '-o', program, ...files.filter(file => file.endsWith('.c')), ...libraries])
  return program
}

/** A self-signed certificate for the loopback, made once. */
export async function makeCertificate(): Promise<Certificate> {
  const made = {cert: join(OUT, 'cert.pem'), key: join(OUT, 'key.pem')}
  const isThere = await stat(made.cert).then(
    () => true,
    () => false,
  )
  if (isThere) return made
  await mkdir(OUT, {recursive: true})
  await run('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '3650'],
    ...['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'],
    ...['-keyout', made.key, '-out', made.cert],
  ])
  return made
}

/** Starts a sink in a process of its own; `args` are its further options. */
export async function startSink(
  program: string,
  certificate: Certificate,
  args: readonly string[] = [],
): Promise<Sink> {
  const {plain, tls} = await choosePorts()
  const ports = ['-p', String(plain), '-s', String(tls), '-c', certificate.cert, '-k', certificate.key]
  const child = spawn(program, [...ports, ...args], {stdio: ['ignore', 'ignore', 'pipe']})
  const kill = (): boolean => child.kill()
  process.once('exit', kill)
  // an origin has no port where it is the default one
  const http = new URL(`http://127.0.0.1:${plain}`).origin
  await waitUntilReady(child)
  return {
    hasDefaultPorts: plain === 80,
    http,
    https: new URL(`https://127.0.0.1:${tls}`).origin,
    stats: async () => (await (await fetch(`${http}/_stats`)).json()) as SinkStats,
    reset: async () => void (await (await fetch(`${http}/_reset`)).text()),
    stop: async () => {
      process.removeListener('exit', kill)
      if (kill()) await once(child, 'exit')
    },
  }
}

/** 80 and 443 where this user may have them: some clients know no others. */
async function choosePorts(): Promise<{plain: number; tls: number}> {
  if ((await isFreePort(80)) && (await isFreePort(443))) return {plain: 80, tls: 443}
  const first = await findFreePorts(2)
  return {plain: first, tls: first + 1}
}

/** The sink says its ports once it listens on them. */
async function waitUntilReady(child: ChildProcess): Promise<void> {
  let said = ''
  const ended = once(child, 'exit').then(() => Promise.reject(new Error(`The sink did not start: ${said}`)))
  const ready = new Promise<void>(resolve => {
    child.stderr?.on('data', (data: Buffer) => {
      said += data.toString()
      if (said.includes('sink: http')) resolve()
    })
  })
  ended.catch(() => {})
  await Promise.race([ready, ended])
}
