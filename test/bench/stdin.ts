/**
 * `npx tsx test/bench/stdin.ts [--size 200G] [-- FURTHER FLAGS]`: so many bytes through stdin to the sink. Ends with 1
 * unless every byte came, the CRC-32 is that of what was written, and memory stayed flat. Build first: `npm run build`.
 */
import {once} from 'node:events'
import {mkdtemp, readFile, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {parseArgs} from 'node:util'
import {crc32} from 'node:zlib'
import {combineCrc32, formatCrc32} from '../../src/core/crc32.ts'
import {formatSize, MIB, parseSize} from '../../src/core/sizes.ts'
import {makeHome, readJson, startSkylift} from '../support/run-skylift.ts'
import {removeTempFolders} from '../support/temp-folder.ts'
import {buildSink, canBuildSink, makeCertificate, startSink} from './sink.ts'

/** What the process may come to at most: the memory of the stream, and Node with all it has to do. */
const ALLOWED = 256 * MIB + 256 * MIB
const ROWS = 20

const {values, positionals} = parseArgs({options: {size: {type: 'string', default: '200G'}}, allowPositionals: true})
const size = parseSize(values.size)
if (!(await canBuildSink())) throw new Error('The bench needs Linux, a C compiler and libssl-dev.')

const sink = await startSink(await buildSink(), await makeCertificate())
const spool = await mkdtemp(join(tmpdir(), 'skylift-stdin-'))
process.once('SIGINT', () => process.exit(130))
try {
  await sink.reset()
  const {env} = await makeHome({
    AWS_ENDPOINT_URL: sink.http,
    AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
    AWS_REGION: 'us-east-1',
    TMPDIR: spool,
  })
  const flags = ['-q', '--json', ...positionals]
  const {child, ended} = startSkylift(['upload', '-', 's3://bench/stream', ...flags], {env, stdin: 'open'})
  const started = performance.now()
  const rss: number[] = []
  let peak = 0
  let crc = 0
  const block = makeBlock()
  const blockCrc = crc32(block)
  for (let sent = 0, row = 0; sent < size;) {
    const piece = block.subarray(0, Math.min(block.length, size - sent))
    crc = combineCrc32(crc, piece.length === block.length ? blockCrc : crc32(piece), piece.length)
    if (!child.stdin?.write(piece)) await Promise.race([once(child.stdin ?? child, 'drain'), ended])
    if (child.exitCode !== null) break
    sent += piece.length
    if (sent < ((row + 1) * size) / ROWS && sent < size) continue
    row++
    const now = await readMemory(child.pid ?? 0)
    rss.push(now.rss)
    peak = Math.max(peak, now.peak)
    console.log(`${formatSize(sent).padStart(9)}  rss ${formatSize(now.rss)}, peak ${formatSize(now.peak)}`)
  }
  child.stdin?.end()
  const ending = await ended
  if (ending.status !== 0) throw new Error(`It ended with ${ending.status}: ${ending.stdout}${ending.stderr}`)
  const seconds = (performance.now() - started) / 1000
  const {objects} = readJson<{objects: {size: number; crc32: string}[]}>(ending)
  const stats = await sink.stats()
  console.log(
    `${stats.bytes} bytes in ${stats.part} parts, ${seconds.toFixed(0)} s, ${formatSize(Math.round(size / seconds))}/s`,
  )
  const problems = [
    stats.bytes === size ? [] : [`${stats.bytes} bytes came, ${size} were written`],
    objects[0]?.size === size ? [] : [`it says that it stored ${objects[0]?.size} bytes`],
    objects[0]?.crc32 === formatCrc32(crc) ? [] : [`its CRC-32 is ${objects[0]?.crc32} instead of ${formatCrc32(crc)}`],
    peak <= ALLOWED ? [] : [`it took ${formatSize(peak)} of memory`],
  ].flat()
  for (const problem of problems) console.error(`WRONG: ${problem}.`)
  if (problems.length > 0) process.exitCode = 1
} finally {
  await sink.stop()
  await rm(spool, {recursive: true, force: true})
  await removeTempFolders()
}

/** One block, over and over: making up new bytes would take longer than sending them. */
function makeBlock(): Buffer {
  const block = Buffer.allocUnsafe(MIB)
  for (let at = 0, seed = 1; at < block.length; at += 4) {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
    block.writeUInt32LE(seed, at)
  }
  return block
}

async function readMemory(pid: number): Promise<{rss: number; peak: number}> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8')
  const read = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'mu').exec(text)?.[1] ?? 0) * 1024
  return {rss: read('VmRSS'), peak: read('VmHWM')}
}
