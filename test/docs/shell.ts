import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {chmod, mkdir, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {CreateBucketCommand} from '@aws-sdk/client-s3'
import {findSandbox} from '../../src/sandbox/find-sandbox.ts'
import {closeAll, openClient} from '../sandbox/support.ts'
import {makeCertificate} from '../support/certificate.ts'
import {makeRandomFile} from '../support/random-file.ts'
import {accessEnv, BIN, endSandboxes, makeHome, runSkylift} from '../support/run-skylift.ts'
import type {Env, S3Access} from '../support/run-skylift.ts'

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
  // What it would set is in the environment already.
  'openrc.sh': 'export OS_INTERFACE=public\n',
}
/** Runs what was built; what serves until it is ended gets its Ctrl-C once it has said where. */
const SKYLIFT = `#!/bin/bash
run=('${process.execPath}' '${BIN}')
case "$1 $2" in
  'page serve' | 'sandbox ' | 'sandbox --port') ;;
  *) exec "\${run[@]}" "$@" ;;
esac
# the port of an example may be taken here
words=()
while [ $# -gt 0 ]; do
  if [ "$1" = --port ]; then shift; else words+=("$1"); fi
  shift
done
said=$(mktemp)
"\${run[@]}" "\${words[@]}" > "$said" &
until [ -s "$said" ]; do kill -0 $! || exit 1; sleep 0.05; done
kill -INT $!
wait $!
status=$?
cat "$said"
[ $status = 0 ] || [ $status = 130 ]
`
/** Stands for a producer of a stream. */
const PG_DUMP = '#!/bin/sh\necho "-- a dump of $1"\n'
/** What pages run out of sight: an upload that is killed when its first part is stored. */
const BEGIN_UPLOAD = `#!/bin/bash
# What an earlier one has said is not waited for.
rm -f begun.log
skylift upload "$1" "$2" --part-size 5M --concurrency 1 --limit-rate 5M --progress json 2>begun.log &
until grep -qs '"event":"stored"' begun.log; do kill -0 $! || exit 1; sleep 0.05; done
kill -TERM $!
wait $!
[ $? = 143 ]
`
/** What stands for an address that is somebody's own. */
const ELSEWHERE = /https:\/\/(?:s3|minio|ceph|rgw)\.example\.(?:com|org)(?::\d+)?/gu
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
  readonly env: Env
  /** Runs a script; `https://s3.example.com` and its like are the sandbox. */
  run(script: string): Promise<ShellEnding>
  /** Puts the sandbox in the place of addresses that are somebody's own. */
  stand(text: string): string
  /** Makes containers that a page takes for granted. */
  makeContainers(targets: readonly string[]): Promise<void>
}

/** Profiles of AWS by the names that examples give them. */
async function writeProfiles(home: string, {accessKeyId, secretAccessKey, region}: S3Access): Promise<void> {
  const lines = [
    `aws_access_key_id = ${accessKeyId}`,
    `aws_secret_access_key = ${secretAccessKey}`,
    `region = ${region}`,
  ]
  await mkdir(join(home, '.aws'))
  await writeFile(join(home, '.aws', 'credentials'), ['[backup]', ...lines, ''].join('\n'), {mode: 0o600})
}

/** Opens a shell; `closeShells` ends what it started. */
export async function openShell(more: Env = {}): Promise<Shell> {
  const home = await makeHome()
  const [folder, bin] = [join(home.folder, 'work'), join(home.folder, 'bin')]
  for (const each of ['dist/assets', 'photos/2030']) await mkdir(join(folder, each), {recursive: true})
  for (const [name, text] of Object.entries(TEXTS)) await writeFile(join(folder, name), text)
  for (const name of BIG) await makeRandomFile(join(folder, name), 17 * MIB)
  await writeFile(join(folder, 'company.pem'), makeCertificate().cert)
  await mkdir(bin)
  for (const [name, text] of Object.entries({skylift: SKYLIFT, pg_dump: PG_DUMP, 'begin-upload': BEGIN_UPLOAD})) {
    await writeFile(join(bin, name), text)
    await chmod(join(bin, name), 0o755)
  }

  const path = `${bin}:${home.env['PATH'] ?? ''}`
  await runSkylift(['container', 'create', 'sandbox://demo'], {env: home.env})
  const sandbox = await findSandbox(home.sandboxFolder)
  if (sandbox === undefined) throw new Error('No sandbox came up.')
  const env = {...home.env, ...accessEnv(sandbox), ...more, PATH: path}
  await writeProfiles(home.env['HOME'] ?? '', sandbox)

  const client = openClient(sandbox)
  const shell: Shell = {
    folder,
    env,
    stand: text => text.replaceAll(ELSEWHERE, sandbox.endpoint),
    async run(script) {
      const child = spawn('bash', ['-xeuo', 'pipefail', '-c', shell.stand(script)], {
        cwd: folder,
        env,
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
    async makeContainers(all) {
      const isOurs = (target: string): boolean => /^(?:s3|sandbox):/u.test(target)
      const names = new Set(all.filter(isOurs).map(target => target.replace(/^.*:\/\//u, '')))
      for (const Bucket of names) if (Bucket !== 'demo') await client.send(new CreateBucketCommand({Bucket}))
      const targets = all.filter(target => !isOurs(target))
      if (targets.length === 0) return
      const {status, output} = await shell.run(targets.map(each => `skylift container create ${each}`).join('\n'))
      if (status !== 0) throw new Error(output)
    },
  }
  return shell
}

/** Ends the sandboxes of all shells, and what was connected to them. */
export async function closeShells(): Promise<void> {
  await closeAll()
  await endSandboxes()
}
