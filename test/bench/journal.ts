/**
 * Prints what a journal of 10,000 parts costs, beside what sending those parts costs: `npx tsx test/bench/journal.ts`.
 * What is measured is the CPU time of this process; the store has one of its own.
 */
import {join} from 'node:path'
import {createArena} from '../support/arena.ts'
import {PART, uploadByEngine} from '../support/engine.ts'
import {makeTempFolder, removeTempFolders} from '../support/temp-folder.ts'
import {openJournals} from '../../src/upload/journal.ts'
import type {JournalHead} from '../../src/upload/journal.ts'
import {startSandboxProcess} from './sandbox-process.ts'

const PARTS = 10_000
const AT_ONCE = 8
const SAMPLE = 200

const target = {remote: 's3', container: 'c', key: 'k'}

/** CPU seconds of this process during `run`. */
async function cpuOf(run: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage()
  await run()
  const {user, system} = process.cpuUsage(before)
  return (user + system) / 1e6
}

async function writeReceipts(): Promise<{write: number; read: number}> {
  const folder = await makeTempFolder()
  const identity = {store: 'http://127.0.0.1', target, path: join(folder, 'file')}
  const session = {target, uploadId: 'u', options: {}, size: PARTS * PART, partSize: PART, checksum: 'crc32' as const}
  const file = {size: session.size, mtimeNs: '1', ctimeNs: '1', inode: '1'}
  const head: JournalHead = {version: 1, identity, session, file, started: new Date().toISOString()}
  const journal = await openJournals(folder).take(identity)
  await journal.begin(head)
  let next = 1
  const worker = async (): Promise<void> => {
    for (let number = next++; number <= PARTS; number = next++) {
      const etag = number.toString(16).padStart(32, '0')
      await journal.add({number, size: PART, etag, crc32: etag.slice(-8)})
    }
  }
  const write = await cpuOf(() => Promise.all(Array.from({length: AT_ONCE}, worker)))
  await journal.release()
  const read = await cpuOf(async () => {
    const again = await openJournals(folder).take(identity)
    if (again.previous?.receipts.size !== PARTS) throw new Error('The journal lost receipts.')
    await again.remove()
  })
  return {write, read}
}

const sandbox = await startSandboxProcess()
const arena = await createArena(sandbox.keys, sandbox.endpoint, () => sandbox.end(), true)
try {
  const file = await arena.makeFile(SAMPLE * PART)
  const base = {remote: arena.remoteAt(sandbox.endpoint), file, key: 'k', concurrency: AT_ONCE}
  const waits = {stall: 30_000, answer: 60_000, complete: 60_000}
  await uploadByEngine({...base, waits})
  const sending = await cpuOf(() => uploadByEngine({...base, waits}))
  const {write, read} = await writeReceipts()
  const all = (sending / SAMPLE) * PARTS
  console.log(
    `sending ${PARTS} parts of 5 MiB: ${all.toFixed(1)} CPU seconds (${SAMPLE} parts measured: ${sending.toFixed(2)})`,
  )
  console.log(`writing ${PARTS} receipts:       ${write.toFixed(3)} CPU seconds, ${((write / all) * 100).toFixed(2)} %`)
  console.log(`reading them again:          ${read.toFixed(3)} CPU seconds`)
} finally {
  await arena.close()
  await removeTempFolders()
}
