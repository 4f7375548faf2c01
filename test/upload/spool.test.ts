import {execFile} from 'node:child_process'
import {randomBytes} from 'node:crypto'
import {readdir, readlink, stat} from 'node:fs/promises'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {promisify} from 'node:util'
import {expect} from 'chai'
import {Failure} from '../../src/core/failure.ts'
import {MIB} from '../../src/core/sizes.ts'
import {createSpillFile} from '../../src/upload/spill-file.ts'
import {createSpool, SLAB} from '../../src/upload/spool.ts'
import type {Piece} from '../../src/upload/spool.ts'
import {failureOf} from '../http/support.ts'
import {skipUnless} from '../support/skip.ts'
import {makeTempFolder} from '../support/temp-folder.ts'

const run = promisify(execFile)

/** Files of a folder that this process has open though they have no name any more. */
async function openFilesIn(folder: string): Promise<number[]> {
  const modes: number[] = []
  for (const fd of await readdir('/proc/self/fd')) {
    const path = await readlink(`/proc/self/fd/${fd}`).catch(() => '')
    if (path.startsWith(folder)) modes.push((await stat(`/proc/self/fd/${fd}`)).mode & 0o777)
  }
  return modes
}

async function readAll(piece: Piece): Promise<Buffer> {
  const body = piece.body()
  const all = Buffer.alloc(body.size)
  // In odd windows, as nothing says that they fit the slabs.
  for (let at = 0; at < all.length;) at += await body.read(all.subarray(at, at + 700_001), at)
  return all
}

/** Lets everything that can go on go on. */
function settle(): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, 20))
}

describe('a spool', () => {
  let folder: string
  let controller: AbortController

  beforeEach(async () => {
    folder = await makeTempFolder()
    controller = new AbortController()
  })

  const open = (memory: number, concurrency = 2) =>
    createSpool({memory, folder, concurrency, signal: controller.signal})

  async function fill(piece: Piece, bytes: Buffer, size = bytes.length): Promise<void> {
    for (let at = 0; at < bytes.length; at += 100_000) {
      await piece.write(bytes.subarray(at, at + 100_000), size - at)
    }
  }

  for (const [where, memory] of [
    ['in memory', 8 * MIB],
    ['on disk', 0],
    ['half here, half there', 3 * SLAB],
    ['in memory that is less than a slab: on disk', SLAB - 1],
  ] as const) {
    it(`gives back what was written, any part of it, any number of times: ${where}`, async () => {
      const spool = open(memory)
      const piece = await spool.take()
      const bytes = randomBytes(5 * MIB + 12_345)
      await fill(piece, bytes)
      expect(piece.size).to.equal(bytes.length)
      const body = piece.body()
      for (const [position, size] of [
        [0, 10],
        [SLAB - 5, 10],
        [3 * SLAB - 1, 2],
        [2 * SLAB + 77, 2 * SLAB],
        [bytes.length - 3, 100],
        [bytes.length, 1],
        [0, bytes.length],
      ] as const) {
        const into = Buffer.alloc(size)
        const got = await body.read(into, position)
        expect(got).to.equal(Math.min(size, bytes.length - position))
        expect(into.subarray(0, got).equals(bytes.subarray(position, position + got)), `at ${position}`).to.equal(true)
      }
      expect((await readAll(piece)).equals(bytes)).to.equal(true)
      await spool.close()
    })
  }

  it('has no name on disk, can be read by nobody else, and is gone when it is let go of', async function () {
    skipUnless(this, process.platform === 'linux', 'needs /proc')
    const spool = open(0)
    const piece = await spool.take()
    await fill(piece, randomBytes(MIB))
    expect(await readdir(folder)).to.deep.equal([])
    expect(await openFilesIn(folder)).to.deep.equal([0o600])
    await piece.release()
    await piece.release()
    expect(await openFilesIn(folder)).to.deep.equal([])
    const again = await spool.take()
    await fill(again, randomBytes(MIB))
    await spool.close()
    await spool.close()
    expect(await openFilesIn(folder)).to.deep.equal([])
  })

  it('waits for memory while every connection has something to send, and touches no disk', async () => {
    const spool = open(4 * SLAB, 2)
    const pieces: Piece[] = []
    for (let count = 0; count < 2; count++) {
      const piece = await spool.take()
      await fill(piece, randomBytes(2 * SLAB))
      pieces.push(piece)
    }
    const third = await spool.take()
    const bytes = randomBytes(2 * SLAB)
    let isFilled = false
    const filling = fill(third, bytes).then(() => (isFilled = true))
    await settle()
    expect(isFilled).to.equal(false)
    await pieces[0]?.release()
    await filling
    expect((await readAll(third)).equals(bytes)).to.equal(true)
    expect(await openFilesIn(folder)).to.deep.equal([])
    await spool.close()
  })

  it('uses the disk where a connection has nothing to send and memory is used up', async function () {
    skipUnless(this, process.platform === 'linux', 'needs /proc')
    const spool = open(2 * SLAB, 2)
    const first = await spool.take()
    await fill(first, randomBytes(2 * SLAB))
    const second = await spool.take()
    const bytes = randomBytes(2 * SLAB)
    await fill(second, bytes)
    expect(await openFilesIn(folder)).to.have.length(1)
    expect((await readAll(second)).equals(bytes)).to.equal(true)
    await spool.close()
  })

  it('holds one piece more than can be sent, and begins the next when one has gone', async () => {
    const spool = open(64 * SLAB, 2)
    const first = await spool.take()
    await spool.take()
    await spool.take()
    let isTaken = false
    const taking = spool.take().then(() => (isTaken = true))
    await settle()
    expect(isTaken).to.equal(false)
    await first.release()
    await taking
    await spool.close()
  })

  it('uses the same memory again and again', async () => {
    const spool = open(8 * SLAB, 2)
    const before = process.memoryUsage().arrayBuffers
    const bytes = randomBytes(2 * SLAB)
    for (let count = 0; count < 200; count++) {
      const piece = await spool.take()
      await fill(piece, bytes)
      await piece.release()
    }
    expect(process.memoryUsage().arrayBuffers - before).to.be.below(16 * MIB)
    await spool.close()
  })

  it('fails whoever waits, with the reason of the end', async () => {
    const spool = open(SLAB, 1)
    const reason = new Failure('interrupted', 'Interrupted.')
    await fill(await spool.take(), randomBytes(SLAB))
    const second = await spool.take()
    const waiting = [failureOf(spool.take()), failureOf(second.write(randomBytes(10), 10))]
    await settle()
    controller.abort(reason)
    expect(await Promise.all(waiting)).to.deep.equal([reason, reason])
    expect(await failureOf(spool.take())).to.equal(reason)
    await spool.close()
  })

  it('fails config for a folder that cannot be written to', async () => {
    const spool = createSpool({memory: 0, folder: join(folder, 'gone'), concurrency: 1, signal: controller.signal})
    const piece = await spool.take()
    const failure = await failureOf(piece.write(randomBytes(10), 10))
    expect(failure).to.have.property('code', 'config')
    expect(failure).to.have.property('suggestion').that.includes('TMPDIR')
    await spool.close()
  })
})

describe('a spool on a disk that is full', () => {
  /** A file system of its own, of 24 MiB; only root may have one. */
  async function mount(folder: string): Promise<boolean> {
    return run('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', folder]).then(
      () => true,
      () => false,
    )
  }

  it('asks for the space first: it waits while some may come, and fails with a word where none will', async function () {
    const folder = await makeTempFolder()
    skipUnless(this, await mount(folder), 'a small file system can be mounted by root only')
    try {
      const spill = await createSpillFile(folder)
      expect(await spill.hasRoom(7 * MIB, false)).to.equal(true)
      const other = await createSpillFile(folder)
      expect(await other.hasRoom(64 * MIB, true)).to.equal(false)
      const failure = await failureOf(other.hasRoom(64 * MIB, false))
      expect(failure).to.have.property('code', 'config')
      expect(failure.message).to.match(/has room for [\d.]+ MiB of the stream, and 64 MiB must be held/u)
      await Promise.all([spill.close(), other.close()])
    } finally {
      await run('umount', [folder])
    }
  })

  it('goes on with fewer pieces at once where the disk has no room for more', async function () {
    const folder = await makeTempFolder()
    skipUnless(this, await mount(folder), 'a small file system can be mounted by root only')
    try {
      const spool = createSpool({memory: 0, folder, concurrency: 4, signal: new AbortController().signal})
      const [first, second] = [await spool.take(), await spool.take()]
      const bytes = randomBytes(6 * MIB)
      await first.write(bytes, bytes.length)
      let isWritten = false
      const writing = second.write(bytes, bytes.length).then(() => (isWritten = true))
      await settle()
      expect(isWritten).to.equal(false)
      await first.release()
      await writing
      expect((await readAll(second)).equals(bytes)).to.equal(true)
      await spool.close()
    } finally {
      await run('umount', [folder])
    }
  })

  it('fails with a word when it turns out to be full all the same', async function () {
    skipUnless(this, process.platform !== 'win32', 'needs ulimit')
    const folder = await makeTempFolder()
    const module = fileURLToPath(new URL('../../src/upload/spill-file.ts', import.meta.url))
    const program = `
      const {createSpillFile} = await import(${JSON.stringify(module)})
      const spill = await createSpillFile(${JSON.stringify(folder)})
      await spill.hasRoom(4 * 1024 * 1024, false)
      await spill.write(Buffer.alloc(4 * 1024 * 1024)).catch(error => console.log(error.code, error.message))`
    const words = [
      '-c',
      'ulimit -f 1024; exec "$0" --import tsx --input-type=module -e "$1"',
      process.execPath,
      program,
    ]
    const {stdout} = await run('bash', words, {cwd: fileURLToPath(new URL('../..', import.meta.url))})
    expect(stdout).to.match(/^config The stream cannot be held in ".*": EFBIG/u)
    expect(await readdir(folder)).to.deep.equal([])
  })
})
