import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {chmod, mkdir, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {findSandbox} from '../../src/sandbox/find-sandbox.ts'
import {makeCertificate} from '../support/certificate.ts'
import {makeRandomFile} from '../support/random-file.ts'
import {accessEnv, BIN, makeHome, runSkylift} from '../support/run-skylift.ts'
import type {Env} from '../support/run-skylift.ts'

const MIB = 1024 ** 2
/** Files that examples name: the folder in which a reader of the docs would sit. */
const BIG = ['build.tar', 'disk.img', 'site.tar']
const TEXTS: Readonly<Record<string, string>> = {
  'report.pdf': '%PDF-1.7\n',
  'scan.pdf': '%PDF-1.7 scan\n',
  'a.pdf': '%PDF-1.7 a\n',
  'b.pdf': '%PDF-1.7 b\n',
  'dist/index.html': '<!doctype html>\n',
  'dist/404.html': '<!doctype html><title>404</title>\n',
  'dist/app.js': 'export {}\n',
  'dist/app.js.map': '{}\n',
  'dist/assets/logo.svg': '<svg xmlns="http://www.w3.org/2000/svg"/>\n',
  'photos/2030/sea.jpg': 'no picture at all\n',
  'photos/2030/hills.jpg': 'nor this\n',
  'api-key.txt': 'an-api-key\n',
  'password.txt': 'a-password\n',
}
/** What stands for an address that is somebody's own. */
const ELSEWHERE = /https:\/\/s3\.example\.(?:com|org)(?::\d+)?/gu
const LONGEST = 60_000

export interface ShellEnding {
  readonly status: number
  readonly stdout: string
  /** Both streams, with a line before each command that ran. */
  readonly output: string
}

/** A home with the files that examples name, `skylift` on the path, and s3:// and sandbox:// in one sandbox. */
export interface Shell {
  readonly folder: string
  /** Runs a script; `s3.example.com` and `s3.example.org` are the sandbox. */
  run(script: string, options?: {readonly env?: Env; readonly through?: readonly string[]}): Promise<ShellEnding>
  /** Makes containers that a page takes for granted. */
  makeContainers(targets: readonly string[]): Promise<void>
}

/** Opens a shell; `endSandboxes` ends what it started. */
export async function openShell(more: Env = {}): Promise<Shell> {
  const home = await makeHome()
  const [folder, bin] = [join(home.folder, 'work'), join(home.folder, 'bin')]
  for (const each of ['dist/assets', 'photos/2030']) await mkdir(join(folder, each), {recursive: true})
  for (const [name, text] of Object.entries(TEXTS)) await writeFile(join(folder, name), text)
  for (const name of BIG) await makeRandomFile(join(folder, name), 17 * MIB)
  await writeFile(join(folder, 'company.pem'), makeCertificate().cert)
  await mkdir(bin)
  await writeFile(join(bin, 'skylift'), `#!/bin/sh\nexec '${process.execPath}' '${BIN}' "$@"\n`)
  await chmod(join(bin, 'skylift'), 0o755)

  const path = `${bin}:${home.env['PATH'] ?? ''}`
  await runSkylift(['container', 'create', 'sandbox://demo'], {env: home.env})
  const sandbox = await findSandbox(home.sandboxFolder)
  if (sandbox === undefined) throw new Error('No sandbox came up.')
  const env = {...home.env, ...accessEnv(sandbox), ...more, PATH: path}

  const shell: Shell = {
    folder,
    async run(script, {env: added = {}, through = []} = {}) {
      const [program = '', ...words] = [...through, 'bash', '-xeuo', 'pipefail', '-c']
      const child = spawn(program, [...words, script.replaceAll(ELSEWHERE, sandbox.endpoint)], {
        cwd: folder,
        env: {...env, ...added},
        stdio: ['ignore', 'pipe', 'pipe'],
        timeout: LONGEST,
        killSignal: 'SIGKILL',
      })
      const said = {stdout: '', output: ''}
      child.stdout.setEncoding('utf8').on('data', (piece: string) => {
        said.stdout += piece
        said.output += piece
      })
      child.stderr.setEncoding('utf8').on('data', (piece: string) => (said.output += piece))
      const [status] = (await once(child, 'close')) as [number | null]
      return {status: status ?? -1, ...said}
    },
    async makeContainers(targets) {
      if (targets.length === 0) return
      const {status, output} = await shell.run(targets.map(each => `skylift container create ${each}`).join('\n'))
      if (status !== 0) throw new Error(output)
    },
  }
  return shell
}
