import {setImmediate, setTimeout as sleep} from 'node:timers/promises'
import {expect} from 'chai'
import {runWorkers} from '../../src/upload/workers.ts'

type Run = () => Promise<void>

const LIMITS = {least: 4, most: 32}
const live = (): AbortSignal => new AbortController().signal

/** Keeps this thread from everything else. */
function work(milliseconds: number): void {
  for (const started = performance.now(); performance.now() - started < milliseconds;);
}

async function* repeat(count: number, run: Run): AsyncGenerator<Run> {
  for (let index = 0; index < count; index++) yield run
}

describe('workers', () => {
  /** Returns how many there were in the end, and how many were busy at once. */
  async function count(pieces: number, run: Run): Promise<{readonly workers: number; readonly atOnce: number}> {
    let now = 0
    let atOnce = 0
    const ends = await runWorkers(
      repeat(pieces, async () => {
        atOnce = Math.max(atOnce, ++now)
        await run()
        now--
      }),
      LIMITS,
      live(),
    )
    return {workers: ends.length, atOnce}
  }

  it('become as many as may be while all of them wait', async () => {
    const {workers, atOnce} = await count(600, () => sleep(20))
    expect(atOnce).to.equal(workers)
    expect(workers).to.be.within(9, 32)
  })

  it('stay few where the thread has no time to spare', async () => {
    const busy = async (): Promise<void> => {
      work(2)
      await setImmediate()
    }
    expect(await count(200, busy)).to.deep.equal({workers: 4, atOnce: 4})
  })

  it('become more before any has done something, where all of them wait', async () => {
    let begun = 0
    let done = (): void => {}
    const held = new Promise<void>(resolve => (done = resolve))
    const wait = (): Promise<void> => {
      if (++begun === LIMITS.most) done()
      return held
    }
    expect((await count(600, wait)).atOnce).to.equal(LIMITS.most)
  })

  it('become more once they wait, however busy the thread was with their beginnings', async () => {
    let begun = 0
    let done = (): void => {}
    const held = new Promise<void>(resolve => (done = resolve))
    const beginAndWait = async (): Promise<void> => {
      if (++begun <= LIMITS.least) work(60)
      if (begun === LIMITS.most) done()
      await held
    }
    expect((await count(600, beginAndWait)).atOnce).to.equal(LIMITS.most)
  })

  it('become more only after each has done something, where the thread is busy with those there are', async () => {
    let turns = 0
    const busy = async (): Promise<void> => {
      while (++turns < 100) {
        work(2)
        await setImmediate()
      }
    }
    expect(await count(6, busy)).to.deep.equal({workers: 4, atOnce: 4})
  })

  it('come to an end together when one fails, and tell how', async () => {
    let begun = 0
    const ends = await runWorkers(
      repeat(1000, async () => {
        if (++begun === 10) throw new Error('no. 10')
        await setImmediate()
      }),
      {least: 4, most: 4},
      live(),
    )
    expect(ends.filter(({status}) => status === 'rejected')).to.have.length(1)
    expect(begun).to.be.lessThan(20)
  })

  it('are all heard when they fail one after the other, those that came later too', async () => {
    const controller = new AbortController()
    const unheard: unknown[] = []
    const listen = (reason: unknown): void => void unheard.push(reason)
    process.on('unhandledRejection', listen)
    after(() => process.off('unhandledRejection', listen))
    let begun = 0
    const ends = await runWorkers(
      repeat(10_000, async () => {
        if (++begun === 300) controller.abort(new Error('enough'))
        await sleep(5 + (begun % 40))
      }),
      LIMITS,
      controller.signal,
    )
    expect(ends.map(end => end.status === 'rejected' && (end.reason as Error).message)).to.deep.equal(
      ends.map(() => 'enough'),
    )
    expect(ends.length).to.be.above(4)
    expect(unheard).to.deep.equal([])
  })

  it('begin nothing more after an abort', async () => {
    const controller = new AbortController()
    let begun = 0
    const ends = await runWorkers(
      repeat(1000, async () => {
        if (++begun === 10) controller.abort()
        await setImmediate()
      }),
      LIMITS,
      controller.signal,
    )
    expect(ends.some(({status}) => status === 'rejected')).to.equal(true)
    expect(begun).to.be.lessThan(20)
  })
})
