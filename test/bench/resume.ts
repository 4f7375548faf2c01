/**
 * Prints how long an upload takes that goes on at 90 %, beside the whole of it: `npm run build && npx tsx
 * test/bench/resume.ts [GIB]`. The promise is at most 0.3 × the whole, all kept parts read and compared.
 */
import {GIB} from '../../src/core/sizes.ts'
import {BUCKET, createArena} from '../support/arena.ts'
import {startSkylift} from '../support/run-skylift.ts'
import {removeTempFolders} from '../support/temp-folder.ts'
import {startSandboxProcess} from './sandbox-process.ts'

const size = Number(process.argv[2] ?? 8) * GIB

const sandbox = await startSandboxProcess()
const arena = await createArena(sandbox.keys, sandbox.endpoint, () => sandbox.end(), true)
const home = await arena.makeHome({AWS_ENDPOINT_URL: sandbox.endpoint})

/** Runs it, kills it once so much is stored, and returns the seconds that it took. */
async function upload(file: string, key: string, killAt = Infinity): Promise<number> {
  const started = performance.now()
  const {child, ended} = startSkylift(['upload', file, `s3://${BUCKET}/${key}`, '--progress', 'json'], {env: home.env})
  let stored = 0
  let rest = ''
  child.stderr?.on('data', (piece: Buffer) => {
    const lines = (rest + piece.toString()).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const event = JSON.parse(line) as {event: string; size?: number}
      if (event.event === 'stored' && (stored += event.size ?? 0) >= killAt) child.kill('SIGKILL')
    }
  })
  const {status, signal, stderr} = await ended
  if (status !== 0 && signal !== 'SIGKILL') throw new Error(stderr)
  return (performance.now() - started) / 1000
}

try {
  const file = await arena.makeFile(size)
  await upload(file, 'warm')
  const whole = await upload(file, 'whole')
  const most = await upload(file, 'object', size * 0.9)
  const rest = await upload(file, 'object')
  const figures = [whole, most, rest].map(each => `${each.toFixed(1)} s`)
  console.log(`${size / GIB} GiB: whole ${figures[0]}, 90 % ${figures[1]}, the rest ${figures[2]}`)
  console.log(`going on at 90 % takes ${(rest / whole).toFixed(3)} × the whole`)
} finally {
  await arena.close()
  await removeTempFolders()
}
