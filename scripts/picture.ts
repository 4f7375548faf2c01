/**
 * Draws docs/terminal.svg from a real run: uploads files to a sandbox of its own in a tmux pane, captures what the pane
 * shows, and keeps one frame from the midst and the last one. Needs tmux, 2 GiB of disk and a build.
 */
import {execFileSync} from 'node:child_process'
import {mkdtemp, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {fileURLToPath} from 'node:url'
import {stripVTControlCharacters} from 'node:util'
import {MIB} from '../src/core/sizes.ts'
import {makeRandomFile} from '../test/support/random-file.ts'
import {drawTerminal} from './terminal-svg.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const FILES = {'app.tar': 118, 'database.tar': 406, 'home.tar': 223, 'mail.tar': 187}
const COLUMNS = 106
const COMMAND = 'skylift upload *.tar sandbox://backup/nightly/'
const LIMIT = 60_000

const folder = await mkdtemp(join(tmpdir(), 'skylift-picture-'))
const env = {
  ...process.env,
  ...{CI: undefined, NO_COLOR: undefined, LC_ALL: 'C.UTF-8'},
  ...{SKYLIFT_SANDBOX_DIR: join(folder, 'sandbox'), SKYLIFT_STATE_DIR: join(folder, 'state')},
}
try {
  for (const [name, size] of Object.entries(FILES)) await makeRandomFile(join(folder, name), size * MIB)
  const frames = await recordFrames()
  const [moment, last] = [frames.findLast(isMoment), frames.at(-1)]
  if (moment === undefined || last === undefined)
    throw new Error('No frame shows two files well under way: run it again.')
  await writeFile(
    join(ROOT, 'docs', 'terminal.svg'),
    drawTerminal([moment, last.slice(last.indexOf('\n') + 1)], COLUMNS, `$ ${COMMAND}`),
  )
} finally {
  await rm(folder, {recursive: true, force: true})
}

/** Returns what the pane showed from the command to the next prompt; colours are escape sequences. */
async function recordFrames(): Promise<string[]> {
  const shell = join(folder, 'bashrc')
  const skylift = `skylift() { '${process.execPath}' '${join(ROOT, 'bin', 'run.js')}' "$@"; }`
  await writeFile(shell, `${skylift}\nPS1='$ '\ncd '${folder}'\n`)
  const frames: string[] = []
  tmux('-f', '/dev/null', 'new-session', '-d', '-x', `${COLUMNS}`, '-y', '14', `bash --rcfile '${shell}' -i`)
  try {
    await waitFor(() => capture() === '$')
    tmux('send-keys', COMMAND, 'Enter')
    await waitFor(() => {
      const frame = capture()
      const isOver = frame.endsWith('\n$')
      frames.push(frame)
      return isOver
    })
    tmux('send-keys', 'clear; skylift sandbox --stop; exit', 'Enter')
    await waitFor(() => !isUp())
  } finally {
    if (isUp()) tmux('kill-server')
  }
  return frames
}

/** A result stands above, and two files are well under way. */
function isMoment(frame: string): boolean {
  const lines = stripVTControlCharacters(frame).split('\n')
  const [total = 0, ...shares] = lines.flatMap(line => / (\d+) %/u.exec(line)?.[1] ?? []).map(Number)
  const hasResult = lines.some(line => line.includes('crc32'))
  return hasResult && total < 90 && shares.length > 1 && shares.every(share => share > 3 && share < 99)
}

function capture(): string {
  return tmux('capture-pane', '-e', '-p').trimEnd()
}

function tmux(...args: readonly string[]): string {
  return execFileSync('tmux', ['-S', join(folder, 'tmux'), ...args], {encoding: 'utf8', env, stdio: 'pipe'})
}

function isUp(): boolean {
  try {
    tmux('list-sessions')
    return true
  } catch {
    return false
  }
}

async function waitFor(isThere: () => boolean): Promise<void> {
  const end = performance.now() + LIMIT
  while (!isThere()) {
    if (performance.now() > end) throw new Error(`Nothing came within ${LIMIT / 1000} s.`)
    await sleep(30)
  }
}
