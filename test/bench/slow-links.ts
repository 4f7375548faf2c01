/**
 * Prints how well parallel parts fill a link of 200 Mbit/s with a round trip of 50 ms, whole and cut now and then:
 * `npm run build && npx tsx test/bench/slow-links.ts [MIB]`. The promise is a wall time of at most 1.1 × size ÷ rate.
 * With `--patient` also one body of 12 MiB at 64 KiB/s with every wait at its default: three minutes.
 */
import {KIB, MIB} from '../../src/core/sizes.ts'
import {BUCKET, createArena, hashPath} from '../support/arena.ts'
import {runSkylift} from '../support/run-skylift.ts'
import {startShapingProxy} from '../support/shaping-proxy.ts'
import type {ShapingProxyOptions} from '../support/shaping-proxy.ts'
import {removeTempFolders} from '../support/temp-folder.ts'
import {startSandboxProcess} from './sandbox-process.ts'

const RATE = 25_000_000
const size = Number(process.argv.find(each => /^\d+$/u.test(each)) ?? 256) * MIB

const sandbox = await startSandboxProcess()
const arena = await createArena(sandbox.keys, sandbox.endpoint, () => sandbox.end(), true)
const home = await arena.makeHome()

/** Uploads one file over such a link and prints the wall time beside what the link could do. */
async function measure(
  name: string,
  bytes: number,
  ideal: number,
  link: Omit<ShapingProxyOptions, 'upstream'>,
  flags: readonly string[],
): Promise<void> {
  const proxy = await startShapingProxy({upstream: arena.port, ...link})
  const file = await arena.makeFile(bytes)
  const env = {...home.env, AWS_ENDPOINT_URL: proxy.endpoint}
  const started = performance.now()
  const {status, stderr} = await runSkylift(['upload', file, `s3://${BUCKET}/k`, ...flags], {env})
  const wall = (performance.now() - started) / 1000
  const isSame = (await arena.hashStored('k')) === (await hashPath(file))
  const again = proxy.bytes.up - bytes
  console.log(
    `${name}: ${wall.toFixed(2)} s, ${(wall / ideal).toFixed(3)} × size ÷ rate; ${proxy.cuts} cuts, ` +
      `${(again / MIB).toFixed(1)} MiB again, status ${status}, ${isSame ? 'same bytes' : 'OTHER BYTES'}`,
  )
  if (status !== 0) console.log(stderr)
  await proxy.close()
}

try {
  const far = {delay: 25, rate: RATE}
  const ideal = size / RATE
  await measure(`${size / MIB} MiB, whole link`, size, ideal, far, [])
  await measure(`${size / MIB} MiB, parts of 5 MiB`, size, ideal, far, ['-p', '5M'])
  const cutEvery = {bytes: 64 * MIB, jitter: 16 * MIB}
  await measure(`${size / MIB} MiB, cut now and then`, size, ideal, {...far, cutEvery}, ['-p', '5M'])
  if (process.argv.includes('--patient')) {
    const bytes = 12 * MIB
    await measure('12 MiB at 64 KiB/s', bytes, bytes / (64 * KIB), {ratePerConnection: 64 * KIB}, [])
  }
} finally {
  await arena.close()
  await removeTempFolders()
}
