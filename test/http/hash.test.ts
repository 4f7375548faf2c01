import {createHash, randomFillSync} from 'node:crypto'
import {setMaxListeners} from 'node:events'
import {closeSync, openSync, readSync, writeSync} from 'node:fs'
import {join} from 'node:path'
import {setImmediate} from 'node:timers/promises'
import {crc32} from 'node:zlib'
import {expect} from 'chai'
import type {Body} from '../../src/core/body.ts'
import {bufferBody} from '../../src/core/buffer-body.ts'
import {crc32Body, digestBody, sumBeside} from '../../src/http/digest.ts'
import {createHashQueue} from '../../src/http/hash-queue.ts'
import type {FileBody, SumWish} from '../../src/http/hash-queue.ts'
import {createHashThread} from '../../src/http/hash-thread.ts'
import type {HashThread} from '../../src/http/hash-thread.ts'
import {LANE_SIZE} from '../../src/http/md5-lanes.js'
import {makeTempFolder} from '../support/temp-folder.ts'

const MIB = 1024 * 1024
const SIZE = 40 * MIB

const md5Of = (bytes: Uint8Array): string => createHash('md5').update(bytes).digest('hex')
const live = makeSignal().signal

function makeSignal(): AbortController {
  const controller = new AbortController()
  setMaxListeners(0, controller.signal)
  return controller
}

/** Where padding, a block and a turn of the lanes meet. */
const EDGES = [0, 1, 54, 55, 56, 57, 63, 64, 65, 119, 120, 128].flatMap(size =>
  size === 0 ? [0, LANE_SIZE, 2 * LANE_SIZE] : [size, LANE_SIZE - size, LANE_SIZE + size, 3 * LANE_SIZE - size],
)

describe('summing files on a thread', function () {
  this.timeout(60_000)
  const bytes = Buffer.alloc(SIZE)
  let fd = -1
  let thread: HashThread

  before(async () => {
    randomFillSync(bytes)
    fd = openSync(join(await makeTempFolder(), 'file'), 'w+')
    writeSync(fd, bytes)
    await new Promise<void>(resolve => {
      thread = createHashThread(resolve)
      thread.start()
    })
  })
  after(() => closeSync(fd))

  const rangeOf = (offset: number, size: number): Buffer => bytes.subarray(offset, offset + size)
  function fileBody(offset: number, size: number): FileBody {
    return {
      size,
      file: {fd, offset},
      read: (into, position) =>
        Promise.resolve(readSync(fd, into, 0, Math.min(into.length, size - position), offset + position)),
    }
  }
  async function expectSums(ranges: readonly (readonly [offset: number, size: number])[], withMd5: boolean) {
    expect(thread.state).to.equal('there')
    const results = await Promise.all(ranges.map(([offset, size]) => thread.sum({fd, offset, size, withMd5})))
    for (const [index, [offset, size]] of ranges.entries()) {
      const {crc, md5} = results[index] ?? {}
      const range = rangeOf(offset, size)
      const words = `${size} bytes at ${offset}`
      expect(crc, words).to.equal(crc32(range))
      expect(md5 && Buffer.from(md5).toString('hex'), words).to.equal(withMd5 ? md5Of(range) : undefined)
    }
  }

  it('gives the sums of ranges whose ends fall on every edge, many at once', async () => {
    await expectSums(
      EDGES.map((size, index) => [index * 1013, size]),
      true,
    )
  })

  it('gives the sums of ranges that begin while others are under way', async () => {
    const ranges = Array.from({length: 60}, (_, index) => [index * 77_777, (index * 7_919_000) % (5 * MIB)] as const)
    await expectSums(ranges, true)
  })

  it('sums one alone, and CRC-32 beside MD5', async () => {
    await expectSums([[3, 3 * MIB + 1]], true)
    await Promise.all([
      expectSums(
        [
          [0, 5 * MIB],
          [MIB, 9 * MIB],
        ],
        true,
      ),
      expectSums(
        [
          [0, SIZE],
          [7, 0],
          [1, 1],
        ],
        false,
      ),
    ])
  })

  it('sums what there is of the others where a file is too short for one', async () => {
    const tasks = [
      [0, MIB],
      [SIZE - 10, 11],
      [SIZE - MIB, MIB],
      [SIZE + 1, 5 * MIB],
    ] as const
    for (const withMd5 of [true, false]) {
      const results = await Promise.all(tasks.map(([offset, size]) => thread.sum({fd, offset, size, withMd5})))
      expect(results.map(result => result?.crc)).to.deep.equal([
        crc32(rangeOf(0, MIB)),
        undefined,
        crc32(rangeOf(SIZE - MIB, MIB)),
        undefined,
      ])
    }
  })

  it('goes on by itself where a file descriptor is none', async () => {
    expect((await thread.sum({fd: 999_999, offset: 0, size: 5, withMd5: true}))?.crc).to.equal(undefined)
    await expectSums([[0, 5]], true)
  })

  describe('from the queue', () => {
    const sumHere = async ({body, withMd5}: SumWish): Promise<{crc: number; md5?: Buffer}> => {
      here.push(body.size)
      const all = Buffer.alloc(body.size)
      await body.read(all, 0)
      await setImmediate()
      return {crc: crc32(all), ...(withMd5 ? {md5: createHash('md5').update(all).digest()} : {})}
    }
    const here: number[] = []
    beforeEach(() => void here.splice(0))

    async function sumMany(cores: number, count: number): Promise<void> {
      const queue = createHashQueue(sumHere, cores)
      const ranges = Array.from({length: count}, (_, index) => [index, 8 * MIB + index] as const)
      for (let round = 0; round < 3; round++) {
        for (const withMd5 of [true, false]) {
          const sums = await Promise.all(
            ranges.map(([offset, size]) => queue.sumInTurn({body: fileBody(offset, size), withMd5, signal: live})),
          )
          for (const [index, {crc, md5}] of sums.entries()) {
            const range = rangeOf(...(ranges[index] ?? [0, 0]))
            expect(crc).to.equal(crc32(range))
            expect(md5?.toString('hex')).to.equal(withMd5 ? md5Of(range) : undefined)
          }
        }
      }
    }

    it('sums on the thread once much has waited for it', async () => {
      await sumMany(2, 14)
      expect(here.length).to.be.within(1, 3 * 28 - 14)
    })

    it('sums here where there is one core, or little to do', async () => {
      await sumMany(1, 14)
      expect(here).to.have.length(3 * 28)
      here.splice(0)
      await sumMany(2, 2)
      expect(here).to.have.length(12)
    })

    it('has a failure of the thread told by this one', async () => {
      const queue = createHashQueue(() => Promise.reject(new Error('told here')), 2)
      const wishes = Array.from({length: 30}, () => ({body: fileBody(SIZE, 10 * MIB), withMd5: true, signal: live}))
      const ends = await Promise.allSettled(wishes.map(wish => queue.sumInTurn(wish)))
      for (const end of ends) expect(end).to.have.nested.property('reason.message', 'told here')
    })

    it('lets go at once of what is given up', async () => {
      const queue = createHashQueue(sumHere, 2)
      const own = makeSignal()
      const wishes = Array.from({length: 40}, () => ({body: fileBody(0, SIZE), withMd5: true, signal: own.signal}))
      const ends = wishes.map(wish => queue.sumInTurn(wish))
      own.abort(new Error('given up'))
      for (const end of await Promise.allSettled(ends))
        expect(end).to.have.nested.property('reason.message', 'given up')
      const last = await queue.sumInTurn({body: fileBody(0, MIB), withMd5: false, signal: live})
      expect(last.crc).to.equal(crc32(rangeOf(0, MIB)))
    })
  })

  describe('beside sending', () => {
    const pieces = async (
      body: Body,
      onWindow: ((bytes: Buffer, position: number) => void) | undefined,
      end: number,
    ) => {
      for (let position = 0; position < end; position += MIB) {
        const piece = Buffer.alloc(Math.min(MIB, end - position))
        await body.read(piece, position)
        onWindow?.(piece, position)
      }
      return 'sent'
    }

    it('gives the sums of the body, whoever reads it', async () => {
      for (let round = 0; round < 3; round++) {
        const ranges = Array.from({length: 8}, (_, index) => [index * MIB + round, 8 * MIB + index] as const)
        await Promise.all(
          ranges.map(async ([offset, size]) => {
            const body = fileBody(offset, size)
            const {sent, sums} = sumBeside(body, live, onWindow => pieces(body, onWindow, size))
            expect(await sent).to.equal('sent')
            const {crc, md5} = await sums()
            expect([crc, md5.toString('hex')]).to.deep.equal([
              crc32(rangeOf(offset, size)),
              md5Of(rangeOf(offset, size)),
            ])
            expect((await sums()).md5).to.deep.equal(md5)
          }),
        )
      }
    })

    it('sums the whole body where the sending stopped half-way, or began anew', async () => {
      for (const body of [fileBody(0, 3 * MIB), bufferBody(rangeOf(0, 3 * MIB))]) {
        const {sent, sums} = sumBeside(body, live, async onWindow => {
          await pieces(body, onWindow, 2 * MIB)
          throw new Error('cut')
        })
        expect(await sent.catch((error: Error) => error.message)).to.equal('cut')
        expect((await sums()).md5.toString('hex')).to.equal(md5Of(rangeOf(0, 3 * MIB)))
        const again = sumBeside(body, live, async onWindow => {
          await pieces(body, onWindow, 2 * MIB)
          return pieces(body, onWindow, 3 * MIB)
        })
        await again.sent
        expect((await again.sums()).crc).to.equal(crc32(rangeOf(0, 3 * MIB)))
      }
    })
  })

  it('sums bodies of all kinds alike', async () => {
    for (const size of [0, 1, MIB - 1, MIB, MIB + 1, 20 * MIB]) {
      for (const body of [fileBody(5, size), bufferBody(rangeOf(5, size))]) {
        expect(await crc32Body(body, live)).to.equal(crc32(rangeOf(5, size)))
        expect((await digestBody(body, live)).md5.toString('hex')).to.equal(md5Of(rangeOf(5, size)))
      }
    }
  })
})
